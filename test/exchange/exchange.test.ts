import { createHash } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ParticipationListener } from '../../src/exchange/participation-listener.ts'
import { signAttestation } from '../../src/net/swarm-attestation.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { OwnershipSeed, standingOf } from '../../src/swarm/ownership.ts'
import { MIN_PIECE_LENGTH, pieceSpan } from '../../src/swarm/pieces.ts'
import { Session } from '../../src/swarm/session.ts'
import { Gate } from '../support/gate.ts'
import { meetStranger, type Stranger } from '../support/stranger.ts'
import { SwarmOfAgents, type SwarmAgent, type SwarmAgentInit } from '../support/swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'
import { bytesOf, pullBlob, repository } from '../pull/kit.ts'

const PIECE = MIN_PIECE_LENGTH
const SIZE = 3 * PIECE + 10
const bytes = bytesOf(SIZE)
const digest = digestOf(bytes)
let swarm: SwarmOfAgents

beforeEach(() => { swarm = new SwarmOfAgents() })
afterEach(async () => { await swarm.close() })

async function strangerTo (agent: SwarmAgent): Promise<Stranger> {
  return meetStranger(swarm, agent, bytes)
}

function hashes (pieces: readonly number[], of: Uint8Array = bytes): Array<{ piece: number, sha256: Uint8Array }> {
  return pieces.map(piece => {
    const { start, end } = pieceSpan(SIZE, piece)
    return { piece, sha256: createHash('sha256').update(of.subarray(start, end)).digest() }
  })
}

async function seeder (init: SwarmAgentInit = {}, access?: 'public' | 'restricted'): Promise<SwarmAgent> {
  const agent = await swarm.add(init)
  await agent.seed(digest, bytes, access)
  return agent
}

/** Begins to fetch the blob; how it ends is nobody's business. */
async function fetching (agent: SwarmAgent, of: Digest = digest): Promise<void> {
  await agent.describe(repository, of, SIZE)
  agent.puller({ searchMs: 5_000, graceMs: 10 }).blobs.fetch(repository, of).catch(() => {})
  await until(() => agent.log.some(({ type }) => type === 'fetch:started'), { what: 'the fetch' })
}

