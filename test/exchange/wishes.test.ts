import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Wish } from '../../src/exchange/wish.ts'
import type { JoinMessage } from '../../src/net/swarm-message.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { Succession } from '../../src/swarm/succession.ts'
import { meetStranger, type Stranger } from '../support/stranger.ts'
import { SwarmOfAgents, type SwarmAgent } from '../support/swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'

const manifest = Buffer.from('{"schemaVersion":2}')
const digest = digestOf(manifest)
const what = { kind: 'manifest', digest } as const
let swarm: SwarmOfAgents
let agent: SwarmAgent

beforeEach(async () => {
  swarm = new SwarmOfAgents()
  agent = await swarm.add()
})
afterEach(async () => { await swarm.close() })

async function stranger (): Promise<Stranger> {
  return meetStranger(swarm, agent, manifest)
}

/** A question that stands. */
function waiting (facts: Partial<JoinMessage> = {}): Partial<JoinMessage> {
  return { ...what, size: 0, waits: true, readsOrigin: true, ...facts }
}

function wishing (init: { isCandidate?: boolean } = {}): { wish: Wish, succession: Succession } {
  const { isCandidate = true } = init
  const succession = new Succession({ self: agent.peer, digest, isCandidate: false })
  const wish = agent.exchange.wish({ ...what, succession, isCandidate, onFacts () {} })
  if (wish === undefined) throw new Error('it is wished for already')
  return { wish, succession }
}

/** Resolves when the agent has heard all that the stranger has said. */
async function heard (peer: Stranger, nonce = 7): Promise<void> {
  peer.say({ type: 'join', channel: 1000 + nonce, kind: 'blob', digest, size: 0, restricted: false, complete: false, leech: false, readsOrigin: false })
  await peer.hears('missing', ({ of }) => of === 1000 + nonce)
}

const types = ({ heard }: Stranger): string[] => heard.map(({ type }) => type)

describe('a question that stands', () => {
  it('is answered at once, and again when the agent has read it', async () => {
    const peer = await stranger()
    peer.join(waiting())
    expect(await peer.hears('missing')).toMatchObject({ of: 1, reason: 'missing' })
    const { wish } = wishing()
    wish.reads()
    expect(await peer.hears('take')).toMatchObject({ pieces: [0] })
    await agent.store.put(digest, manifest, { kind: 'manifest', access: 'public' })
    wish.end({ isRead: true })
    expect(await peer.hears('join', ({ complete }) => complete)).toMatchObject({ ...what, size: manifest.length, restricted: false })
    await until(() => types(peer).filter(type => type === 'leave').length === 2, { what: 'the ends of both channels' })
    expect(types(peer)).toEqual(['missing', 'join', 'take', 'join', 'leave', 'leave'])
  })

  it('is answered by who reads it already with that', async () => {
    const { wish } = wishing()
    wish.reads()
    const peer = await stranger()
    peer.join(waiting())
    await peer.hears('missing')
    expect(types(peer)).toEqual(['join', 'take', 'missing'])
  })

  it('hears of one whose origin gave nothing that it reads no longer', async () => {
    const peer = await stranger()
    peer.join(waiting())
    await peer.hears('missing')
    const { wish } = wishing()
    wish.reads()
    wish.fails()
    await peer.hears('release')
    wish.end({ isRead: false })
    await peer.hears('leave')
    expect(types(peer)).toEqual(['missing', 'join', 'take', 'release', 'leave'])
  })

  it('is denied when what was read may not be given', async () => {
    const peer = await stranger()
    peer.join(waiting())
    await peer.hears('missing')
    const { wish } = wishing()
    await agent.store.put(digest, manifest, { kind: 'manifest', access: 'restricted' })
    wish.end({ isRead: true })
    expect(await peer.hears('missing', ({ reason }) => reason === 'denied')).toMatchObject({ of: 1 })
  })

  it.each([
    ['only asks', async (peer: Stranger) => { peer.join(waiting({ waits: false })) }],
    ['has left', async (peer: Stranger) => { peer.join(waiting()); peer.say({ type: 'leave', channel: 1 }) }]
  ] as const)('is not that of one that %s', async (_what, say) => {
    const peer = await stranger()
    await say(peer)
    await heard(peer)
    const { wish, succession } = wishing()
    expect(succession.next(0)).toBeUndefined()
    wish.reads()
    await agent.store.put(digest, manifest, { kind: 'manifest', access: 'public' })
    wish.end({ isRead: true })
    await heard(peer, 8)
    expect(types(peer)).not.toContain('take')
    expect(types(peer)).not.toContain('join')
  })

  it('is kept 64 times for one peer, and forgotten with its link', async () => {
    const peer = await stranger()
    for (let channel = 1; channel <= 64; channel++) peer.join(waiting({ channel, digest: digestOf(Buffer.from(`${channel}`)) }))
    peer.join(waiting({ channel: 65 }))
    await heard(peer)
    const { wish, succession } = wishing()
    expect(succession.next(0)).toBeUndefined()
    peer.say({ type: 'leave', channel: 1 })
    peer.say({ type: 'leave', channel: 65 })
    peer.join(waiting({ channel: 66 }))
    await heard(peer, 8)
    expect(succession.next(0)).toBeDefined()
    peer.link.close()
    await until(() => agent.links.of(peer.agent.peer) === undefined, { what: 'the end of the link' })
    expect(succession.next(1)).toBeUndefined()
    wish.end({ isRead: false })
  })
})

