import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { signAttestation } from '../../src/net/swarm-attestation.ts'
import type { SwarmLink } from '../../src/net/swarm-link.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { range } from '../../src/pull/origin-runs.ts'
import type { Puller } from '../../src/pull/puller.ts'
import { MIN_PIECE_LENGTH, pieceCount, pieceSpan } from '../../src/swarm/pieces.ts'
import { Gate } from '../support/gate.ts'
import { meetStranger, type Stranger } from '../support/stranger.ts'
import { receivedBy, SwarmOfAgents, type SwarmAgent } from '../support/swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'
import { bytesOf, NEVER_MS, pullBlob, readAll, repository } from './kit.ts'

const PIECE = MIN_PIECE_LENGTH
const SIZE = 10 * PIECE + 1000
let swarm: SwarmOfAgents

beforeEach(() => { swarm = new SwarmOfAgents() })
afterEach(async () => { await swarm.close() })

/** Pulls a blob whose size is known. */
async function pull (agent: SwarmAgent, digest: Digest, size: number, puller: Puller = agent.puller()): Promise<Uint8Array> {
  await agent.describe(repository, digest, size)
  return pullBlob(puller, digest)
}

/** Links an agent to a peer that answers the first join as a test says, and nothing else. @returns its id */
async function saying (agent: SwarmAgent, answer: (link: SwarmLink) => void): Promise<string> {
  const other = await swarm.add()
  other.links.use({
    onOpen () {},
    onMessage: (link, { type }) => { if (type === 'join') answer(link) },
    onBody () {},
    onClosed () {}
  }, { leech: false })
  await swarm.link(other, agent)
  return other.peer
}

/** Says that it holds whatever it is asked for, and gives and signs other bytes. */
async function addLiar (lie = 'another'): Promise<SwarmAgent> {
  const wrong = bytesOf(SIZE, lie)
  return swarm.add({
    share: () => ({
      open: async () => ({
        size: SIZE,
        restricted: false,
        read: async (buffer, position) => { buffer.set(wrong.subarray(position, position + buffer.length)); return Math.min(buffer.length, SIZE - position) },
        hash: async ({ start, end }) => Buffer.from(digestOf(wrong.subarray(start, end)).slice('sha256:'.length), 'hex'),
        verify: async () => true,
        stream: async function * () {},
        close: async () => {}
      })
    })
  })
}

/** Pieces that it was told of by messages of this type, or by a join. */
function saidBy ({ heard }: Stranger, type: 'take' | 'release'): number[] {
  return [...new Set(heard.flatMap(message => message.type === type ? message.pieces : message.type === 'join' && type === 'take' ? message.taking ?? [] : []))]
}

function expectSame (actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length)
  expect(Buffer.compare(actual, expected)).toBe(0)
}