describe('an agent that holds a blob', () => {
  it('answers a join by its own, and a request by an attestation and the bytes', async () => {
    const peer = await strangerTo(await seeder())
    peer.join()
    expect(await peer.hears('join')).toMatchObject({ digest, size: SIZE, complete: true, leech: false, restricted: false })
    peer.say({ type: 'request', channel: 1, pieces: [1, 3] })
    await until(() => peer.bodies.get(1) === PIECE && peer.bodies.get(3) === 10, { what: 'both pieces' })
    const kinds = peer.heard.map(({ type }) => type)
    expect(kinds.indexOf('attest')).toBeLessThan(kinds.indexOf('piece'))
  })

  it('is needed while somebody takes part that lacks a part of it', async () => {
    const agent = await seeder()
    const peer = await strangerTo(agent)
    expect(agent.exchange.isNeeded).toBe(false)
    peer.join()
    await peer.hears('join')
    expect(agent.exchange.isNeeded).toBe(true)
    peer.say({ type: 'have', channel: 1, pieces: [0, 1, 2, 3], queue: 0 })
    await until(() => !agent.exchange.isNeeded, { what: 'it has all' })
  })

  it('and no longer when it has said nothing for five seconds: who has got the rest elsewhere tells nobody who has all', async () => {
    let lateMs = 0
    const agent = await seeder({ now: () => Date.now() + lateMs })
    const peer = await strangerTo(agent)
    peer.join()
    await peer.hears('join')
    lateMs = 4_000
    expect(agent.exchange.isNeeded).toBe(true)
    lateMs = 5_000
    expect(agent.exchange.isNeeded).toBe(false)
    peer.say({ type: 'request', channel: 1, pieces: [0] })
    await until(() => agent.exchange.isNeeded, { what: 'it is heard again' })
  })

  it('survives a join whose bitfield is that of another blob, and ends the link', async () => {
    const peer = await strangerTo(await seeder())
    peer.join({ bitfield: Uint8Array.of(1, 2, 3) })
    await until(() => peer.ends.length === 1, { what: 'the end' })
  })

  it.each([
    ['request', { type: 'request', channel: 1, pieces: [4] }],
    ['have', { type: 'have', channel: 1, pieces: [9], queue: 0 }],
    ['take', { type: 'take', channel: 1, pieces: [1000] }]
  ] as const)('ends the link over a %s of a piece that there is not', async (_name, message) => {
    const peer = await strangerTo(await seeder())
    peer.join()
    await peer.hears('join')
    peer.say(message)
    await until(() => peer.ends.length === 1, { what: 'the end' })
  })

  it('ends the link to whoever opens a second channel for one blob, and bans it', async () => {
    const agent = await seeder()
    const peer = await strangerTo(agent)
    peer.join()
    await peer.hears('join')
    peer.join({ channel: 2 })
    await until(() => peer.ends.length === 1, { what: 'the end' })
    expect(agent.score.bans(Date.now()).map(ban => ban.peer)).toEqual([peer.agent.peer])
  })

  it.each([[true, 1], [false, 0]])('refuses whoever names another size, and bans it if it says that it holds the whole: %s', async (complete, bans) => {
    const agent = await seeder()
    const peer = await strangerTo(agent)
    peer.join({ size: SIZE + 1, complete })
    if (complete) await until(() => peer.ends.length === 1, { what: 'the end' })
    else expect(await peer.hears('missing')).toMatchObject({ of: 1, reason: 'missing' })
    expect(agent.score.bans(Date.now()).map(ban => ban.peer)).toHaveLength(bans)
  })

  it('gives nothing as a leech', async () => {
    const peer = await strangerTo(await seeder({ isLeech: true }))
    peer.join()
    expect(await peer.hears('missing')).toMatchObject({ of: 1, reason: 'denied' })
  })

  it('gives nothing that was got with credentials in an open swarm', async () => {
    const peer = await strangerTo(await seeder({}, 'restricted'))
    peer.join()
    expect(await peer.hears('missing')).toMatchObject({ of: 1, reason: 'missing' })
  })

  it('refuses what finds no room in its queue, and answers each request that is called off', async () => {
    const gate = new Gate()
    const agent = await seeder({ uploadSlots: 1, pace: { pass: async () => gate.pass() } })
    const pieces = [0, 1, 2, 3]
    const peers = [await strangerTo(agent), await strangerTo(agent)]
    for (const peer of peers) {
      peer.join()
      await peer.hears('join')
      peer.say({ type: 'request', channel: 1, pieces })
    }
    const isRefused = (peer: Stranger, piece: number, reason: string): boolean => peer.heard.some(message => message.type === 'reject' && message.pieces.includes(piece) && message.reason === reason)
    const busy = (): number => peers.flatMap(peer => pieces.filter(piece => isRefused(peer, piece, 'busy'))).length
    await until(() => busy() === 3, { what: 'three refusals: one is served, four wait' })
    for (const peer of peers) peer.say({ type: 'cancel', channel: 1, pieces })
    await gate.reached()
    await until(() => peers.flatMap(peer => pieces.filter(piece => isRefused(peer, piece, 'cancelled'))).length >= 4, { what: 'the end of those that wait' })
    gate.open()
    await until(() => peers.every(peer => pieces.every(piece => isRefused(peer, piece, 'busy') || isRefused(peer, piece, 'cancelled'))), { what: 'an answer to each' })
    expect(peers.flatMap(({ bodies }) => [...bodies])).toEqual([])
  })

  it('frees the slot when the link breaks in the middle of a piece', async () => {
    const gate = new Gate()
    const agent = await seeder({ uploadSlots: 1, pace: { pass: async () => gate.pass() } })
    const [first, second] = [await strangerTo(agent), await strangerTo(agent)]
    first.join()
    second.join()
    await Promise.all([first.hears('join'), second.hears('join')])
    first.say({ type: 'request', channel: 1, pieces: [0] })
    await gate.reached()
    second.say({ type: 'request', channel: 1, pieces: [1] })
    first.link.abort(new Error('gone'))
    await until(() => agent.links.of(first.agent.peer) === undefined, { what: 'the end of the link' })
    gate.open()
    await until(() => second.bodies.get(1) === PIECE, { what: 'the piece' })
    expect(first.bodies.size).toBe(0)
  })

  it.each(['over another link', 'on another channel'] as const)('answers a member that comes back %s, and says nothing of what it had asked before', async how => {
    const gate = new Gate()
    const agent = await seeder({ pace: { pass: async () => gate.pass() } })
    const peer = await strangerTo(agent)
    peer.join()
    await peer.hears('join')
    peer.say({ type: 'request', channel: 1, pieces: [0, 1] })
    await until(() => gate.waiting === 2, { what: 'both on their way' })
    let say: Stranger['say'] = message => { peer.say(message) }
    if (how === 'over another link') {
      peer.link.abort(new Error('cut'))
      await until(() => agent.links.of(peer.agent.peer) === undefined, { what: 'the end of the first' })
      const link = await peer.agent.links.connect(agent.peer)
      say = message => { link.send(message) }
    } else {
      say({ type: 'leave', channel: 1 })
    }
    say({ type: 'join', channel: 2, kind: 'blob', digest, size: SIZE, restricted: false, complete: false, leech: false, readsOrigin: false })
    await until(() => peer.heard.filter(({ type }) => type === 'join').length === 2, { what: 'the second join' })
    say({ type: 'request', channel: 2, pieces: [0, 1] })
    gate.open()
    await until(() => peer.bodies.get(0) === PIECE && peer.bodies.get(1) === PIECE, { what: 'both pieces' })
    expect(peer.heard.filter(({ type }) => type === 'reject')).toEqual([])
  })

  it('tells a member that left and joins again what it holds', async () => {
    const peer = await strangerTo(await seeder())
    peer.join()
    await peer.hears('join')
    peer.say({ type: 'leave', channel: 1 })
    peer.join({ channel: 2 })
    await peer.hears('leave')
    expect((await peer.hears('join', ({ channel }) => channel === 2)).complete).toBe(true)
  })
})

