import { createHash } from 'node:crypto'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { attestedHash, decodeAttestation, signAttestation, type Attestation } from '../../src/net/swarm-attestation.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { repositoryKey } from '../../src/oci/repository.ts'
import { AccessFacts } from '../../src/pull/access-facts.ts'
import { Audit } from '../../src/pull/audit.ts'
import { Download } from '../../src/pull/download.ts'
import { OriginSlots } from '../../src/pull/origin-slots.ts'
import { Bitfield } from '../../src/swarm/bitfield.ts'
import { OwnershipSeed, standingOf } from '../../src/swarm/ownership.ts'
import { MIN_PIECE_LENGTH, pieceSpan } from '../../src/swarm/pieces.ts'
import { SwarmOfAgents, type SwarmAgent } from '../support/swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'
import { bytesOf, repository } from './kit.ts'

const PIECES = 12
const SIZE = PIECES * MIN_PIECE_LENGTH
const ALL = Array.from({ length: PIECES }, (_, piece) => piece)
const MISMATCH = new Error('the whole is wrong')
const right = bytesOf(SIZE)
const wrong = bytesOf(SIZE, 'wrong')
const digest = digestOf(right)
let swarm: SwarmOfAgents
let cleanups: Array<() => Promise<void>>

beforeEach(() => {
  swarm = new SwarmOfAgents()
  cleanups = []
})

afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
  await swarm.close()
})

interface Signer {
  readonly key: Ed25519PrivateKey
  readonly peer: string
}

/** Always the same for one number. */
async function signer (number: number): Promise<Signer> {
  const key = await generateKeyPairFromSeed('Ed25519', Buffer.alloc(32, number))
  return { key, peer: peerIdFromPrivateKey(key).toString() }
}

/** What it signs of these pieces; of those in `lies` the hashes are wrong. */
function says ({ key }: Signer, pieces: readonly number[], lies: readonly number[] = []): Attestation {
  const hashes = pieces.map(piece => {
    const { start, end } = pieceSpan(SIZE, piece)
    return { piece, sha256: createHash('sha256').update((lies.includes(piece) ? wrong : right).subarray(start, end)).digest() }
  })
  return signAttestation(key, { digest, size: SIZE, hashes })
}

/** So many members that stand higher. */
function namesAbove (self: string, count: number): string[] {
  const standing = (peer: string): number => standingOf(new OwnershipSeed(digest, peer))
  const names: string[] = []
  for (let index = 0; names.length < count; index++) if (standing(`peer ${index}`) > standing(self)) names.push(`peer ${index}`)
  return names
}

/** The same, signed by nobody. */
function forged (attestation: Attestation): Attestation {
  const bytes = Uint8Array.from(attestation.bytes)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  return decodeAttestation(bytes)
}

interface SceneInit {
  /** Signatures are not looked at when they come. @default false */
  readonly isKeyed?: boolean
  /** Under whose names the lists are that nobody has signed. @default none */
  readonly slandered?: readonly Signer[]
  /** On whose word pieces are here. */
  readonly signed?: ReadonlyArray<readonly [by: Signer, pieces: readonly number[], lies?: readonly number[]]>
  /** Lists that say something of pieces that are here on another's word. */
  readonly contradicted?: readonly Attestation[]
  /** Pieces that came from the origin. */
  readonly fromOrigin?: readonly number[]
  /** Pieces that readers have bytes of. */
  readonly given?: readonly number[]
  readonly mayAskOrigin?: boolean
  /** In whose order the signers are looked at. @default the agent's */
  readonly self?: string
}

interface Scene {
  readonly audit: Audit
  readonly download: Download
  readonly self: Signer
  readonly agent: SwarmAgent
  /** Who was banned so far, and why. */
  readonly bans: Map<string, string>
  /** Pieces read from the origin, in order. */
  readonly reads: () => number[]
  /** The pieces are here again on this signer's word, those in `lies` wrong. */
  readonly cameAnew: (pieces: readonly number[], by: Signer, lies?: readonly number[]) => void
}