describe('a swarm fetch', () => {
  test.each([0, 1, PIECE, PIECE + 1, SIZE])('of %i bytes comes whole from one member that holds it', async size => {
    const bytes = bytesOf(size)
    const digest = digestOf(bytes)
    const [seeder, agent] = [await swarm.add(), await swarm.add()]
    await seeder.seed(digest, bytes)
    await swarm.link(seeder, agent)
    expectSame(await pull(agent, digest, size), bytes)
    expect(receivedBy(agent)).toEqual({ peers: size, origin: 0 })
    expect(swarm.origin.blobStarts(digest)).toEqual([])
    await until(async () => await agent.store.stat(digest) !== undefined, { what: 'the commit' })
    expect(await agent.store.stat(digest)).toMatchObject({ size, access: 'public' })
  })

  test('reads the last piece from the origin when the slow member that has sent a part of it says nothing more', async () => {
    const bytes = bytesOf(SIZE)
    const digest = swarm.origin.addBlob(repository, bytes)
    const agent = await swarm.add()
    const stranger = await meetStranger(swarm, agent, bytes)
    const pulled = pull(agent, digest, SIZE)
    await stranger.hears('join')
    stranger.join({ complete: true })
    const spans = range(0, pieceCount(SIZE)).map(piece => pieceSpan(SIZE, piece))
    const hashes = spans.map(({ start, end }, piece) => ({ piece, sha256: createHash('sha256').update(bytes.subarray(start, end)).digest() }))
    stranger.say({ type: 'attest', channel: 1, attestation: signAttestation(stranger.agent.key, { digest, size: SIZE, hashes }).bytes })
    const sent = new Set<number>()
    const nextAsked = async (): Promise<number> => until(() => stranger.heard.flatMap(heard => heard.type === 'request' ? heard.pieces : []).find(piece => !sent.has(piece)), { what: 'another request' })
    while (sent.size < spans.length - 1) {
      const piece = await nextAsked()
      sent.add(piece)
      // who is slow is waited for longer than an owner that says nothing
      await delay(250)
      await stranger.send(piece)
    }
    const last = await nextAsked()
    const { start, end } = pieceSpan(SIZE, last)
    await stranger.link.sendPiece({ type: 'piece', channel: 1, piece: last, offset: 0, length: 500, queue: 0 }, bytes.subarray(start, start + 500))
    expectSame(await pulled, bytes)
    expect(receivedBy(agent).origin).toBe(end - start)
    expect((await stranger.hears('cancel')).pieces).toEqual([last])
  })

  test('shares the requests that the origin may get with all others, so that each comes to its end', async () => {
    const agent = await swarm.add()
    const puller = agent.puller({ originConcurrency: 2 })
    const gate = new Gate()
    const blobs = [SIZE, 30 * PIECE, 1, SIZE, 2 * PIECE, 30 * PIECE].map((size, index) => bytesOf(size, `blob ${index}`))
    const digests = blobs.map(bytes => swarm.origin.addBlob(repository, bytes, { gate }))
    const ofUnknownSize = bytesOf(SIZE, 'unknown')
    const linear = pullBlob(puller, swarm.origin.addBlob(repository, ofUnknownSize, { gate }))
    const pulling = Promise.all(digests.map(async (digest, index) => pull(agent, digest, blobs[index]?.length ?? 0, puller)))
    await until(() => swarm.origin.mostBodies === 2, { what: 'two at a time' })
    gate.open()
    const pulled = await pulling
    for (const [index, bytes] of blobs.entries()) expectSame(pulled[index] ?? new Uint8Array(), bytes)
    expectSame(await linear, ofUnknownSize)
    expect(swarm.origin.mostBodies).toBe(2)
  })

  test('waits for its place at the origin however long that takes, and leaves it when nobody wants it any more', async () => {
    const gate = new Gate()
    const first = bytesOf(SIZE, 'first')
    const agent = await swarm.add({ stallMs: 100 })
    const puller = agent.puller({ originConcurrency: 1, searchMs: 1 })
    const [one, two, three] = [swarm.origin.addBlob(repository, first, { gate }), swarm.origin.addBlob(repository, bytesOf(SIZE)), swarm.origin.addBlob(repository, bytesOf(1))]
    const firstPull = pull(agent, one, SIZE, puller)
    await gate.reached()
    const left = new AbortController()
    await agent.describe(repository, three, 1)
    const given = expect(puller.blobs.open(repository, three, { signal: left.signal })).rejects.toThrow()
    const secondPull = pull(agent, two, SIZE, puller)
    await until(() => puller.blobs.status().length === 3, { what: 'three fetches' })
    left.abort()
    await given
    await until(() => puller.blobs.status().length === 2, { what: 'the end of one' })
    await until(() => puller.blobs.status().every(({ startedAt }) => Date.now() - startedAt > 400), { what: 'more than a download without help may take' })
    expect(swarm.origin.blobStarts(two)).toEqual([])
    gate.open()
    expectSame(await firstPull, first)
    expectSame(await secondPull, bytesOf(SIZE))
  })

  test.each<[string, { isLinked: boolean }, number[][]]>([
    ['one read by who is linked to nobody', { isLinked: false }, [[0, 40]]],
    ['few reads, each longer than the one before, by who has a neighbour that might want a part', { isLinked: true }, [[0, 1], [1, 3], [3, 7], [7, 15], [15, 31], [31, 40]]]
  ])('comes from the origin alone in %s', async (_, { isLinked }, expected) => {
    const bytes = bytesOf(40 * PIECE)
    const digest = swarm.origin.addBlob(repository, bytes)
    const agent = await swarm.add()
    if (isLinked) await swarm.link(await swarm.add(), agent)
    expectSame(await pull(agent, digest, bytes.length), bytes)
    const reads = swarm.origin.requests.filter(({ type }) => type === 'blob').map(({ start = 0, end = bytes.length }) => [start / PIECE, end / PIECE])
    expect(reads).toEqual(expected)
  })

  test('shares with who comes later what one read of who was alone has not come to', async () => {
    const bytes = bytesOf(40 * PIECE)
    const gate = new Gate()
    const digest = swarm.origin.addBlob(repository, bytes, { gate, chunkBytes: PIECE })
    const [first, later] = [await swarm.add(), await swarm.add()]
    const pulls = [pull(first, digest, bytes.length)]
    gate.release(2)
    await gate.reached()
    await swarm.link(first, later)
    pulls.push(pull(later, digest, bytes.length))
    await until(() => gate.waiting === 2, { what: 'a read by the other' })
    gate.open()
    for (const pulled of await Promise.all(pulls)) expectSame(pulled, bytes)
    expect(receivedBy(later).origin).toBeGreaterThan(0)
    expect(receivedBy(first).origin + receivedBy(later).origin).toBe(bytes.length)
  })

  test('takes all from an origin that knows no ranges, in one read', async () => {
    const bytes = bytesOf(SIZE)
    const digest = swarm.origin.addBlob(repository, bytes, { ignoresRange: true })
    const agent = await swarm.add()
    expectSame(await pull(agent, digest, SIZE), bytes)
    expect(swarm.origin.requests.filter(({ type }) => type === 'blob').length).toBeLessThanOrEqual(2)
  })

  test('is right although the manifest was wrong about the size', async () => {
    const bytes = bytesOf(SIZE)
    const digest = swarm.origin.addBlob(repository, bytes)
    const agent = await swarm.add()
    expectSame(await pull(agent, digest, SIZE + 5), bytes)
  })

  test.each(['holder', 'leecher'] as const)('is not slowed down by a %s that names another size, and bans it if it should know', async liarIs => {
    const bytes = bytesOf(SIZE)
    const digest = digestOf(bytes)
    const [seeder, agent] = [await swarm.add(), await swarm.add({ originPolicy: 'never' })]
    await seeder.seed(digest, bytes)
    const liar = await saying(agent, link => {
      link.send({ type: 'join', channel: 1, kind: 'blob', digest, size: SIZE + 1, restricted: false, complete: liarIs === 'holder', leech: false, readsOrigin: false })
    })
    await swarm.link(seeder, agent)
    expectSame(await pull(agent, digest, SIZE), bytes)
    expect(agent.log.filter(({ type }) => type === 'fetch:failed')).toEqual([])
    expect(agent.log.filter(event => event.type === 'fetch:source')).toEqual([])
    expect(agent.score.bans(Date.now()).map(({ peer }) => peer)).toEqual(liarIs === 'holder' ? [liar] : [])
  })

  test('doubts the manifest when nobody has it in the size that it tells', async () => {
    const digest = digestOf(bytesOf(SIZE))
    const agent = await swarm.add({ originPolicy: 'never' })
    await saying(agent, link => {
      link.send({ type: 'join', channel: 1, kind: 'blob', digest, size: SIZE + 1, restricted: false, complete: true, leech: false, readsOrigin: false })
    })
    await expect(pull(agent, digest, SIZE)).rejects.toMatchObject({ code: 'CONTENT_UNAVAILABLE' })
    expect(agent.log.flatMap(event => event.type === 'fetch:failed' ? [event.code] : [])).toEqual(['SIZE_DISAGREES', 'CONTENT_UNAVAILABLE'])
    expect(agent.score.bans(Date.now())).toEqual([])
  })

  test('goes on behind the place where the origin broke off', async () => {
    const bytes = bytesOf(SIZE)
    const digest = swarm.origin.addBlob(repository, bytes, { dieAt: [50_000, 300_000, 500_000] })
    const agent = await swarm.add()
    expectSame(await pull(agent, digest, SIZE), bytes)
    expect(receivedBy(agent).origin).toBe(SIZE)
  })

  test('leaves what the origin refuses for a moment to others, and goes on itself when it may', async () => {
    const bytes = bytesOf(SIZE)
    const digest = swarm.origin.addBlob(repository, bytes, { fails: 'ORIGIN_RATE_LIMITED', retryAfterMs: 1000 })
    const agent = await swarm.add()
    const stranger = await meetStranger(swarm, agent, bytes)
    const pulled = pull(agent, digest, SIZE)
    await stranger.hears('join')
    stranger.join()
    const refused = (await stranger.hears('release')).pieces
    expect(saidBy(stranger, 'take')).toEqual(refused)
    swarm.origin.addBlob(repository, bytes)
    // nobody has any of it, and still it is not given up
    expectSame(await pulled, bytes)
    expect(swarm.origin.requests[0]).toMatchObject({ failsWhenLimited: true })
    expect(agent.log.filter(({ type }) => type === 'fetch:failed')).toEqual([])
  })

  test('fails soon when nobody has it, and says so', async () => {
    const bytes = bytesOf(SIZE)
    const digest = digestOf(bytes)
    const [other, agent] = [await swarm.add(), await swarm.add()]
    await swarm.link(other, agent)
    const startedAt = performance.now()
    await expect(pull(agent, digest, SIZE)).rejects.toMatchObject({ code: 'CONTENT_UNAVAILABLE', isUnknown: true })
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    await until(() => agent.log.some(({ type }) => type === 'fetch:failed'), { what: 'the failure' })
  })

  test('never asks the origin for blobs where it may not', async () => {
    const bytes = bytesOf(SIZE)
    const digest = swarm.origin.addBlob(repository, bytes)
    const agent = await swarm.add({ originPolicy: 'never' })
    await expect(pull(agent, digest, SIZE)).rejects.toMatchObject({ code: 'CONTENT_UNAVAILABLE' })
    expect(swarm.origin.blobStarts(digest)).toEqual([])
  })

  test('bans a member that sends other bytes than it signed, and takes the piece from elsewhere', async () => {
    const bytes = bytesOf(SIZE)
    const digest = swarm.origin.addBlob(repository, bytes)
    const liar = await swarm.add({
      share: share => ({
        open: async (kind, wanted) => {
          const reader = await share.open(kind, wanted)
          return reader === undefined ? undefined : { ...reader, read: async (buffer, position) => reader.read(buffer, position).then(read => { buffer[0] = (buffer[0] ?? 0) ^ 1; return read }) }
        }
      })
    })
    const agent = await swarm.add()
    await liar.seed(digest, bytes)
    await swarm.link(liar, agent)
    expectSame(await pull(agent, digest, SIZE), bytes)
    expect(agent.score.bans(Date.now()).map(({ peer }) => peer)).toEqual([liar.peer])
    expect(agent.links.of(liar.peer)).toBeUndefined()
    expect(agent.log.some(event => event.type === 'peer:banned' && event.peer === liar.peer)).toBe(true)
  })

  test('finds who signed wrong pieces when the whole does not match, and is right in the end', async () => {
    const bytes = bytesOf(SIZE)
    const digest = swarm.origin.addBlob(repository, bytes)
    const [liar, agent] = [await addLiar(), await swarm.add()]
    await swarm.link(liar, agent)
    expectSame(await pull(agent, digest, SIZE), bytes)
    expect(agent.score.bans(Date.now()).map(({ peer }) => peer)).toEqual([liar.peer])
  })

  test('finds a dozen who have signed wrong pieces, in no more than eight wrong wholes', async () => {
    const bytes = bytesOf(SIZE)
    const digest = swarm.origin.addBlob(repository, bytes)
    const agent = await swarm.add({ originPolicy: 'frugal' })
    for (let index = 0; index < 12; index++) await swarm.link(await addLiar(`lie ${index}`), agent)
    expectSame(await pull(agent, digest, SIZE), bytes)
    expect(agent.log.filter(({ type }) => type === 'fetch:mismatch').length).toBeLessThanOrEqual(8)
    expect(agent.log.filter(({ type }) => type === 'fetch:failed')).toEqual([])
    expect(agent.score.bans(Date.now()).length).toBeGreaterThanOrEqual(7)
  })

  test('asks a member whose word counts no more for no piece twice', async () => {
    const bytes = bytesOf(SIZE)
    const digest = swarm.origin.addBlob(repository, bytes)
    const gate = new Gate()
    const [member, agent] = [await swarm.add({ pace: { pass: async () => gate.pass() } }), await swarm.add({ originPolicy: 'frugal' })]
    await member.seed(digest, bytes)
    await swarm.link(member, agent)
    const pulled = pull(agent, digest, SIZE)
    await gate.reached()
    agent.exchange.disbelieve(member.peer)
    gate.open()
    expectSame(await pulled, bytes)
    expect(receivedBy(agent)).toEqual({ peers: 0, origin: SIZE })
  })

  test('is helped by the same member again after it was given up', async () => {
    const bytes = bytesOf(SIZE)
    const digest = digestOf(bytes)
    const gate = new Gate()
    const seeder = await swarm.add({ pace: { pass: async () => gate.pass() } })
    const agent = await swarm.add({ originPolicy: 'never' })
    await seeder.seed(digest, bytes)
    await swarm.link(seeder, agent)
    await agent.describe(repository, digest, SIZE)
    const puller = agent.puller()
    const stop = new AbortController()
    const opening = expect(puller.blobs.open(repository, digest, { signal: stop.signal })).rejects.toThrow()
    await gate.reached()
    stop.abort()
    await opening
    await until(() => puller.blobs.status().length === 0, { what: 'the end of the first' })
    gate.open()
    expectSame(await pull(agent, digest, SIZE, puller), bytes)
  })

  test('goes on when the link breaks in the middle of a piece and comes back', async () => {
    const bytes = bytesOf(SIZE)
    const digest = digestOf(bytes)
    const gate = new Gate()
    const [seeder, slow] = [await swarm.add(), await swarm.add({ pace: { pass: async () => gate.pass() } })]
    const agent = await swarm.add({ originPolicy: 'never' })
    for (const one of [seeder, slow]) await one.seed(digest, bytes)
    await swarm.linkAll(seeder, slow, agent)
    agent.links.transports.get(seeder.peer)?.cutAfter(PIECE / 2)
    const pulling = pull(agent, digest, SIZE)
    await until(() => agent.links.of(seeder.peer) === undefined, { what: 'the cut' })
    await swarm.link(agent, seeder)
    const again = agent.links.of(seeder.peer)
    await until(() => receivedBy(agent).peers >= 5 * PIECE, { what: 'pieces by the new link' })
    gate.open()
    expectSame(await pulling, bytes)
    expect(again?.isOpen).toBe(true)
  })

  test('takes nothing that a member left behind for what the origin sends', async () => {
    const bytes = bytesOf(SIZE)
    const digest = swarm.origin.addBlob(repository, bytes)
    const wrong = bytesOf(SIZE, 'another')
    const agent = await swarm.add()
    const liar = await swarm.add({
      share: share => ({
        open: async (kind, wanted) => {
          const reader = await share.open(kind, wanted)
          return reader === undefined ? undefined : { ...reader, read: async (buffer, position) => { buffer.set(wrong.subarray(position, position + buffer.length)); return buffer.length } }
        }
      })
    })
    await liar.seed(digest, bytes)
    await swarm.link(liar, agent)
    agent.links.transports.get(liar.peer)?.cutAfter(PIECE * 3 / 4)
    expectSame(await pull(agent, digest, SIZE), bytes)
    expect(agent.log.filter(({ type }) => type === 'fetch:mismatch' || type === 'fetch:failed')).toEqual([])
    expect(receivedBy(agent)).toEqual({ peers: 0, origin: SIZE })
  })

  test('leaves an origin that knows no ranges to one member where several that meet have begun to read all of it', async () => {
    const bytes = bytesOf(SIZE)
    const gate = new Gate()
    const digest = swarm.origin.addBlob(repository, bytes, { ignoresRange: true, chunkBytes: 10_000, gate })
    const agents = [await swarm.add(), await swarm.add(), await swarm.add()]
    const pulls = agents.map(async agent => pull(agent, digest, SIZE))
    await until(() => gate.waiting === agents.length, { what: 'all have begun' })
    await swarm.linkAll(...agents)
    await until(() => gate.waiting === 1, { what: 'all but one have stopped' })
    gate.open()
    for (const pulled of await Promise.all(pulls)) expectSame(pulled, bytes)
    expect(agents.map(agent => receivedBy(agent).origin).sort((a, b) => a - b)).toEqual([0, 0, SIZE])
  })

  test('tells of all pieces of 17 GiB that come from an origin that knows no ranges, and gives its place there back', async () => {
    const size = 17 * 2 ** 30
    const gate = new Gate()
    const digest = swarm.origin.addBlob(repository, bytesOf(SIZE), { ignoresRange: true, gate, size })
    const agent = await swarm.add()
    const early = await meetStranger(swarm, agent, bytesOf(SIZE))
    const puller = agent.puller({ originConcurrency: 1 })
    await agent.describe(repository, digest, size)
    const pulling = expect(pullBlob(puller, digest)).rejects.toMatchObject({ code: 'SIZE_DISAGREES' })
    await gate.reached()
    early.join({ size })
    await until(() => saidBy(early, 'take').length === pieceCount(size), { what: 'all pieces' })
    const late = await meetStranger(swarm, agent, bytesOf(SIZE))
    late.join({ size })
    await until(() => saidBy(late, 'take').length === pieceCount(size), { what: 'all pieces, to who comes late' })

    gate.open()
    await pulling
    await until(() => saidBy(late, 'release').length === pieceCount(size), { what: 'that it reads them no longer' })
    const other = swarm.origin.addBlob(repository, bytesOf(PIECE))
    expectSame(await pull(agent, other, PIECE, puller), bytesOf(PIECE))
  })

  test('takes from members and from an origin that knows no ranges at the same time', async () => {
    const bytes = bytesOf(SIZE)
    const digest = swarm.origin.addBlob(repository, bytes, { ignoresRange: true, chunkBytes: 30_000 })
    const [seeder, agent] = [await swarm.add(), await swarm.add({ originPolicy: 'fast' })]
    await seeder.seed(digest, bytes)
    await swarm.link(seeder, agent)
    expectSame(await pull(agent, digest, SIZE), bytes)
    expect(agent.log.filter(({ type }) => type === 'fetch:mismatch' || type === 'fetch:failed')).toEqual([])
    expect(seeder.links.of(agent.peer)?.isOpen).toBe(true)
  })

  test.each(['before', 'after'] as const)('takes from an origin that knows no ranges although a member joins %s it began', async when => {
    const bytes = bytesOf(SIZE)
    const gate = new Gate()
    const digest = swarm.origin.addBlob(repository, bytes, { ignoresRange: true, chunkBytes: 30_000, gate })
    const pace = new Gate()
    const [seeder, agent] = [await swarm.add({ pace: { pass: async () => pace.pass() } }), await swarm.add({ originPolicy: 'fast' })]
    await seeder.seed(digest, bytes)
    if (when === 'before') await swarm.link(seeder, agent)
    const pulling = pull(agent, digest, SIZE)
    await gate.reached()
    gate.release(7)
    if (when === 'after') await swarm.link(seeder, agent)
    if (when === 'before') await pace.reached()
    pace.release(3)
    gate.release(30)
    pace.open()
    gate.open()
    expectSame(await pulling, bytes)
    expect(agent.log.filter(({ type }) => type === 'fetch:mismatch' || type === 'fetch:failed')).toEqual([])
    expect(seeder.links.of(agent.peer)?.isOpen).toBe(true)
  })

  test.each(['memory', 'disk'] as const)('goes on with the pieces it had when it was given up, in the middle of one, in %s', async store => {
    const bytes = bytesOf(SIZE)
    const gate = new Gate()
    const digest = swarm.origin.addBlob(repository, bytes, { gate, chunkBytes: 30_001 })
    let agent = await swarm.add({ store })
    const puller = agent.puller()
    const opening = expect(pull(agent, digest, SIZE, puller)).rejects.toMatchObject({ code: 'FETCH_ABANDONED' })
    gate.release(15)
    await until(() => puller.blobs.status()[0]?.received === 3 * PIECE, { what: 'three pieces' })
    await gate.reached()
    if (store === 'disk') agent = await agent.reopen()
    else await agent.stopPullers()
    await opening
    swarm.origin.addBlob(repository, bytes, { chunkBytes: 17_003 })
    expectSame(await pull(agent, digest, SIZE), bytes)
    expect(agent.log.findLast(event => event.type === 'fetch:started')).toMatchObject({ resumedAt: 3 * PIECE })
  })

  test('gives members the pieces it had before a restart, though no byte comes from the origin any more', async () => {
    const bytes = bytesOf(SIZE)
    const gate = new Gate()
    const digest = swarm.origin.addBlob(repository, bytes, { gate, chunkBytes: PIECE })
    let agent = await swarm.add({ store: 'disk' })
    const puller = agent.puller()
    const opening = expect(pull(agent, digest, SIZE, puller)).rejects.toMatchObject({ code: 'FETCH_ABANDONED' })
    gate.release(3)
    await until(() => puller.blobs.status()[0]?.received === 3 * PIECE, { what: 'three pieces' })
    agent = await agent.reopen()
    await opening
    const other = await swarm.add({ originPolicy: 'never' })
    await swarm.link(agent, other)
    swarm.origin.addBlob(repository, bytes, { hangs: true })
    pull(agent, digest, SIZE).catch(() => {})
    await until(() => agent.log.some(({ type }) => type === 'fetch:started'), { what: 'it goes on' })
    pull(other, digest, SIZE, other.puller({ searchMs: 10_000 })).catch(() => {})
    await until(() => receivedBy(other).peers >= 3 * PIECE, { what: 'the pieces kept' })
    expect(receivedBy(agent)).toEqual({ peers: 0, origin: 0 })
  })

  test.each([
    ['public', {}, true],
    ['restricted', { isKeyed: true, sharePrivate: true }, true],
    ['restricted', { isKeyed: true }, false]
  ] as const)('without an origin gives members what it had of %s content before a restart only if they may have it: with %o %s', async (access, policy, isGiven) => {
    const bytes = bytesOf(SIZE)
    const digest = digestOf(bytes)
    const gate = new Gate()
    const seeder = await swarm.add({ isKeyed: true, sharePrivate: true, pace: { pass: async () => gate.pass() } })
    let agent = await swarm.add({ ...policy, store: 'disk', originPolicy: 'never' })
    await seeder.seed(digest, bytes, access)
    await swarm.link(seeder, agent)
    const first = expect(pull(agent, digest, SIZE)).rejects.toMatchObject({ code: 'FETCH_ABANDONED' })
    gate.release(4)
    await until(() => receivedBy(agent).peers >= 3 * PIECE, { what: 'some pieces' })
    agent = await agent.reopen()
    await first

    const other = await swarm.add({ isKeyed: true, sharePrivate: true, originPolicy: 'never' })
    await swarm.link(agent, other)
    // somebody takes part, so that it is not given up
    await saying(agent, link => {
      link.send({ type: 'join', channel: 1, kind: 'blob', digest, size: SIZE, restricted: false, complete: false, leech: false, readsOrigin: false })
    })
    pull(agent, digest, SIZE, agent.puller({ searchMs: NEVER_MS })).catch(() => {})
    await until(() => agent.log.some(({ type }) => type === 'fetch:started'), { what: 'it goes on' })
    const pulled = pull(other, digest, SIZE, other.puller({ searchMs: isGiven ? NEVER_MS : 500 }))
    pulled.catch(() => {})
    if (isGiven) await until(() => receivedBy(other).peers >= 3 * PIECE, { what: 'the pieces kept' })
    else await expect(pulled).rejects.toMatchObject({ code: 'CONTENT_UNAVAILABLE' })
    const partial = (await other.stopPullers(), await other.store.openPartial(digest))
    expect(partial.spans.length > 0 ? partial.access : undefined).toBe(isGiven ? access : undefined)
    await partial.close()
  })
})