describe('an agent that reads from the origin', () => {
  /** Its origin gives what the gate lets through; it is linked to a stranger. */
  async function reading (init: SwarmAgentInit = {}): Promise<{ readonly agent: SwarmAgent, readonly gate: Gate, readonly peer: Stranger }> {
    const agent = await swarm.add(init)
    const gate = new Gate()
    swarm.origin.addBlob(repository, bytes, { gate })
    const peer = await strangerTo(agent)
    await fetching(agent)
    return { agent, gate, peer }
  }

  it('says so again and again while nothing comes', async () => {
    const { gate, peer } = await reading()
    peer.join({ complete: false, leech: true })
    await until(() => peer.heard.filter(({ type }) => type === 'take').length >= 3, { what: 'three promises' })
    gate.open()
  })

  it('and says nothing of it as a leech: nobody would get it', async () => {
    const { agent, gate, peer } = await reading({ isLeech: true })
    await gate.reached()
    peer.join()
    gate.open()
    await until(() => agent.log.some(({ type }) => type === 'fetch:completed'), { what: 'the blob' })
    peer.say({ type: 'request', channel: 1, pieces: [0] })
    await peer.hears('reject')
    expect((await peer.hears('join')).taking ?? []).toEqual([])
    expect(peer.heard.filter(({ type }) => type === 'take' || type === 'release')).toEqual([])
  })

  it('tells who answers its join only now what it has begun to read meanwhile', async () => {
    const { gate, peer } = await reading()
    expect((await peer.hears('join')).taking ?? []).toEqual([])
    await gate.reached()
    peer.join()
    peer.say({ type: 'request', channel: 1, pieces: [0] })
    await peer.hears('reject')
    const said = peer.heard.map(({ type }) => type).filter(type => type !== 'origin')
    expect(said.slice(0, 3)).toEqual(['join', 'take', 'reject'])
    gate.open()
  })
})