/** All pieces are here as told, and the blob is audited. Nothing is fetched by itself. */
async function scene ({ isKeyed = false, slandered = [], signed = [], contradicted = [], fromOrigin = [], given = [], mayAskOrigin = true, self }: SceneInit): Promise<Scene> {
  const agent = await swarm.add({ isKeyed })
  const partial = await agent.store.openPartial(digest)
  await partial.setSize(SIZE)
  for (const [by, pieces, lies = []] of signed) {
    const attestation = slandered.includes(by) ? forged(says(by, pieces, lies)) : says(by, pieces, lies)
    for (const piece of pieces) {
      const span = pieceSpan(SIZE, piece)
      await partial.write(span.start, (lies.includes(piece) ? wrong : right).slice(span.start, span.end), `peer:${by.peer}`)
      partial.confirm(span, await partial.hash(span), Buffer.from(attestation.bytes).toString('base64'))
    }
  }
  for (const piece of fromOrigin) await partial.write(pieceSpan(SIZE, piece).start, wrong.slice(pieceSpan(SIZE, piece).start, pieceSpan(SIZE, piece).end), 'origin')
  const components = { ...agent, originSlots: new OriginSlots(), mayShare: () => true, self: () => self ?? agent.peer, now: Date.now }
  const stop = new AbortController()
  const download = new Download({ ...components, self: () => agent.peer }, {
    digest,
    kind: 'blob',
    size: SIZE,
    partial,
    access: new AccessFacts(),
    signal: stop.signal,
    onChange: () => {},
    onOriginBytes: () => undefined,
    onLie: () => {},
    onAccused: () => {},
    onSuspect: () => {},
    onHelpless: () => false,
    onLiar: () => {}
  })
  download.done.catch(() => {})
  cleanups.push(async () => {
    agent.exchange.end(download.participation)
    await download.stop()
    await partial.close()
  })
  for (const attestation of contradicted) download.participation.vouchers.add(attestation)
  const bans = new Map<string, string>()
  const audit = new Audit(components, {
    digest,
    size: SIZE,
    download,
    repositories: new Map([[repositoryKey(repository), repository]]),
    mayAskOrigin,
    given: new Set(given),
    ban: (peer, reason) => { bans.set(peer, reason) }
  })
  return {
    audit,
    download,
    self: agent,
    agent,
    bans,
    reads: () => swarm.origin.blobStarts(digest).map(start => start / MIN_PIECE_LENGTH),
    cameAnew: (pieces, by, lies) => {
      const attestation = says(by, pieces, lies)
      download.participation.vouchers.add(attestation)
      for (const piece of pieces) download.participation.vouchers.settle(piece, attestation)
    }
  }
}

