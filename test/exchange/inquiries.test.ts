import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Inquiries } from '../../src/exchange/inquiries.ts'
import { LinkedContent } from '../../src/exchange/linked-content.ts'
import type { SwarmLink } from '../../src/net/swarm-link.ts'
import type { SwarmMessage } from '../../src/net/swarm-message.ts'
import { digestOf } from '../../src/oci/digest.ts'
import type { Access } from '../../src/store/store.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { Gate } from '../support/gate.ts'
import { MemoryPeers } from '../support/memory-peers.ts'
import { meetStranger } from '../support/stranger.ts'
import { SwarmOfAgents, type SwarmAgent } from '../support/swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'
import { bytesOf, repository } from '../pull/kit.ts'

const manifest = Buffer.from('{"schemaVersion":2}')
const digest = digestOf(manifest)
let swarm: SwarmOfAgents

beforeEach(() => { swarm = new SwarmOfAgents() })
afterEach(async () => { await swarm.close() })

async function holder (access: Access = 'public', init: Parameters<SwarmOfAgents['add']>[0] = {}): Promise<SwarmAgent> {
  const agent = await swarm.add(init)
  await agent.store.put(digest, manifest, { kind: 'manifest', access })
  return agent
}

/** An agent that says what it is told to say, and keeps what it hears. */
async function stranger (): Promise<{ agent: SwarmAgent, heard: SwarmMessage[] }> {
  const agent = await swarm.add()
  const heard: SwarmMessage[] = []
  agent.links.use({ onOpen () {}, onMessage: (_link, message) => { heard.push(message) }, onBody () {}, onClosed () {} }, { leech: false })
  return { agent, heard }
}

describe('a question over a link', () => {
  it('is answered with size and mark by who holds it, and by nothing else', async () => {
    const [asker, there, elsewhere] = [await swarm.add(), await holder(), await swarm.add()]
    await swarm.linkAll(asker, there, elsewhere)
    expect(await asker.exchange.inquire(there.peer, 'manifest', digest)).toEqual({ peer: there.peer, size: manifest.length, restricted: false })
    expect(await asker.exchange.inquire(elsewhere.peer, 'manifest', digest)).toBeUndefined()
    expect(await asker.exchange.inquire(there.peer, 'blob', digest)).toBeUndefined()
  })

  it('is denied by a leech, and where the sharing rule says so', async () => {
    const [asker, leech, secretive] = [await swarm.add(), await holder('public', { isLeech: true }), await holder('restricted')]
    await swarm.linkAll(asker, leech, secretive)
    expect(await asker.exchange.inquire(leech.peer, 'manifest', digest)).toBeUndefined()
    expect(await asker.exchange.inquire(secretive.peer, 'manifest', digest)).toBeUndefined()
  })

  it('tells of credentials', async () => {
    const [asker, there] = [await swarm.add({ isKeyed: true, sharePrivate: true }), await holder('restricted', { isKeyed: true, sharePrivate: true })]
    await swarm.link(asker, there)
    expect(await asker.exchange.inquire(there.peer, 'manifest', digest)).toMatchObject({ restricted: true })
  })

  it('is not taken for an answer by who asks the same', async () => {
    const [one, other] = [await swarm.add(), await swarm.add()]
    await swarm.link(one, other)
    expect(await Promise.all([one.exchange.inquire(other.peer, 'manifest', digest), other.exchange.inquire(one.peer, 'manifest', digest)])).toEqual([undefined, undefined])
  })

  it('leaves no channel behind on either side', async () => {
    const there = await holder()
    const { agent, heard } = await stranger()
    await swarm.link(agent, there)
    const link = agent.links.of(there.peer) as SwarmLink
    link.send({ type: 'join', channel: 7, kind: 'manifest', digest, size: 0, restricted: false, complete: false, leech: false, readsOrigin: false })
    await until(() => heard.some(({ type }) => type === 'leave'), { what: 'the answer' })
    expect(heard).toMatchObject([{ type: 'join', complete: true, size: manifest.length }, { type: 'leave' }])
  })

  it('fails when no answer comes in time, and when the peer is gone', async () => {
    const asker = await swarm.add()
    const { agent } = await stranger()
    await swarm.link(asker, agent)
    const link = asker.links.of(agent.peer) as SwarmLink
    await expect(new Inquiries({ answerTimeoutMs: 10 }).ask(link, 1, { kind: 'manifest', digest })).rejects.toMatchObject({ code: 'PEER_STALLED' })
    const asking = asker.exchange.inquire(agent.peer, 'manifest', digest)
    link.abort(new Error('cut'))
    await expect(asking).rejects.toMatchObject({ code: 'PEER_GONE' })
  })

  it('ends with its signal', async () => {
    const asker = await swarm.add()
    const { agent, heard } = await stranger()
    await swarm.link(asker, agent)
    const aborter = new AbortController()
    const asking = asker.exchange.inquire(agent.peer, 'manifest', digest, { signal: aborter.signal })
    aborter.abort(new Error('enough'))
    await expect(asking).rejects.toThrow('enough')
    await until(() => heard.at(-1)?.type === 'leave', { what: 'the end of the channel' })
  })

  it('is one of 64 that a silent peer may owe an answer to', async () => {
    const asker = await swarm.add()
    const { agent } = await stranger()
    await swarm.link(asker, agent)
    const aborter = new AbortController()
    const asked = Array.from({ length: 65 }, async () => asker.exchange.inquire(agent.peer, 'manifest', digest, { signal: aborter.signal }))
    await expect(asked[64]).rejects.toMatchObject({ code: 'PEER_BUSY' })
    aborter.abort(new Error('enough'))
    await Promise.allSettled(asked)
  })
})