describe('a wish', () => {
  it('is told to who is asked, once, and left when it ends', async () => {
    const peer = await stranger()
    const { wish } = wishing()
    const ask = async (): Promise<unknown> => agent.exchange.inquire(peer.agent.peer, 'manifest', digest)
    const asked = [ask(), ask()]
    await until(() => peer.heard.length === 2, { what: 'both questions' })
    expect(peer.heard).toMatchObject([{ type: 'join', size: 0, waits: true, readsOrigin: true, leech: false }, { type: 'join', size: 0, waits: undefined, readsOrigin: false }])
    for (const message of peer.heard) if (message.type === 'join') peer.say({ type: 'missing', of: message.channel, reason: 'missing' })
    expect(await Promise.all(asked)).toEqual([undefined, undefined])
    wish.end({ isRead: false })
    await until(() => types(peer).filter(type => type === 'leave').length === 2, { what: 'the ends of both channels' })
  })

  it('hears who has it, also after the answer, and waits for who reads it', async () => {
    const peer = await stranger()
    const { wish, succession } = wishing()
    peer.join(waiting())
    await heard(peer)
    expect(succession.next(0)).toBe(500)
    peer.say({ type: 'take', channel: 1, pieces: [0] })
    await heard(peer, 8)
    expect(succession.next(1)).toBeGreaterThan(500)
    peer.join({ channel: 2, ...what, size: 19, complete: true })
    peer.say({ type: 'leave', channel: 2 })
    await heard(peer, 9)
    expect([...wish.holders.values()]).toEqual([{ peer: peer.agent.peer, size: 19, restricted: false }])
  })

  it('waits for nobody that reads it no longer, denies it, or wants it no longer', async () => {
    const { succession } = wishing()
    for (const [index, say] of ([
      (peer: Stranger) => { peer.say({ type: 'release', channel: 1, pieces: [0] }) },
      (peer: Stranger) => { peer.say({ type: 'leave', channel: 1 }) }
    ]).entries()) {
      const peer = await stranger()
      peer.join(waiting())
      await heard(peer)
      expect(succession.next(index)).toBeDefined()
      say(peer)
      if (index === 1) {
        // it may have it by now
        const { channel } = await peer.hears('join', ({ waits }) => waits !== true)
        peer.say({ type: 'missing', of: channel, reason: 'missing' })
      }
      await heard(peer, 8)
      await until(() => succession.next(index) === undefined, { what: 'nobody is waited for' })
    }
  })

  it('waits for no leech, nor for one that does not ask the origin', async () => {
    const { succession } = wishing()
    const [leech, other] = [await stranger(), await stranger()]
    leech.join(waiting({ leech: true }))
    other.join(waiting({ readsOrigin: false }))
    await Promise.all([heard(leech), heard(other)])
    expect(succession.next(0)).toBeUndefined()
  })

  it('is one at a time', () => {
    const { wish } = wishing()
    const init = { ...what, succession: new Succession({ self: agent.peer, digest, isCandidate: true }), isCandidate: true, onFacts () {} }
    expect(agent.exchange.wish(init)).toBeUndefined()
    wish.end({ isRead: false })
    expect(agent.exchange.wish(init)).toBeDefined()
  })
})

it('what comes too late to be an answer leaves nothing behind', async () => {
  const peer = await stranger()
  peer.join({ ...what, complete: true })
  await peer.hears('missing')
  peer.say({ type: 'leave', channel: 1 })
  peer.join({ ...what, complete: true })
  await until(() => types(peer).length === 2, { what: 'the second answer' })
  expect(peer.ends).toEqual([])
})