describe('an audit after a whole that is wrong', () => {
  test('reads one piece of each signer before a second of any, bans those whose piece differs in the first round that finds one, and gives back all that they signed', async () => {
    swarm.origin.addBlob(repository, right)
    const signers = await Promise.all([1, 2, 3, 4].map(signer))
    const liar = await signer(3)
    const { audit, bans, reads } = await scene({ signed: signers.map((by, index) => [by, ALL.slice(3 * index, 3 * index + 3), by.peer === liar.peer ? [7] : []]) })

    expect(await audit.settle(MISMATCH, {})).toEqual([6, 7, 8])
    expect([...bans.keys()]).toEqual([liar.peer])
    expect(bans.get(liar.peer)).toContain('signed a wrong hash of piece 7')
    const authorOf = (piece: number): number => Math.floor(piece / 3)
    // the round is gone through to its end
    expect(reads().length % 4).toBe(0)
    expect(reads().slice(-4)).toContain(7)
    expect(new Set(reads()).size).toBe(reads().length)
    for (const [index, piece] of reads().entries()) {
      expect(reads().slice(0, index).filter(earlier => authorOf(earlier) === authorOf(piece)).length).toBe(Math.floor(index / 4))
    }
    for (const request of swarm.origin.requests) expect(request.end).toBe((request.start ?? 0) + MIN_PIECE_LENGTH)
  })

  test('leaves what a liar signed to nobody: it is not the origin\'s, no reader has it, and we do not vouch for it though it is still here', async () => {
    swarm.origin.addBlob(repository, right)
    const [liar, honest] = [await signer(1), await signer(2)]
    const { audit, download } = await scene({ signed: [[liar, [0, 1, 2], [1]], [honest, [3, 4, 5, 6, 7, 8]]], fromOrigin: [9, 10, 11] })
    expect(await audit.settle(MISMATCH, {})).toEqual([0, 1, 2])
    for (const piece of [0, 1, 2]) {
      expect([download.session.held.has(piece), download.isTrusted(piece), download.isOurs(piece)]).toEqual([true, false, false])
      await expect(download.participation.vouch(piece)).rejects.toThrow(`nobody vouches for piece ${piece}`)
    }
    expect([download.isTrusted(9), download.isOurs(9), (await download.participation.vouch(9)).pieces]).toEqual([true, true, [9]])
    expect((await download.participation.vouch(3)).author).toBe(honest.peer)
  })

  test('begins with another signer on another host, so that together they are quick', async () => {
    swarm.origin.addBlob(repository, right)
    const signers = await Promise.all([1, 2, 3, 4].map(signer))
    const firsts = new Set<number>()
    for (let host = 0; host < 12; host++) {
      const { audit, reads } = await scene({ self: `host ${host}`, signed: signers.map((by, index) => [by, ALL.slice(3 * index, 3 * index + 3), ALL]) })
      const before = reads().length
      await audit.settle(MISMATCH, {})
      expect(reads().length).toBe(before + signers.length)
      firsts.add(reads()[before] ?? -1)
    }
    expect(firsts.size).toBe(4)
  })

  test('takes what an accused has signed of others, without asking the origin; the whole says whether it was wrong', async () => {
    const [accused, other, accuser, honest] = await Promise.all([signer(1), signer(2), signer(9), signer(3)])
    for (const isLiar of [true, false]) {
      const { audit, bans, reads, cameAnew } = await scene({ signed: [[accused, [0, 1, 2, 3], isLiar ? [1] : []], [other, [4, 5, 6, 7, 8, 9, 10, 11]]] })
      audit.hear({ by: accuser.peer, of: accused.peer, pieces: [1], attestation: says(accuser, [1], isLiar ? [] : [1]) }, {})
      await audit.idle()
      const before = reads().length
      expect(await audit.settle(MISMATCH, {})).toEqual([0, 1, 2, 3])
      expect(reads().slice(before)).toEqual([])
      expect([...bans.keys()]).toEqual([])
      cameAnew([0, 1, 2, 3], honest)
      audit.convict()
      expect([...bans.keys()]).toEqual([isLiar ? accused.peer : accuser.peer])
    }
  })

  test.each([false, true])('takes what one accused over another blob has signed of others, without accusing it, unless the accuser was found out: %s', async isFoundOut => {
    swarm.origin.addBlob(repository, right)
    const [accused, other, accuser] = await Promise.all([signer(1), signer(2), signer(9)])
    const { audit, agent, bans, reads, cameAnew } = await scene({ signed: [[accused, [0, 1, 2, 3], [1]], [other, [4, 5, 6, 7, 8, 9, 10, 11]]] })
    if (isFoundOut) agent.score.ban(accuser.peer, 'lied', Date.now())
    audit.suspect(accused.peer, accuser.peer)
    expect(await audit.settle(MISMATCH, {})).toEqual([0, 1, 2, 3])
    expect(reads().length > 0).toBe(isFoundOut)
    expect([...bans.keys()]).toEqual(isFoundOut ? [accused.peer] : [])
    // its word counts no more, and is not doubted twice
    cameAnew([0, 1, 2, 3], accused, [1])
    const before = reads().length
    expect(await audit.settle(MISMATCH, {})).toEqual([0, 1, 2, 3])
    expect(reads().length).toBeGreaterThan(before)
  })

  test('costs a suspect nothing where the whole is right', async () => {
    const [accused, accuser] = await Promise.all([signer(1), signer(9)])
    const { audit, download, bans } = await scene({ signed: [[accused, ALL]] })
    audit.suspect(accused.peer, accuser.peer)
    await audit.idle()
    audit.convict()
    expect([download.session.held.count, bans.size]).toEqual([PIECES, 0])
  })

  test('leaves it to members that stand higher to find out, until one says who has lied, or for a while', async () => {
    swarm.origin.addBlob(repository, right)
    const [liar, other, accuser] = await Promise.all([signer(1), signer(2), signer(9)])
    const { audit, download, bans, reads, self } = await scene({ signed: [[liar, [0, 1, 2, 3], [1]], [other, [4, 5, 6, 7, 8, 9, 10, 11]]] })
    for (const name of namesAbove(self.peer, 1)) download.session.joined(name, { held: Bitfield.full(PIECES), readsOrigin: true }, 0)
    expect(download.session.membersAbove).toBe(1)
    const before = reads().length
    const settled = audit.settle(MISMATCH, {})
    setTimeout(() => { audit.hear({ by: accuser.peer, of: liar.peer, pieces: [1], attestation: says(accuser, [1]) }, {}) }, 50)
    expect(await settled).toEqual([0, 1, 2, 3])
    expect([reads().slice(before), [...bans.keys()]]).toEqual([[], []])
    // nobody is accused any more: a turn later the origin is asked
    const beganMs = performance.now()
    await audit.settle(MISMATCH, {}).catch(() => {})
    expect(performance.now() - beganMs).toBeGreaterThan(1_400)
    expect(reads().length).toBeGreaterThan(before)
  })

  test('waits no longer for a member that stands higher when it has the right whole', async () => {
    swarm.origin.addBlob(repository, right)
    const [liar, other] = await Promise.all([signer(1), signer(2)])
    const { audit, download, bans, self } = await scene({ signed: [[liar, [0, 1, 2, 3], [1]], [other, [4, 5, 6, 7, 8, 9, 10, 11]]] })
    const above = namesAbove(self.peer, 6)
    for (const name of above) download.session.joined(name, { held: Bitfield.full(PIECES), readsOrigin: true }, 0)
    const beganMs = performance.now()
    const settled = audit.settle(MISMATCH, {})
    for (const name of above) download.session.readsOrigin(name, false, 0)
    expect(await settled).toEqual([0, 1, 2, 3])
    expect([...bans.keys()]).toEqual([liar.peer])
    // each of the six would have had a second and a half
    expect(performance.now() - beganMs).toBeLessThan(5_000)
  })

  test('asks an origin that gives nothing for a few pieces, not for one of each signer', async () => {
    const signers = await Promise.all(ALL.map(async (_, index) => signer(20 + index)))
    const { audit, bans, reads } = await scene({ signed: signers.map((by, index) => [by, [index], index === 7 ? [7] : []]) })
    const before = reads().length
    await expect(audit.settle(MISMATCH, {})).rejects.toMatchObject({ code: 'CONTENT_WRONG' })
    // four at a time, and one to see whether it gives the blob at all
    expect(reads().length - before).toBeLessThanOrEqual(5)
    expect(bans.size).toBe(0)
  })

  test('finds a second liar when what the first had signed has come anew, and reads nothing twice', async () => {
    swarm.origin.addBlob(repository, right)
    const [one, other, honest] = [await signer(1), await signer(2), await signer(3)]
    const { audit, bans, reads, cameAnew } = await scene({ signed: [[one, [0, 1, 2, 3], [0]], [other, [4, 5, 6, 7], [7]], [honest, [8, 9, 10, 11]]] })
    const first = await audit.settle(MISMATCH, {})
    cameAnew(first, honest)
    const second = await audit.settle(MISMATCH, {})
    expect([first, second]).toEqual([[0, 1, 2, 3], [4, 5, 6, 7]])
    expect([...bans.keys()].sort()).toEqual([one.peer, other.peer].sort())
    // those of the first liar that it had seen to be right are compared with what came for them, as is the wrong one
    const seen = reads().filter(piece => piece !== 0 && piece !== 7)
    expect(new Set(seen).size).toBe(seen.length)
  })

  test('fetches all from the origin alone, once, when that says of all that is signed that it is right', async () => {
    swarm.origin.addBlob(repository, right)
    const { audit, bans, reads, download } = await scene({ signed: [[await signer(1), ALL.slice(2)]], fromOrigin: [1], given: [5] })
    expect(await audit.settle(MISMATCH, {})).toEqual(ALL.slice(2).filter(piece => piece !== 5))
    expect(new Set(reads())).toEqual(new Set(ALL.slice(2)))
    expect(bans.size).toBe(0)
    expect(download.session.isOriginOnly).toBe(true)
    await expect(audit.settle(MISMATCH, {})).rejects.toMatchObject({ code: 'CONTENT_WRONG' })
  })

  test('does so after eight wrong wholes, whoever signed what', async () => {
    swarm.origin.addBlob(repository, right)
    const liars = await Promise.all(ALL.map(async (_, index) => signer(20 + index)))
    const [first, ...others] = liars as [Signer, ...Signer[]]
    const { audit, bans, download, cameAnew } = await scene({ signed: [[first, ALL, [0]]] })
    for (let count = 0; count < 7; count++) {
      expect(download.session.isOriginOnly).toBe(false)
      cameAnew(await audit.settle(MISMATCH, {}), others[count] ?? first, [count + 1])
    }
    expect(bans.size).toBe(7)
    expect(await audit.settle(MISMATCH, {})).toEqual(ALL)
    expect(download.session.isOriginOnly).toBe(true)
    expect(bans.size).toBe(7)
  })

  test('fetches all again, once, when nobody but the origin gave it', async () => {
    const { audit, bans, reads } = await scene({ fromOrigin: ALL })
    expect(await audit.settle(MISMATCH, {})).toEqual(ALL)
    await expect(audit.settle(MISMATCH, {})).rejects.toMatchObject({ code: 'CONTENT_WRONG' })
    expect(bans.size).toBe(0)
    expect(reads()).toEqual([])
  })

  test('gives back nothing that readers were given, and lets them have no more of it', async () => {
    swarm.origin.addBlob(repository, right)
    const liar = await signer(1)
    const { audit, download, bans } = await scene({ signed: [[liar, ALL, [0]]], given: [0] })
    await expect(audit.settle(MISMATCH, {})).rejects.toMatchObject({ code: 'CONTENT_WRONG' })
    expect([...bans.keys()]).toEqual([liar.peer])
    for (const piece of ALL) expect(download.isTrusted(piece)).toBe(false)
  })
})