describe('what readers get of a swarm fetch', () => {
  test.each([true, false])('before the whole is verified: pieces of trusted signers only, never the last (trusted: %s)', async isTrusted => {
    const bytes = bytesOf(SIZE)
    const digest = digestOf(bytes)
    const gate = new Gate()
    const seeder = await swarm.add({ pace: { pass: async () => gate.pass() } })
    const agent = await swarm.add({ trust: isTrusted ? [seeder.peer] : [], originPolicy: 'never' })
    await seeder.seed(digest, bytes)
    await swarm.link(seeder, agent)
    await agent.describe(repository, digest, SIZE)
    let isRight = false
    agent.events.subscribe(({ type }) => { if (type === 'blob:committed') isRight = true })
    const opening = agent.puller().blobs.open(repository, digest)
    let early = 0
    gate.release(10)
    await until(() => receivedBy(agent).peers >= 9 * PIECE, { what: 'nearly all' })
    let hasOpened = false
    opening.then(() => { hasOpened = true }, () => {})
    if (isTrusted) {
      const blob = await opening
      early = await blob.read(new Uint8Array(SIZE), 0)
      expect(early).toBeGreaterThan(0)
      expect(isRight).toBe(false)
    } else {
      await new Promise(resolve => { setTimeout(resolve, 30) })
      expect(hasOpened).toBe(false)
    }
    gate.open()
    const blob = await opening
    expectSame(await readAll(blob), bytes)
    await blob.close()
  })

  test('pieces of an untrusted signer stay withheld after a restart', async () => {
    const bytes = bytesOf(SIZE)
    const digest = digestOf(bytes)
    const gate = new Gate()
    const seeder = await swarm.add({ pace: { pass: async () => gate.pass() } })
    let agent = await swarm.add({ store: 'disk', originPolicy: 'never' })
    await seeder.seed(digest, bytes)
    await swarm.link(seeder, agent)
    await agent.describe(repository, digest, SIZE)
    const first = agent.puller().blobs.open(repository, digest)
    const ended = expect(first).rejects.toThrow()
    gate.release(9)
    await until(() => receivedBy(agent).peers >= 8 * PIECE, { what: 'many pieces' })
    const before = agent
    agent = await agent.reopen()
    await ended
    await swarm.link(agent, seeder)
    const puller = agent.puller({ searchMs: 2_000 })
    await agent.describe(repository, digest, SIZE)
    const resumed = receivedBy(before).peers
    let hadAll = false
    const opening = puller.blobs.open(repository, digest)
    opening.then(() => { hadAll = resumed + receivedBy(agent).peers === SIZE }, () => {})
    await until(() => agent.log.some(({ type }) => type === 'fetch:started'), { what: 'the start' })
    expect(agent.log.find(({ type }) => type === 'fetch:started')).toMatchObject({ resumedAt: resumed })
    // two uploads that the restart called off wait there too
    gate.release(3)
    await until(() => receivedBy(agent).peers > 0, { what: 'another piece' })
    gate.open()
    const blob = await opening
    expect(hadAll).toBe(true)
    expectSame(await readAll(blob), bytes)
    await blob.close()
  })
})
