import { describe, expect, it } from 'vitest'
import { Introductions } from '../../src/exchange/introductions.ts'
import { until } from '../../scenarios/live/until.ts'

const ADDRESSES = ['/ip4/192.0.2.1/tcp/1']

interface Scene {
  readonly introductions: Introductions<string>
  /** Who was called, and with which addresses. */
  readonly calls: Array<{ readonly peer: string, readonly addresses: readonly string[], answer (): void, fail (): void }>
  readonly linked: string[]
  /** Who did not answer. */
  readonly failed: string[]
  nowMs: number
  /** `sender` names `peer`. */
  name (sender: string, peer: string, init?: { addresses?: readonly string[], isWanted?: () => boolean }): boolean
}

function scene (): Scene {
  const calls: Array<Scene['calls'][number]> = []
  const linked: string[] = []
  const failed: string[] = []
  const made: Scene = {
    calls,
    linked,
    failed,
    nowMs: 0,
    introductions: new Introductions({
      now: () => made.nowMs,
      connect: async (peer, { addresses }) => new Promise((resolve, reject) => {
        calls.push({ peer, addresses, answer: () => { resolve(peer) }, fail: () => { reject(new Error('nobody')) } })
      })
    }),
    name: (sender, peer, { addresses = ADDRESSES, isWanted = () => true } = {}) => made.introductions.add(sender, { peer, addresses }, { isWanted, onLink: link => { linked.push(link) }, onFailure: () => { failed.push(peer) } })
  }
  return made
}

describe('agents that others name', () => {
  it('are called eight at a time, in the order named', async () => {
    const one = scene()
    for (let index = 0; index < 20; index++) one.name('a', `peer ${index}`)
    expect(one.calls.map(({ peer }) => peer)).toEqual(Array.from({ length: 8 }, (_, index) => `peer ${index}`))
    one.calls[3]?.answer()
    await until(() => one.calls.length === 9, { what: 'the next call' })
    expect(one.calls.at(-1)?.peer).toBe('peer 8')
    expect(one.linked).toEqual(['peer 3'])
  })

  it('wait in a queue of 128 at the most, whoever names them', () => {
    const one = scene()
    for (let sender = 0; sender < 100; sender++) {
      for (let index = 0; index < 100; index++) one.name(`${sender}`, `peer ${sender} ${index}`)
    }
    expect(one.introductions.count).toBe(8 + 128)
  })

  it('are called 64 at once on one agent\'s word, and then two a second', async () => {
    const one = scene()
    const names = async (): Promise<number> => {
      const before = one.calls.length
      for (let index = 0; index < 200; index++) one.name('a', `peer ${one.nowMs} ${index}`)
      let answered = before
      await until(() => {
        for (; answered < one.calls.length; answered++) one.calls[answered]?.fail()
        return one.introductions.count === 0
      }, { what: 'the end of all calls' })
      return one.calls.length - before
    }
    expect(await names()).toBe(64)
    one.nowMs += 5_000
    expect(await names()).toBe(10)
    expect(one.name('b', 'another')).toBe(true)
  })

  it('are not called again for half a minute when they did not answer, but at other addresses', async () => {
    const one = scene()
    one.name('a', 'x')
    one.calls[0]?.fail()
    await until(() => one.introductions.count === 0, { what: 'the end of the call' })
    expect(one.failed).toEqual(['x'])
    expect(one.name('b', 'x')).toBe(false)
    expect(one.name('b', 'x', { addresses: ['/ip4/192.0.2.2/tcp/1'] })).toBe(true)
    one.calls[1]?.fail()
    await until(() => one.introductions.count === 0, { what: 'the end of the call' })
    one.nowMs = 30_000
    expect(one.name('b', 'x')).toBe(true)
  })

  it('are called once for all who want them, at all addresses that were told until then', async () => {
    const one = scene()
    for (let index = 0; index < 8; index++) one.name('a', `peer ${index}`)
    one.name('a', 'x')
    one.name('b', 'x', { addresses: ['/ip4/192.0.2.2/tcp/1'] })
    one.calls[0]?.answer()
    await until(() => one.calls.length === 9, { what: 'the call' })
    expect(one.calls[8]).toMatchObject({ peer: 'x', addresses: [...ADDRESSES, '/ip4/192.0.2.2/tcp/1'] })
    one.calls[8]?.answer()
    await until(() => one.linked.filter(link => link === 'x').length === 2, { what: 'both are told' })
  })

  it('are not called when nobody wants them any more, nor after the end', async () => {
    const one = scene()
    for (let index = 0; index < 8; index++) one.name('a', `peer ${index}`)
    let isWanted = true
    one.name('a', 'x', { isWanted: () => isWanted })
    isWanted = false
    one.calls[0]?.answer()
    one.name('a', 'y')
    await until(() => one.calls.length === 9, { what: 'the next call' })
    expect(one.calls.at(-1)?.peer).toBe('y')
    one.name('a', 'z')
    one.introductions.stop()
    one.calls[1]?.answer()
    await until(() => one.linked.length === 2, { what: 'the second' })
    expect(one.calls).toHaveLength(9)
  })
})