describe.each(['is not to be asked', 'does not know the blob'] as const)('an audit of a wrong whole, where the origin %s', why => {
  const mayAskOrigin = why !== 'is not to be asked'

  test('bans the only signer', async () => {
    const liar = await signer(1)
    const { audit, bans, reads } = await scene({ mayAskOrigin, signed: [[liar, [2, 3, 4], [3]]], fromOrigin: [0, 1] })
    expect(await audit.settle(MISMATCH, {})).toEqual([2, 3, 4])
    expect([...bans.keys()]).toEqual([liar.peer])
    if (!mayAskOrigin) expect(reads()).toEqual([])
  })

  test('takes anew what one of several signed that most others contradict, and bans nobody for it', async () => {
    const [liar, honest, third] = [await signer(1), await signer(2), await signer(3)]
    const { audit, bans } = await scene({
      mayAskOrigin,
      signed: [[honest, [0, 1, 2, 3]], [liar, [4, 5], [4]], [third, [6, 7, 8, 9, 10, 11]]],
      contradicted: [says(honest, [4]), says(third, [4]), says(liar, [0], [0])]
    })
    expect(await audit.settle(MISMATCH, {})).toEqual([4, 5])
    expect(bans.size).toBe(0)
  })

  test('takes anew what one of several signed that is accused', async () => {
    const [liar, honest] = [await signer(1), await signer(2)]
    const { audit, bans } = await scene({ mayAskOrigin, signed: [[honest, [0, 1, 2, 3, 4, 5]], [liar, [6, 7, 8, 9, 10, 11], [6]]] })
    audit.hear({ by: 'somebody', of: liar.peer, pieces: [6], attestation: says(await signer(9), [6]) }, {})
    expect(await audit.settle(MISMATCH, {})).toEqual([6, 7, 8, 9, 10, 11])
    expect(bans.size).toBe(0)
  })

  test('gives up when nothing speaks against any of several', async () => {
    const { audit, bans } = await scene({ mayAskOrigin, signed: [[await signer(1), [0, 1]], [await signer(2), [2, 3], [3]]] })
    await expect(audit.settle(MISMATCH, {})).rejects.toMatchObject({ code: 'CONTENT_WRONG' })
    expect(bans.size).toBe(0)
  })
})

