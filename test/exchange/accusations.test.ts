import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { signAttestation } from '../../src/net/swarm-attestation.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { repositoryKey } from '../../src/oci/repository.ts'
import { MIN_PIECE_LENGTH, pieceSpan } from '../../src/swarm/pieces.ts'
import { flipStoredBit } from '../support/bit-rot.ts'
import { Gate } from '../support/gate.ts'
import { overriding } from '../support/overriding.ts'
import { meetStranger, type Stranger } from '../support/stranger.ts'
import { SwarmOfAgents, type SwarmAgent, type SwarmAgentInit } from '../support/swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'
import { bytesOf, pullBlob, repository } from '../pull/kit.ts'

const SIZE = 3 * MIN_PIECE_LENGTH + 10
const ALL = [0, 1, 2, 3]
const bytes = bytesOf(SIZE)
const wrong = bytesOf(SIZE, 'wrong')
const digest = digestOf(bytes)
let swarm: SwarmOfAgents

beforeEach(() => { swarm = new SwarmOfAgents() })
afterEach(async () => { await swarm.close() })

async function strangerTo (agent: SwarmAgent): Promise<Stranger> {
  return meetStranger(swarm, agent, bytes)
}

/** What a stranger signs about pieces of the blob. */
function signedBy ({ agent: { key } }: Stranger, pieces: readonly number[], of: Uint8Array, about = digest): Uint8Array {
  const hashes = pieces.map(piece => {
    const { start, end } = pieceSpan(SIZE, piece)
    return { piece, sha256: createHash('sha256').update(of.subarray(start, end)).digest() }
  })
  return signAttestation(key, { digest: about, size: SIZE, hashes }).bytes
}

/** Joins, and says that it has pieces, of which it signs the hashes. */
async function offers (peer: Stranger, pieces: readonly number[], of: Uint8Array, { by = peer, signed = pieces }: { by?: Stranger, signed?: readonly number[] } = {}): Promise<void> {
  await peer.hears('join')
  const field = pieces.reduce((bits, piece) => bits | 0x80 >> piece, 0)
  peer.join(pieces.length === ALL.length ? { complete: true } : { bitfield: Uint8Array.of(field) })
  if (signed.length > 0) peer.say({ type: 'attest', channel: 1, attestation: signedBy(by, signed, of) })
}

/** What a stranger was asked for and has not answered, and how much of what it heard that follows from. */
const asked = new WeakMap<Stranger, { readonly pieces: Set<number>, seen: number }>()

/** Sends each of the pieces when it is asked for, in the order asked; resolves when all have been sent. */
async function serves (peer: Stranger, pieces: readonly number[], of: Uint8Array): Promise<void> {
  const open = asked.get(peer) ?? { pieces: new Set(), seen: 0 }
  asked.set(peer, open)
  const left = new Set(pieces)
  await until(async () => {
    for (const message of peer.heard.slice(open.seen)) {
      open.seen++
      if (message.type === 'request') for (const piece of message.pieces) open.pieces.add(piece)
      if (message.type !== 'cancel') continue
      for (const piece of message.pieces) if (open.pieces.delete(piece)) peer.say({ type: 'reject', channel: 1, pieces: [piece], reason: 'cancelled', queue: 0 })
    }
    for (const piece of open.pieces) {
      if (!left.delete(piece)) continue
      open.pieces.delete(piece)
      await peer.send(piece, { of })
    }
    return left.size === 0
  }, { what: `requests for ${[...left].join()} of ${JSON.stringify(peer.heard)}` })
}

function accuses (peer: Stranger, of: string, content: Uint8Array, piece = 0, claim?: Uint8Array): void {
  peer.say({ type: 'accuse', channel: 1, of, pieces: [piece], attestation: signedBy(peer, [piece], content), claim })
}

function bans ({ score }: SwarmAgent): Record<string, string> {
  return Object.fromEntries(score.bans(Date.now()).map(({ peer, reason }) => [peer, reason]))
}

async function banned (agent: SwarmAgent, { agent: { peer } }: Stranger): Promise<string> {
  return until(() => bans(agent)[peer], { what: 'the ban', timeoutMs: 3_000 })
}