describe('an agent that fetches a blob', () => {
  it('names those who read from the origin to who comes, the highest first, and where others said that they are', async () => {
    // so few that it calls nobody to whom it is not linked
    const agent = await swarm.add({ originPolicy: 'never', maxMembers: 4 })
    const strangers = await Promise.all(Array.from({ length: 12 }, async () => strangerTo(agent)))
    const [teller, learner] = strangers as [Stranger, Stranger]
    const standing = (peer: string): number => standingOf(new OwnershipSeed(digest, peer))
    const [far = ''] = Array.from({ length: 60 }, (_, index) => `far${'x'.repeat(index)}`).sort((one, other) => standing(other) - standing(one))
    const others = [far, ...strangers.slice(2).map(({ agent }) => agent.peer)].sort((one, other) => standing(other) - standing(one))
    const addressesOf = agent.links.addressesOf.bind(agent.links)
    agent.links.addressesOf = peer => peer === far ? [] : addressesOf(peer)
    await fetching(agent)
    teller.join()
    const { channel } = await teller.hears('join')
    teller.say({ type: 'members', of: channel, members: others.map(peer => ({ peer, addresses: ['/memory/elsewhere'] })) })
    // the answer tells that what was said before has been heard
    teller.join({ channel: 2, digest: digestOf(Buffer.from('another')) })
    await teller.hears('missing', ({ of }) => of === 2)
    learner.join()
    const { members } = await learner.hears('members')
    expect(members.slice(0, 8).map(({ peer }) => peer)).toEqual(others.slice(0, 8))
    expect(members.slice(8).map(({ peer }) => peer)).toEqual([teller.agent.peer])
    for (const { peer, addresses } of members) expect(addresses).toEqual([peer === far ? '/memory/elsewhere' : `/memory/${peer}`])
  })
})

describe('a member that reads from the origin', () => {
  it.each(['leaves', 'is gone with its link'] as const)('owns its share until it %s', async how => {
    const agent = await swarm.add()
    const session = new Session({ self: agent.peer, digest, size: SIZE })
    agent.exchange.fetch({
      digest, kind: 'blob', size: SIZE, session, source: { read: async () => 0, hash: async () => new Uint8Array(32) }, restricted: false, isShared: true, readsOrigin: true, listener: nobodyListens
    })
    const peer = await strangerTo(agent)
    peer.join({ readsOrigin: true })
    await until(() => session.members.size === 1, { what: 'the member' })
    expect(session.foremost).toEqual([peer.agent.peer])
    if (how === 'leaves') peer.say({ type: 'leave', channel: 1 })
    else peer.link.abort(new Error('killed'))
    await until(() => session.members.size === 0, { what: 'nobody' })
    // who has left may read it with others
    expect(session.foremost).toEqual(how === 'leaves' ? [peer.agent.peer] : [])
    session.knows([peer.agent.peer])
    expect(session.foremost).toEqual(how === 'leaves' ? [peer.agent.peer] : [])
  })
})