describe('a question about a blob that is being exchanged', () => {
  const bytes = bytesOf(3 * MIN_PIECE_LENGTH + 10)
  const blob = digestOf(bytes)

  /** Fetches the blob, from nobody but members; how it ends is nobody's business. */
  async function fetching (agent: SwarmAgent): Promise<void> {
    await agent.describe(repository, blob, bytes.length)
    agent.puller({ searchMs: 5_000, graceMs: 10 }).blobs.fetch(repository, blob).catch(() => {})
    await until(() => agent.log.some(({ type }) => type === 'fetch:started'), { what: 'the fetch' })
  }

  it('is answered by a holder that gives it to us, which bans nobody, and goes on', async () => {
    const gate = new Gate()
    const [seeder, agent] = [await swarm.add({ pace: { pass: async () => gate.pass() } }), await swarm.add({ originPolicy: 'never' })]
    await seeder.seed(blob, bytes)
    await swarm.link(agent, seeder)
    await fetching(agent)
    await gate.reached()
    for (let count = 0; count < 2; count++) expect(await agent.exchange.inquire(seeder.peer, 'blob', blob)).toEqual({ peer: seeder.peer, size: bytes.length, restricted: false })
    gate.open()
    await until(() => agent.log.some(({ type }) => type === 'fetch:completed'), { what: 'the blob' })
    expect([agent, seeder].map(({ score }) => score.bans(Date.now()))).toEqual([[], []])
  })

  it('is answered at once by one that fetches it, which does not hold it, and makes nobody a member', async () => {
    const [asker, agent] = [await swarm.add(), await swarm.add({ originPolicy: 'never' })]
    await swarm.link(asker, agent)
    const { agent: silent } = await stranger()
    await swarm.link(silent, agent)
    await fetching(agent)
    expect(await asker.exchange.inquire(agent.peer, 'blob', blob)).toBeUndefined()
    expect(agent.exchange.isNeeded).toBe(false)
  })

  it('takes nothing from the session: who joins it as a holder while a question is open is asked for pieces', async () => {
    const agent = await swarm.add({ originPolicy: 'never' })
    const holder = await meetStranger(swarm, agent, bytes)
    const asking = agent.exchange.inquire(holder.agent.peer, 'blob', blob)
    await holder.hears('join', ({ size }) => size === 0)
    await fetching(agent)
    await holder.hears('join', ({ size }) => size > 0)
    holder.join({ complete: true })
    expect(await asking).toMatchObject({ peer: holder.agent.peer, size: bytes.length })
    await holder.hears('request')
    expect(holder.ends).toEqual([])
  })

  it('does no harm when its answer comes late', async () => {
    const agent = await swarm.add({ originPolicy: 'never' })
    const holder = await meetStranger(swarm, agent, bytes)
    await fetching(agent)
    holder.join({ complete: true })
    await holder.hears('request')
    holder.join({ channel: 2, complete: true, of: 1000 })
    holder.say({ type: 'leave', channel: 2 })
    holder.join({ channel: 3, digest: digestOf(Buffer.from('another')) })
    await holder.hears('missing', ({ of }) => of === 3)
    expect([holder.ends, holder.heard.filter(({ type }) => type === 'leave')]).toEqual([[], []])
  })
})

describe('what peers hold', () => {
  it('is asked over the link where there is one, else by a conversation', async () => {
    const [asker, there] = [await swarm.add(), await holder()]
    await swarm.link(asker, there)
    const peers = new MemoryPeers()
    peers.add('unlinked', digest, manifest, {})
    const content = new LinkedContent({ exchange: asker.exchange, content: peers })
    expect(await content.have(there.peer, 'manifest', digest)).toMatchObject({ peer: there.peer })
    expect(peers.asked('have')).toEqual([])
    expect(await content.have('unlinked', 'blob', digest)).toMatchObject({ peer: 'unlinked' })
    expect(content.neighbours()).toEqual(['unlinked'])
  })
})