function count (agent: SwarmAgent, type: string): number {
  return agent.log.filter(event => event.type === type).length
}

/** Begins to fetch the blob. */
async function fetching (init: SwarmAgentInit = {}): Promise<{ agent: SwarmAgent, pulled: () => Promise<Uint8Array> }> {
  const agent = await swarm.add({ originPolicy: 'frugal', ...init })
  await agent.describe(repository, digest, SIZE)
  let pulling: Promise<Uint8Array> | undefined
  const pulled = async (): Promise<Uint8Array> => {
    pulling ??= pullBlob(agent.puller({ searchMs: 5_000, graceMs: 3_000 }), digest)
    return pulling
  }
  return { agent, pulled }
}

async function received (agent: SwarmAgent, pieces: number): Promise<void> {
  await until(() => count(agent, 'fetch:received') === pieces, { what: `${pieces} pieces` })
}

/** An honest one gives a piece, and before it has given another it is accused. @returns the piece it gave, and the one that it is accused of */
async function slandered (agent: SwarmAgent, honest: Stranger, liar: Stranger): Promise<{ first: number, piece: number }> {
  await liar.hears('join')
  liar.join()
  await offers(honest, ALL, bytes)
  const [first = 0] = (await honest.hears('request')).pieces
  await serves(honest, [first], bytes)
  await received(agent, 1)
  const [piece = 0] = (await honest.hears('request')).pieces
  accuses(liar, honest.agent.peer, wrong, piece)
  return { first, piece }
}