test('an audit takes anew what somebody signed who was banned over another blob, and asks no origin', async () => {
  swarm.origin.addBlob(repository, right)
  const [liar, honest] = [await signer(1), await signer(2)]
  const { audit, agent, reads } = await scene({ signed: [[honest, [0, 1, 2, 3, 4, 5]], [liar, [6, 7, 8, 9, 10, 11], [6]]] })
  agent.score.ban(liar.peer, 'lied about another blob', Date.now())
  expect(await audit.settle(MISMATCH, {})).toEqual([6, 7, 8, 9, 10, 11])
  expect(reads()).toEqual([])
})

describe('a signer found out over another blob', () => {
  test('is believed no more: what is here on its word is lost, and what comes on its word does not count', async () => {
    const [liar, honest] = [await signer(1), await signer(2)]
    const { audit, download, reads } = await scene({ signed: [[liar, [0, 1, 2], [1]], [honest, [3, 4, 5]]] })
    const { vouchers } = download.participation
    vouchers.add(says(liar, [7]))
    const hash = attestedHash(says(liar, [7]), 7) ?? new Uint8Array()
    expect(vouchers.match(7, hash)?.author).toBe(liar.peer)
    audit.disbelieve(liar.peer)
    await audit.idle()
    expect([...download.session.held]).toEqual([3, 4, 5])
    expect(vouchers.match(7, hash)).toBeUndefined()
    expect(reads()).toEqual([])
  })

  test('costs nothing that readers have, but they get no more of it', async () => {
    const liar = await signer(1)
    const { audit, download } = await scene({ signed: [[liar, [0, 1, 2]]], given: [0] })
    audit.disbelieve(liar.peer)
    await audit.idle()
    expect([...download.session.held]).toEqual([0])
    expect(download.isTrusted(0)).toBe(false)
  })

  test('changes nothing when all is here: the whole says who is right', async () => {
    const [liar, honest] = [await signer(1), await signer(2)]
    const { audit, download } = await scene({ signed: [[liar, [0, 1]], [honest, ALL.slice(2)]] })
    audit.disbelieve(liar.peer)
    await audit.idle()
    expect(download.session.held.count).toBe(PIECES)
  })
})