describe('an agent that has not the blob', () => {
  it('says so, and introduces those who want it to each other', async () => {
    const agent = await swarm.add()
    const [first, second] = [await strangerTo(agent), await strangerTo(agent)]
    first.join()
    await first.hears('missing')
    second.join()
    await second.hears('missing')
    expect(await second.hears('members')).toMatchObject({ of: 1, members: [{ peer: first.agent.peer, addresses: [`/memory/${first.agent.peer}`] }] })
  })

  it('takes in who asked while the store was still being looked into, if it fetches the blob by then', async () => {
    const gate = new Gate()
    const agent = await swarm.add({
      share: stored => ({
        open: async (kind, digest) => {
          await gate.pass()
          return stored.open(kind, digest)
        }
      })
    })
    const peer = await strangerTo(agent)
    peer.join({ bitfield: Uint8Array.of(0b1000_0000) })
    await gate.reached()
    await fetching(agent)
    await peer.hears('join')
    gate.open()
    await peer.hears('request')
    expect(peer.heard.filter(({ type }) => type === 'missing')).toEqual([])
  })

  it('tells who was refused anew when it begins to fetch', async () => {
    const agent = await swarm.add()
    const peer = await strangerTo(agent)
    peer.join()
    await peer.hears('missing')
    await fetching(agent)
    expect(await peer.hears('join')).toMatchObject({ digest, complete: false })
  })

  it('ends the link to whoever sends what was not asked for', async () => {
    const agent = await swarm.add({ originPolicy: 'never' })
    const peer = await strangerTo(agent)
    await fetching(agent)
    peer.join()
    await peer.hears('join')
    await peer.send(0).catch(() => {})
    await until(() => peer.ends.length === 1, { what: 'the end' })
  })

  it('takes a piece on its own word of an earlier life, brought by a member', async () => {
    const agent = await swarm.add({ originPolicy: 'never' })
    const peer = await strangerTo(agent)
    await fetching(agent)
    peer.join({ complete: true })
    peer.say({ type: 'attest', channel: 1, attestation: signAttestation(agent.key, { digest, size: SIZE, hashes: hashes([0, 1, 2, 3]) }).bytes })
    const { pieces: [piece = 0] } = await peer.hears('request')
    await peer.send(piece)
    await until(() => agent.log.some(event => event.type === 'fetch:received' && event.bytes > 0), { what: 'the piece' })
    expect(peer.ends).toEqual([])
  })

  it.each(['another blob', 'a signature of somebody else', 'its own name, forged'])('does not go by an attestation with %s', async what => {
    const agent = await swarm.add({ originPolicy: 'never' })
    const peer = await strangerTo(agent)
    await fetching(agent)
    peer.join({ complete: true })
    const { pieces: [piece = 0] } = await peer.hears('request')
    const key = await generateKeyPair('Ed25519')
    const good = signAttestation(what === 'another blob' ? key : agent.key, { digest: what === 'another blob' ? digestOf(Buffer.of(1)) : digest, size: SIZE, hashes: hashes([piece]) })
    const bad = Buffer.from(good.bytes)
    if (what === 'its own name, forged') bad.writeUInt8(bad.readUInt8(bad.length - 1) ^ 1, bad.length - 1)
    const forged = what === 'a signature of somebody else' ? renamed(good.bytes, agent.peer, peerIdFromPrivateKey(key).toString()) : bad
    peer.say({ type: 'attest', channel: 1, attestation: forged })
    await peer.send(piece).catch(() => {})
    await until(() => peer.ends.length === 1, { what: 'the end' })
    expect(agent.log.some(({ type }) => type === 'fetch:received')).toBe(false)
  })

  it('does not promise to read what it may not give on, nor says what it reads', async () => {
    const gate = new Gate()
    const agent = await swarm.add()
    swarm.origin.addBlob(repository, bytes, { access: 'restricted', gate })
    const peer = await strangerTo(agent)
    await fetching(agent)
    peer.join()
    expect(await peer.hears('join')).toMatchObject({ readsOrigin: true })
    await gate.reached()
    expect(await peer.hears('origin')).toMatchObject({ reads: false })
    const before = peer.heard.length
    gate.release(9)
    await until(() => swarm.origin.blobStarts(digest).length >= 2, { what: 'the next read' })
    peer.say({ type: 'request', channel: 1, pieces: [0] })
    expect(await peer.hears('reject')).toMatchObject({ pieces: [0], reason: 'denied' })
    expect(peer.heard.slice(before).filter(({ type }) => type === 'take' || type === 'have')).toEqual([])
  })

  it('tells who joins what it has read and will offer as soon as it is signed', async () => {
    const agent = await swarm.add()
    const gate = new Gate()
    const early = await strangerTo(agent)
    const session = new Session({ self: agent.peer, digest, size: SIZE })
    const hash = async (piece: number): Promise<Uint8Array> => {
      await gate.pass()
      return hashes([piece])[0]?.sha256 ?? Buffer.of()
    }
    const participation = agent.exchange.fetch({
      digest, kind: 'blob', size: SIZE, session, source: { read: async () => 0, hash }, restricted: false, isShared: true, readsOrigin: true, listener: nobodyListens
    })
    early.join()
    await early.hears('join')
    session.arrived(2, 'origin', 0)
    session.verified(2)
    participation.gained(2, undefined)
    await gate.reached()

    const late = await strangerTo(agent)
    late.join()
    expect(await late.hears('join')).toMatchObject({ taking: [2] })
    gate.open()
    await late.hears('have', ({ pieces }) => pieces.includes(2))
  })

  it('says, once it is stored, that it reads nothing more from the origin: nobody need wait for it to find out who lied', async () => {
    const agent = await swarm.add()
    swarm.origin.addBlob(repository, bytes)
    const peer = await strangerTo(agent)
    await fetching(agent)
    peer.join()
    expect(await peer.hears('join')).toMatchObject({ readsOrigin: true })
    expect(await peer.hears('origin')).toMatchObject({ reads: false })
  })

  it('offers, once it is stored, what could not be signed any more where it was', async () => {
    const agent = await swarm.add()
    const peer = await strangerTo(agent)
    const session = new Session({ self: agent.peer, digest, size: SIZE })
    const participation = agent.exchange.fetch({
      digest, kind: 'blob', size: SIZE, session, source: { read: async () => 0, hash: async () => { throw new Error('committed meanwhile') } }, restricted: false, isShared: false, readsOrigin: true, listener: nobodyListens
    })
    peer.join()
    await peer.hears('join')
    for (const piece of [0, 1, 2, 3]) {
      session.arrived(piece, 'origin', 0)
      session.verified(piece)
      participation.gained(piece, undefined)
    }
    await agent.seed(digest, bytes)
    await agent.exchange.stored(participation)
    await until(() => peer.heard.flatMap(message => message.type === 'have' ? message.pieces : []).length === 4, { what: 'all four are offered' })
  })

  it('says that the content is private, to those who joined before it knew, ahead of the first piece', async () => {
    const gate = new Gate()
    const agent = await swarm.add({ isKeyed: true, sharePrivate: true })
    swarm.origin.addBlob(repository, bytes, { access: 'restricted', gate })
    const peer = await strangerTo(agent)
    await fetching(agent)
    peer.join()
    expect(await peer.hears('join')).toMatchObject({ restricted: false })
    gate.open()
    await peer.hears('origin', ({ restricted }) => restricted)
    await until(() => peer.heard.flatMap(message => message.type === 'have' ? message.pieces : []).length > 0, { what: 'a piece is offered' })
    const said = peer.heard.map(({ type }) => type)
    expect(said.indexOf('origin')).toBeLessThan(said.indexOf('have'))
  })

  it.each([true, false])('stores as private what a member, after its join, said was got with credentials (%s)', async restricted => {
    const agent = await swarm.add({ isKeyed: true, originPolicy: 'never' })
    const peer = await strangerTo(agent)
    await fetching(agent)
    peer.join({ bitfield: Uint8Array.of(0b11110000) })
    peer.say({ type: 'origin', channel: 1, reads: false, restricted })
    peer.say({ type: 'attest', channel: 1, attestation: signAttestation(peer.agent.key, { digest, size: SIZE, hashes: hashes([0, 1, 2, 3]) }).bytes })
    for (const piece of [0, 1, 2, 3]) {
      await peer.hears('request', ({ pieces }) => pieces.includes(piece))
      await peer.send(piece)
    }
    expect((await until(async () => agent.store.stat(digest), { what: 'it is stored' })).access).toBe(restricted ? 'restricted' : 'public')
  })

  it('tells of many pieces at once', async () => {
    const agent = await swarm.add()
    swarm.origin.addBlob(repository, bytes)
    const peer = await strangerTo(agent)
    peer.join()
    await agent.describe(repository, digest, SIZE)
    await pullBlob(agent.puller(), digest)
    await until(() => peer.heard.flatMap(message => message.type === 'have' ? message.pieces : []).length === 4, { what: 'all four' })
    expect(peer.heard.filter(({ type }) => type === 'have').length).toBeLessThan(4)
  })
})