describe('an agent that fetches', () => {
  it('tells its neighbours who signed a wrong hash, with the right one, when the whole is right without it', async () => {
    const { agent, pulled } = await fetching({ originPolicy: 'never' })
    const [liar, honest, third] = [await strangerTo(agent), await strangerTo(agent), await strangerTo(agent)]
    const pulling = pulled()
    await third.hears('join')
    third.join()
    await offers(liar, [], wrong, { signed: [0] })
    await offers(honest, ALL, bytes)
    await serves(honest, ALL, bytes)
    expect(Buffer.compare(await pulling, bytes)).toBe(0)
    expect(await banned(agent, liar)).toContain('signed a wrong hash of piece 0')
    for (const peer of [liar, honest, third]) {
      expect(await peer.hears('accuse')).toMatchObject({ of: liar.agent.peer, pieces: [0], claim: new Uint8Array(signedBy(liar, [0], wrong)) })
    }
    expect(Object.keys(bans(agent))).toEqual([liar.agent.peer])
  })

  it('bans an accused when the whole is right, though it had nothing of it, by what the accusation says that it has signed', async () => {
    const { agent, pulled } = await fetching({ originPolicy: 'never' })
    const [honest, accuser, liar] = [await strangerTo(agent), await strangerTo(agent), await strangerTo(agent)]
    const pulling = pulled()
    await accuser.hears('join')
    accuser.join()
    await offers(honest, ALL, bytes)
    accuses(accuser, liar.agent.peer, bytes, 1, signedBy(liar, [1], wrong))
    await until(() => count(agent, 'peer:accused') === 1, { what: 'the accusation' })
    expect(bans(agent)).toEqual({})
    await serves(honest, ALL, bytes)
    expect(Buffer.compare(await pulling, bytes)).toBe(0)
    expect(await banned(agent, liar)).toContain('signed a wrong hash of piece 1')
    expect(Object.keys(bans(agent))).toEqual([liar.agent.peer])
  })

  it('fetches again what it has of other blobs on the word of a liar, before these are whole', async () => {
    const { agent, pulled } = await fetching({ originPolicy: 'never' })
    const others = bytesOf(SIZE, 'another blob')
    const other = digestOf(others)
    await agent.describe(repository, other, SIZE)
    const [liar, honest, relay] = [await strangerTo(agent), await strangerTo(agent), await meetStranger(swarm, agent, others)]
    const pulling = pullBlob(agent.puller({ searchMs: 5_000, graceMs: 3_000 }), other)
    await relay.hears('join', message => message.digest === other)
    relay.join({ bitfield: Uint8Array.of(0x80) })
    relay.say({ type: 'attest', channel: 1, attestation: signedBy(liar, [0], wrong, other) })
    await serves(relay, [0], wrong)
    await received(agent, 1)

    const first = pulled()
    await offers(liar, [], wrong, { signed: [0] })
    await offers(honest, ALL, bytes)
    await serves(honest, ALL, bytes)
    expect(Buffer.compare(await first, bytes)).toBe(0)
    await banned(agent, liar)

    relay.say({ type: 'attest', channel: 1, attestation: signedBy(relay, ALL, others, other) })
    relay.say({ type: 'have', channel: 1, pieces: [1, 2, 3], queue: 0 })
    await serves(relay, ALL, others)
    expect(Buffer.compare(await pulling, others)).toBe(0)
    expect(count(agent, 'fetch:mismatch')).toBe(0)
    expect(Object.keys(bans(agent))).toEqual([liar.agent.peer])
  })

  it('fetches again what it holds on the word of somebody who is accused, before the whole is here, and passes it on', async () => {
    swarm.origin.addBlob(repository, bytes)
    const { agent, pulled } = await fetching()
    const [liar, honest, accuser] = [await strangerTo(agent), await strangerTo(agent), await strangerTo(agent)]
    const pulling = pulled()
    await accuser.hears('join')
    accuser.join()
    await offers(honest, [1, 2, 3], bytes)
    await offers(liar, [0], wrong)
    await serves(liar, [0], wrong)
    await received(agent, 1)
    accuses(accuser, liar.agent.peer, bytes)

    expect(await honest.hears('accuse')).toMatchObject({ of: liar.agent.peer, pieces: [0] })
    await serves(honest, [1, 2, 3], bytes)
    expect(Buffer.compare(await pulling, bytes)).toBe(0)
    expect(await banned(agent, liar)).toContain('whole and right with another')
    expect(Object.keys(bans(agent))).toEqual([liar.agent.peer])
    expect(count(agent, 'fetch:mismatch')).toBe(0)
    expect(agent.log).toContainEqual({ type: 'peer:accused', peer: liar.agent.peer, by: accuser.agent.peer, digest, pieces: [0], repeated: false })
  })

  it('bans whoever accuses an honest signer, and nobody else', async () => {
    swarm.origin.addBlob(repository, bytes)
    const { agent, pulled } = await fetching()
    const [honest, liar] = [await strangerTo(agent), await strangerTo(agent)]
    const pulling = pulled()
    await slandered(agent, honest, liar)
    // all that is missing comes from the origin, as the accused is asked for nothing any more
    expect(Buffer.compare(await pulling, bytes)).toBe(0)
    expect(await banned(agent, liar)).toContain('whole and right with another')
    expect(Object.keys(bans(agent))).toEqual([liar.agent.peer])
  })

  it('goes on with what an accused has, when the origin fails', async () => {
    const { agent, pulled } = await fetching()
    const [honest, liar] = [await strangerTo(agent), await strangerTo(agent)]
    const pulling = pulled()
    const { first } = await slandered(agent, honest, liar)
    await until(() => honest.heard.filter(message => message.type === 'request' && message.pieces.includes(first)).length === 2, { what: 'another request' })
    await serves(honest, ALL, bytes)
    expect(Buffer.compare(await pulling, bytes)).toBe(0)
    expect(await banned(agent, liar)).toContain('whole and right with another')
    expect(Object.keys(bans(agent))).toEqual([liar.agent.peer])
  })

  it('never reads from the origin for it where that is forbidden, and judges by the whole', async () => {
    swarm.origin.addBlob(repository, bytes)
    const { agent, pulled } = await fetching({ originPolicy: 'never' })
    const [honest, liar] = [await strangerTo(agent), await strangerTo(agent)]
    const pulling = pulled()
    const { piece } = await slandered(agent, honest, liar)
    await until(() => count(agent, 'peer:accused') === 1, { what: 'the accusation' })
    expect(bans(agent)).toEqual({})
    await serves(honest, ALL.filter(one => one !== piece), bytes)
    expect(Buffer.compare(await pulling, bytes)).toBe(0)
    expect(await banned(agent, liar)).toContain('whole and right with another')
    expect(Object.keys(bans(agent))).toEqual([liar.agent.peer])
    expect(swarm.origin.blobStarts(digest)).toEqual([])
  })

  it('is right without an origin, though one of two signers lied, and bans the one that did', async () => {
    const { agent, pulled } = await fetching({ originPolicy: 'never' })
    const [liar, honest] = [await strangerTo(agent), await strangerTo(agent)]
    const pulling = pulled()
    await offers(liar, [0, 1], wrong)
    await serves(liar, [0, 1], wrong)
    await received(agent, 2)
    await offers(honest, ALL, bytes)
    await serves(honest, [2, 3], bytes)
    await until(() => count(agent, 'fetch:mismatch') === 1, { what: 'a wrong whole' })
    await serves(honest, [0, 1], bytes)
    expect(Buffer.compare(await pulling, bytes)).toBe(0)
    await banned(agent, liar)
    expect(Object.keys(bans(agent))).toEqual([liar.agent.peer])
  })

  it('does not blame who passes on what somebody signed whom it no longer believes, and takes the piece from another', async () => {
    swarm.origin.addBlob(repository, bytes)
    const { agent, pulled } = await fetching()
    const [liar, relay, honest] = [await strangerTo(agent), await strangerTo(agent), await strangerTo(agent)]
    const pulling = pulled()
    await offers(honest, [2, 3], bytes)
    await offers(liar, [0], wrong)
    await offers(relay, [1], wrong, { by: liar })
    await serves(liar, [0], wrong)
    await received(agent, 1)
    await relay.hears('request')
    accuses(honest, liar.agent.peer, bytes)
    await until(() => count(agent, 'peer:accused') === 1, { what: 'the accusation' })
    await serves(relay, [1], wrong)
    await serves(honest, [2, 3], bytes)
    expect(Buffer.compare(await pulling, bytes)).toBe(0)
    await banned(agent, liar)
    expect(Object.keys(bans(agent))).toEqual([liar.agent.peer])
  })

  it('in a swarm with a key bans and accuses nobody in whose name another has signed wrong hashes, and fetches the pieces again', async () => {
    swarm.origin.addBlob(repository, bytes)
    const { agent, pulled } = await fetching({ isKeyed: true })
    const [victim, forger] = [await strangerTo(agent), await strangerTo(agent)]
    const pulling = pulled()
    // the last piece no client gets before the whole is right
    await offers(forger, [3], wrong, { signed: [] })
    const forged = Buffer.from(signedBy(victim, [3], wrong))
    forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1)
    forger.say({ type: 'attest', channel: 1, attestation: forged })
    await serves(forger, [3], wrong)
    await received(agent, 1)
    await offers(victim, ALL, bytes)
    await serves(victim, ALL, bytes)
    expect(Buffer.compare(await pulling, bytes)).toBe(0)
    expect(count(agent, 'fetch:mismatch')).toBe(1)
    expect(bans(agent)).toEqual({})
    expect([...victim.heard, ...forger.heard].filter(({ type }) => type === 'accuse')).toEqual([])
  })

  it('hears a peer out four times, the same only once', async () => {
    swarm.origin.addBlob(repository, bytes)
    const { agent, pulled } = await fetching()
    const [signer, accuser] = [await strangerTo(agent), await strangerTo(agent)]
    pulled().catch(() => {})
    await accuser.hears('join')
    accuser.join()
    await offers(signer, ALL, bytes)
    for (const content of [bytes, bytes, wrong]) for (const piece of ALL) accuses(accuser, signer.agent.peer, content, piece)
    accuser.say({ type: 'ping', nonce: 1 })
    accuser.say({ type: 'request', channel: 1, pieces: [0] })
    await accuser.hears('reject')
    expect(agent.log.flatMap(event => event.type === 'peer:accused' ? [event.repeated] : [])).toEqual([false, true, true, true])
  })

  it.each(['of another piece', 'that is forged'])('ends the link to whoever accuses by an attestation %s', async what => {
    const { agent, pulled } = await fetching({ originPolicy: 'never' })
    const peer = await strangerTo(agent)
    pulled().catch(() => {})
    await peer.hears('join')
    peer.join()
    const attestation = Buffer.from(signedBy(peer, [1], bytes))
    if (what === 'that is forged') attestation.writeUInt8(attestation.readUInt8(attestation.length - 1) ^ 1, attestation.length - 1)
    peer.say({ type: 'accuse', channel: 1, of: agent.peer, pieces: [what === 'that is forged' ? 1 : 0], attestation })
    await until(() => peer.ends.length === 1, { what: 'the end' })
    expect(Object.keys(bans(agent))).toEqual([peer.agent.peer])
  })

  it.each<[string, (accused: Stranger, accuser: Stranger) => Uint8Array]>([
    ['somebody else has made', (_, accuser) => signedBy(accuser, [0], wrong)],
    ['says the same as the accuser', accused => signedBy(accused, [0], bytes)],
    ['is about another piece', accused => signedBy(accused, [1], wrong)],
    ['is about another blob', accused => signedBy(accused, [0], wrong, digestOf(wrong))],
    ['is forged', accused => {
      const claim = Buffer.from(signedBy(accused, [0], wrong))
      claim.writeUInt8(claim.readUInt8(claim.length - 1) ^ 1, claim.length - 1)
      return claim
    }],
    ['is no attestation', () => new Uint8Array(100)]
  ])('ends the link to whoever accuses by a claim that %s', async (_, claim) => {
    const { agent, pulled } = await fetching({ originPolicy: 'never' })
    const [accused, accuser] = [await strangerTo(agent), await strangerTo(agent)]
    pulled().catch(() => {})
    await accuser.hears('join')
    accuser.join()
    accuses(accuser, accused.agent.peer, bytes, 0, claim(accused, accuser))
    await until(() => accuser.ends.length === 1, { what: 'the end' })
    expect(Object.keys(bans(agent))).toEqual([accuser.agent.peer])
  })
})