describe('an audit of a blob that is right', () => {
  test('bans whoever signed another hash of a piece or accused by one, and nobody else', async () => {
    const [honest, liar, accuser] = [await signer(1), await signer(2), await signer(3)]
    const { audit, bans } = await scene({ signed: [[honest, ALL]], contradicted: [says(liar, [5], [5]), says(await signer(4), [6])] })
    audit.hear({ by: 'somebody', of: honest.peer, pieces: [7], attestation: says(accuser, [7], [7]) }, {})
    audit.convict()
    expect([...bans.keys()].sort()).toEqual([liar.peer, accuser.peer].sort())
  })
})

describe('in a swarm with a key, where signatures are not looked at when they come, nobody is banned for what it has not signed', () => {
  test.each([true, false])('when the whole is wrong, with an origin: %s', async mayAskOrigin => {
    swarm.origin.addBlob(repository, right)
    const [victim, honest] = [await signer(1), await signer(2)]
    const { audit, bans, cameAnew } = await scene({ isKeyed: true, slandered: [victim], mayAskOrigin, signed: [[victim, [0, 1, 2, 3], [0, 1, 2, 3]], [honest, ALL.slice(4)]] })
    expect(await audit.settle(MISMATCH, {})).toEqual([0, 1, 2, 3])
    cameAnew([0, 1, 2, 3], victim)
    audit.convict()
    expect(bans.size).toBe(0)
  })

  test('when it would be the only signer', async () => {
    const victim = await signer(1)
    const { audit, bans } = await scene({ isKeyed: true, slandered: [victim], mayAskOrigin: false, signed: [[victim, [2, 3, 4], [3]]], fromOrigin: [0, 1] })
    expect(await audit.settle(MISMATCH, {})).toEqual([2, 3, 4])
    expect(bans.size).toBe(0)
  })

  test('when the whole is right', async () => {
    const [honest, victim, liar] = [await signer(1), await signer(2), await signer(3)]
    const { audit, bans } = await scene({ isKeyed: true, signed: [[honest, ALL]], contradicted: [forged(says(victim, [5], [5])), says(liar, [6], [6])] })
    audit.convict()
    expect([...bans.keys()]).toEqual([liar.peer])
  })

  test('when it is accused: the piece is fetched again', async () => {
    swarm.origin.addBlob(repository, right)
    const victim = await signer(1)
    const { audit, download, bans } = await scene({ isKeyed: true, slandered: [victim], signed: [[victim, ALL.slice(0, 6), [2]]] })
    audit.hear({ by: 'a', of: victim.peer, pieces: [2], attestation: says(await signer(2), [2]) }, {})
    await audit.idle()
    expect(bans.size).toBe(0)
    expect([...download.session.held]).toEqual([])
  })
})