describe('an accusation over one blob', () => {
  it('makes the accused a suspect in all others that are fetched, with who answers for it', async () => {
    const agent = await swarm.add()
    const other = digestOf(Buffer.from('another'))
    const suspects: Array<[string, ...string[]]> = []
    const fetches = [digest, other].map(about => agent.exchange.fetch({
      digest: about,
      kind: 'blob',
      size: SIZE,
      session: new Session({ self: agent.peer, digest: about, size: SIZE }),
      source: { read: async () => 0, hash: async () => new Uint8Array(32) },
      restricted: false,
      isShared: true,
      readsOrigin: false,
      listener: { ...nobodyListens, onSuspect: (...words) => { suspects.push([about, ...words]) } }
    }))
    const peer = await strangerTo(agent)
    await peer.hears('join', ({ digest: about }) => about === digest)
    peer.join()
    const attestation = signAttestation(peer.agent.key, { digest, size: SIZE, hashes: hashes([0]) }).bytes
    peer.say({ type: 'accuse', channel: 1, of: 'somebody', pieces: [0], attestation })
    await until(() => suspects.length > 0, { what: 'the suspicion' })
    expect(suspects).toEqual([[other, 'somebody', peer.agent.peer]])
    for (const participation of fetches) agent.exchange.end(participation)
  })
})

const nobodyListens: ParticipationListener = { onFacts () {}, onBody () {}, onAnswer () {}, onReject () {}, onLie () {}, onRestricted () {}, onAccused () {}, onSuspect () {}, onLiar () {}, onOtherSize () {} }

/** The same bytes under another name of as many characters. */
function renamed (attestation: Uint8Array, from: string, to: string): Uint8Array {
  const copy = Buffer.from(attestation)
  copy.write(to, copy.indexOf(from), 'latin1')
  return copy
}