describe('an agent that holds the blob', () => {
  async function beside (init: SwarmAgentInit): Promise<{ agent: SwarmAgent, accuser: Stranger }> {
    const agent = await swarm.add(init)
    await agent.seed(digest, bytes)
    await agent.describe(repository, digest, SIZE)
    const accuser = await strangerTo(agent)
    accuser.join()
    await accuser.hears('join')
    return { agent, accuser }
  }

  async function accusedBy (init: SwarmAgentInit, content: Uint8Array): Promise<{ agent: SwarmAgent, accuser: Stranger }> {
    const { agent, accuser } = await beside(init)
    accuses(accuser, agent.peer, content)
    return { agent, accuser }
  }

  it('verifies its copy when it is accused, and bans the accuser if it is right', async () => {
    const { agent, accuser } = await accusedBy({ store: 'disk' }, wrong)
    expect(await banned(agent, accuser)).toContain('our copy was verified again')
    expect(await agent.store.stat(digest)).toBeDefined()
    expect(count(agent, 'blob:quarantined')).toBe(0)
  })

  it('holds the piece back while it hashes its copy, and nothing else, and not for longer than ten seconds', async () => {
    const gate = new Gate()
    let lateMs = 0
    const { agent, accuser } = await accusedBy({
      now: () => Date.now() + lateMs,
      share: stored => ({
        open: async (...asked) => {
          const reader = await stored.open(...asked)
          return reader && overriding(reader, {
            verify: async () => {
              await gate.pass()
              return reader.verify()
            }
          })
        }
      })
    }, wrong)
    const asker = await strangerTo(agent)
    asker.join()
    await gate.reached()
    asker.say({ type: 'request', channel: 1, pieces: [0, 1] })
    expect(await asker.hears('reject')).toMatchObject({ pieces: [0], reason: 'busy' })
    await until(() => asker.bodies.get(1) === MIN_PIECE_LENGTH, { what: 'another piece' })
    lateMs = 10_000
    asker.say({ type: 'request', channel: 1, pieces: [0] })
    await until(() => asker.bodies.get(0) === MIN_PIECE_LENGTH, { what: 'the piece' })
    lateMs = 0
    gate.open()
    await banned(agent, accuser)
    asker.say({ type: 'request', channel: 1, pieces: [0] })
    await until(() => asker.bodies.get(0) === 2 * MIN_PIECE_LENGTH, { what: 'the piece again' })
  })

  it('bans an accused that has signed another hash than its copy has, and says so to nobody', async () => {
    const { agent, accuser } = await beside({ store: 'disk' })
    const liar = await strangerTo(agent)
    accuses(accuser, liar.agent.peer, bytes, 2, signedBy(liar, ALL, wrong))
    expect(await banned(agent, liar)).toContain('our copy has another')
    expect(Object.keys(bans(agent))).toEqual([liar.agent.peer])
    expect(count(agent, 'blob:quarantined')).toBe(0)
    expect(accuser.heard.filter(({ type }) => type === 'accuse')).toEqual([])
  })

  it('fetches again what it has of another blob on the word of an accused that its copy convicts', async () => {
    const { agent, accuser } = await beside({ originPolicy: 'never' })
    const other = digestOf(wrong)
    await agent.describe(repository, other, SIZE)
    const [liar, honest] = [await meetStranger(swarm, agent, wrong), await meetStranger(swarm, agent, wrong)]
    const pulling = pullBlob(agent.puller({ searchMs: 5_000, graceMs: 3_000 }), other)
    await liar.hears('join')
    liar.join({ bitfield: Uint8Array.of(0x80) })
    liar.say({ type: 'attest', channel: 1, attestation: signedBy(liar, [0], wrong, other) })
    await serves(liar, [0], wrong)
    await received(agent, 1)
    accuses(accuser, liar.agent.peer, bytes, 3, signedBy(liar, [3], wrong))
    await banned(agent, liar)
    await honest.hears('join')
    honest.join({ complete: true })
    honest.say({ type: 'attest', channel: 1, attestation: signedBy(honest, ALL, wrong, other) })
    await serves(honest, ALL, wrong)
    expect(Buffer.compare(await pulling, wrong)).toBe(0)
  })

  it('bans an accuser whose accused has signed what its copy has', async () => {
    const { agent, accuser } = await beside({ store: 'disk' })
    const honest = await strangerTo(agent)
    accuses(accuser, honest.agent.peer, wrong, 2, signedBy(honest, ALL, bytes))
    expect(await banned(agent, accuser)).toContain('our copy was verified again')
    expect(Object.keys(bans(agent))).toEqual([accuser.agent.peer])
  })

  it('does nothing about an accusation that says what its copy says', async () => {
    const { agent, accuser } = await accusedBy({ store: 'disk' }, bytes)
    accuser.say({ type: 'request', channel: 1, pieces: [3] })
    await until(() => accuser.bodies.get(3) === 10, { what: 'the piece' })
    expect(bans(agent)).toEqual({})
  })

  it('stops to serve a copy that its disk has changed, and fetches it again', async () => {
    swarm.origin.addBlob(repository, bytes)
    const before = await swarm.add({ store: 'disk' })
    await before.seed(digest, bytes)
    await before.describe(repository, digest, SIZE)
    await before.store.links.link(repositoryKey(repository), [digest])
    const agent = await before.reopen({ between: async directory => { await flipStoredBit(directory, digest, 5) } })
    agent.puller()
    const accuser = await strangerTo(agent)
    accuser.join()
    await accuser.hears('join')
    accuses(accuser, agent.peer, bytes)
    await accuser.hears('leave')
    await until(() => count(agent, 'fetch:completed') === 1, { what: 'the blob is here again' })
    expect(agent.log.filter(({ type }) => type === 'blob:quarantined')).toHaveLength(1)
    const reader = await agent.store.open(digest)
    expect(await reader?.verify()).toBe(true)
    await reader?.close()
    expect(bans(agent)).toEqual({})
  })
})