describe('an accusation, before the whole is here,', () => {
  const HELD = ALL.slice(0, 6)

  test('is believed for now: what the accused have signed is lost, and they are asked for nothing, but no origin either; the right whole tells who lied', async () => {
    swarm.origin.addBlob(repository, right)
    const [liar, honest, slanderer] = [await signer(1), await signer(2), await signer(3)]
    const { audit, download, bans, reads, cameAnew } = await scene({ signed: [[liar, [0, 1, 2], [1]], [honest, [3, 4, 5]]] })
    for (const { peer } of [liar, honest]) download.session.joined(peer, { held: Bitfield.full(PIECES), readsOrigin: true }, 0)
    download.session.joined('another', { held: Bitfield.full(PIECES), readsOrigin: true }, 0)
    audit.hear({ by: 'a', of: liar.peer, pieces: [0, 1], attestation: says(honest, [0, 1]) }, {})
    audit.hear({ by: 'b', of: honest.peer, pieces: [4], attestation: says(slanderer, [4], [4]) }, {})
    await audit.idle()
    expect([reads(), [...bans.keys()], [...download.session.held]]).toEqual([[], [], []])
    // of what is here on other words others may have another copy
    expect(ALL.map(piece => download.session.availability.of(piece))).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    cameAnew(ALL, await signer(4))
    audit.convict()
    expect([...bans.keys()].sort()).toEqual([liar.peer, slanderer.peer].sort())
  })

  test('counts no more when nobody else has what the accused signed', async () => {
    const [accused, accuser] = [await signer(1), await signer(2)]
    const { audit, download } = await scene({ signed: [[accused, HELD]] })
    const { session, participation: { vouchers } } = download
    session.joined(accused.peer, { held: Bitfield.full(PIECES) }, 0)
    session.joined('another', { held: Bitfield.full(PIECES), readsOrigin: true }, 0)
    audit.hear({ by: accuser.peer, of: accused.peer, pieces: [0], attestation: says(accuser, [0], [0]) }, {})
    await audit.idle()
    expect(session.availability.of(0)).toBe(0)
    expect(vouchers.match(0, attestedHash(says(accused, [0]), 0) as Uint8Array)).toBeUndefined()
    expect(audit.relent()).toBe(true)
    expect(session.availability.of(0)).toBe(2)
    expect(vouchers.match(0, attestedHash(says(accused, [0]), 0) as Uint8Array)?.author).toBe(accused.peer)
    expect(audit.relent()).toBe(false)
  })

  test('of ourselves costs us the piece, and nobody a ban but a liar', async () => {
    swarm.origin.addBlob(repository, right)
    const { audit, download, self, bans } = await scene({ signed: [[await signer(1), HELD, [2]]] })
    const own = says(self, [2], [2])
    download.participation.vouchers.add(own)
    download.participation.vouchers.settle(2, own)
    audit.hear({ by: 'a', of: self.peer, pieces: [2], attestation: says(await signer(2), [2]) }, {})
    await audit.idle()
    expect(bans.size).toBe(0)
    expect([...download.session.held]).toEqual([0, 1, 3, 4, 5])
  })

  test('reads from the origin four times at the most, and not for a piece that is here on the word of others', async () => {
    swarm.origin.addBlob(repository, right)
    const [honest, other] = [await signer(1), await signer(2)]
    // what readers have is not fetched again on anybody's word
    const { audit, bans, reads } = await scene({ signed: [[honest, HELD]], given: [5] })
    audit.hear({ by: 'a', of: other.peer, pieces: [0], attestation: says(honest, [0]) }, {})
    audit.hear({ by: 'a', of: honest.peer, pieces: [7], attestation: says(other, [7]) }, {})
    await audit.idle()
    expect(reads()).toEqual([])
    for (const piece of HELD) audit.hear({ by: 'a', of: honest.peer, pieces: [piece], attestation: says(await signer(10 + piece), [piece], [piece]) }, {})
    await audit.idle()
    expect(reads()).toEqual([0, 1, 2, 3])
    expect(bans.size).toBe(4)
  })

  test('reads nothing where the origin is not to be asked', async () => {
    swarm.origin.addBlob(repository, right)
    const liar = await signer(1)
    const { audit, download, bans, reads } = await scene({ signed: [[liar, HELD, [0]]], mayAskOrigin: false })
    audit.hear({ by: 'a', of: liar.peer, pieces: [0], attestation: says(await signer(2), [0]) }, {})
    await audit.idle()
    expect(reads()).toEqual([])
    expect(bans.size).toBe(0)
    expect(download.session.held.count).toBe(HELD.length)
  })

  test('lets the fetch fail when readers have the wrong bytes', async () => {
    swarm.origin.addBlob(repository, right)
    const liar = await signer(1)
    const { audit, download } = await scene({ signed: [[liar, HELD, [0]]], given: [0] })
    const failed = expect(download.done).rejects.toMatchObject({ code: 'CONTENT_WRONG' })
    audit.hear({ by: 'a', of: liar.peer, pieces: [0], attestation: says(await signer(2), [0]) }, {})
    await failed
    await until(() => download.isTrusted(0) ? undefined : true, { what: 'the distrust' })
  })
})
