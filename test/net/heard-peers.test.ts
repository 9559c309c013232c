import { describe, expect, it } from 'vitest'
import { HeardPeers, type HeardPeersInit } from '../../src/net/heard-peers.ts'
import { until } from '../../scenarios/live/until.ts'

function setUp (init: HeardPeersInit = {}) {
  const state = { now: 0, neighbours: 0, connected: new Set<string>(), dialled: [] as string[], dialling: 0, mostAtOnce: 0, fails: false }
  let gate: Promise<void> | undefined
  const heard = new HeardPeers({
    countNeighbours: () => state.neighbours,
    isConnected: peer => state.connected.has(peer),
    now: () => state.now,
    dial: async peer => {
      state.dialled.push(peer)
      state.mostAtOnce = Math.max(state.mostAtOnce, ++state.dialling)
      await gate
      state.dialling--
      if (state.fails) throw new Error('unreachable')
      state.connected.add(peer)
    }
  }, init)
  const idle = async (): Promise<void> => { await until(() => state.dialling === 0, { what: 'no dial is under way' }) }
  return { heard, state, idle, hold: () => { const { promise, resolve } = Promise.withResolvers<void>(); gate = promise; return resolve } }
}

describe('peers heard on the local network', () => {
  it('are dialled once however often they are heard', async () => {
    const { heard, state, idle } = setUp()
    heard.heard('a')
    heard.heard('a')
    await idle()
    heard.heard('a')
    expect(state.dialled).toEqual(['a'])
  })

  it('are dialled few at a time, and all in the end', async () => {
    const { heard, state, idle, hold } = setUp()
    const release = hold()
    for (let index = 0; index < 20; index++) heard.heard(`peer ${index}`)
    release()
    await until(() => state.dialled.length === 20, { what: 'all are dialled' })
    await idle()
    expect(state.mostAtOnce).toBe(4)
  })

  it('are left alone for a while when they cannot be reached, and longer the next time', async () => {
    const { heard, state, idle } = setUp()
    state.fails = true
    const dialsAfter = async (ms: number): Promise<number> => {
      state.now += ms
      heard.heard('a')
      await idle()
      return state.dialled.length
    }
    expect(await dialsAfter(0)).toBe(1)
    expect(await dialsAfter(499)).toBe(1)
    expect(await dialsAfter(501)).toBe(2)
    expect(await dialsAfter(999)).toBe(2)
    expect(await dialsAfter(1_001)).toBe(3)
  })

  it('are not dialled when there are neighbours enough, nor after the end', () => {
    const { heard, state } = setUp({ enoughNeighbours: 3 })
    state.neighbours = 3
    heard.heard('a')
    state.neighbours = 2
    heard.stop()
    heard.heard('b')
    expect(state.dialled).toEqual([])
  })

  it('are dropped beyond a bound while dials are slow', async () => {
    const { heard, state, hold } = setUp()
    const release = hold()
    for (let index = 0; index < 2_000; index++) heard.heard(`peer ${index}`)
    release()
    await until(() => state.connected.size === state.dialled.length && state.dialling === 0, { what: 'all dials have ended' })
    expect(state.dialled).toHaveLength(4 + 256)
  })
})
