import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { repositoryKey, type Repository } from '../../src/oci/repository.ts'
import { OriginRuns } from '../../src/pull/origin-runs.ts'
import type { PartialBlob } from '../../src/store/store.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import type { OriginBlobBehaviour } from '../support/memory-origin.ts'
import { Gate } from '../support/gate.ts'
import { bytesOf, makeKit, repository, type Kit } from './kit.ts'

const PIECE = MIN_PIECE_LENGTH
const SIZE = 5 * PIECE + 100
const bytes = bytesOf(SIZE)
const digest = digestOf(bytes)
const other: Repository = { registry: 'registry.test', name: 'team/other' }
let kit: Kit

beforeEach(async () => { kit = await makeKit() })
afterEach(async () => { await kit.close() })

interface Scene {
  readonly runs: OriginRuns
  readonly partial: PartialBlob
  readonly torn: Map<number, number>
  readonly pieces: number[]
  /** `start end rest`, the rest in milliseconds. */
  readonly ends: string[]
  readonly wholes: number[]
  readonly run: (start: number, end: number) => Promise<void>
}

async function scene ({ repositories = [repository], signal = new AbortController().signal, of = digest, size = SIZE, hasOthers = false }: { hasOthers?: boolean, repositories?: readonly Repository[], signal?: AbortSignal, of?: Digest, size?: number } = {}): Promise<Scene> {
  const partial = await kit.store.openPartial(of)
  await partial.setSize(size)
  const torn = new Map<number, number>()
  const [pieces, wholes]: [number[], number[]] = [[], []]
  const ends: string[] = []
  const runs = new OriginRuns({ origin: kit.origin, events: kit.events, now: kit.now }, {
    onPiece: piece => { pieces.push(piece) },
    onAccess: () => {},
    onWhole: async () => { wholes.push(pieces.length) },
    onEnded: (start, end, retryAtMs) => { ends.push(`${start} ${end} ${retryAtMs === 0 ? 0 : retryAtMs - kit.now()}`) },
    onBytes: () => undefined
  }, { digest: of, size, partial, torn, signal, hasOthers: () => hasOthers })
  for (const one of repositories) runs.add(repositoryKey(one), one)
  return {
    runs,
    partial,
    torn,
    pieces,
    ends,
    wholes,
    run: async (start, end) => {
      runs.begin(start, end, Promise.resolve())
      await runs.settled()
    }
  }
}

function add (behaviour: OriginBlobBehaviour = {}, to = repository): void {
  kit.origin.addBlob(to, bytes, behaviour)
}

describe('a run of pieces from the origin', () => {
  it('asks for exactly its bytes and tells of each piece', async () => {
    add()
    const { run, pieces, ends, partial } = await scene()
    await run(1, 3)
    await run(5, 6)
    expect(kit.origin.requests.map(({ start, end }) => [start, end])).toEqual([[PIECE, 3 * PIECE], [5 * PIECE, undefined]])
    expect(pieces).toEqual([1, 2, 5])
    expect(ends).toEqual(['1 3 0', '5 6 0'])
    expect(partial.has({ start: PIECE, end: 3 * PIECE })).toBe(true)
  })

  it('names the end of the whole too, so that the answer tells whether less could be had', async () => {
    add()
    const { run, wholes, partial } = await scene()
    await run(0, 6)
    expect(kit.origin.requests.map(({ start, end }) => [start, end])).toEqual([[0, SIZE]])
    expect(wholes).toEqual([])
    await partial.discard()
    add({ ignoresRange: true })
    const ignored = await scene()
    await ignored.run(0, 6)
    expect([ignored.wholes, ignored.pieces]).toEqual([[0], [0, 1, 2, 3, 4, 5]])
  })

  it.each([
    ['before any of it has come', 0, []],
    ['in the middle', 3, [0]]
  ])('that is shortened %s ends there, as if no more had been asked for', async (_, chunks, before) => {
    const gate = new Gate()
    add({ gate, chunkBytes: PIECE / 2 })
    const { run, runs, pieces, ends, torn } = await scene()
    const running = run(0, 6)
    gate.release(chunks)
    await gate.reached()
    expect(pieces).toEqual(before)
    runs.shorten(4)
    runs.shorten(2)
    runs.shorten(3)
    gate.open()
    await running
    expect([pieces, ends, torn.size, runs.error]).toEqual([[0, 1], ['0 2 0'], 0, undefined])
    await run(2, 4)
    expect(pieces).toEqual([0, 1, 2, 3])
  })

  it('goes on behind what came before it was cut, at once', async () => {
    add({ dieAt: [PIECE + 40_000], chunkBytes: 10_000 })
    const { run, pieces, ends, torn } = await scene()
    await run(0, 3)
    expect([pieces, ends, [...torn]]).toEqual([[0], ['0 3 1'], [[1, 40_000]]])
    await run(1, 3)
    expect(kit.origin.blobStarts(digest)).toEqual([0, PIECE + 40_000])
    expect([pieces, ends.at(-1), torn.size]).toEqual([[0, 1, 2], '1 3 0', 0])
  })

  it('rests twice as long after each failure, up to half a minute, and no longer once it was answered', async () => {
    add({ fails: 'ORIGIN_UNAVAILABLE' })
    const { run, ends } = await scene()
    for (let time = 0; time < 6; time++) await run(0, 1)
    expect(ends.map(words => Number(words.split(' ')[2]))).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    add()
    await run(0, 1)
    add({ fails: 'ORIGIN_UNAVAILABLE' })
    await run(1, 2)
    expect(ends.at(-1)).toBe('1 2 2000')
  })

  it('that is refused by a 429 hands it on where others may read, and asks again when it may, then ever later', async () => {
    add({ fails: 'ORIGIN_RATE_LIMITED', retryAfterMs: 1000 })
    const { run, runs, ends } = await scene({ hasOthers: true })
    const soon: boolean[][] = []
    for (let time = 0; time < 4; time++) {
      await run(0, 1)
      soon.push([0, 999, 1000, 2999].map(afterMs => runs.isBackSoon(kit.now() + afterMs)))
    }
    expect(kit.origin.requests.map(({ failsWhenLimited }) => failsWhenLimited)).toEqual([true, true, true, true])
    expect(ends).toEqual(['0 1 1000', '0 1 2000', '0 1 4000', '0 1 8000'])
    // a rest of four seconds is none that is waited for; that of two is remembered
    expect(soon).toEqual([[true, true, false, false], [true, true, true, false], [true, true, true, false], [true, true, true, false]])
    add()
    await run(0, 1)
    add({ fails: 'ORIGIN_RATE_LIMITED', retryAfterMs: 60_000 })
    await run(1, 2)
    expect(ends.slice(4)).toEqual(['0 1 0', '1 2 60000'])
  })

  it('that is refused by a 429 and has nobody else has waited for it, so it has failed', async () => {
    add({ fails: 'ORIGIN_RATE_LIMITED', retryAfterMs: 1000 })
    const { run, runs, ends } = await scene()
    await run(0, 1)
    await run(0, 1)
    expect([kit.origin.requests.some(({ failsWhenLimited }) => failsWhenLimited), ends, runs.isBackSoon(kit.now())]).toEqual([false, ['0 1 2000', '0 1 4000'], false])
  })

  it('tries each place that the blob may be at, and never again one that does not know it', async () => {
    add({}, other)
    const { run, runs, pieces } = await scene({ repositories: [repository, other] })
    await run(0, 1)
    await run(1, 2)
    expect(kit.origin.requests.map(request => request.repository)).toEqual([repositoryKey(repository), repositoryKey(other), repositoryKey(other)])
    expect([pieces, runs.isUsable, runs.isUnknown]).toEqual([[0, 1], true, false])
  })

  it('leaves no place that knows it', async () => {
    const { run, runs, ends } = await scene()
    await run(0, 1)
    expect([runs.isUsable, runs.isUnknown, ends]).toEqual([false, true, ['0 1 2000']])
    expect(runs.error).toMatchObject({ code: 'ORIGIN_NOT_FOUND' })
  })

  it('takes all of the blob from one that knows no ranges, once others know', async () => {
    add({ ignoresRange: true })
    const { run, pieces, wholes } = await scene()
    await run(2, 3)
    expect(pieces).toEqual([0, 1, 2, 3, 4, 5])
    expect(wholes).toEqual([0])
  })

  it('does not vouch for pieces of which a part was here', async () => {
    add({ ignoresRange: true })
    const { run, pieces, partial } = await scene()
    await partial.write(PIECE, bytes.subarray(PIECE, 2 * PIECE), 'peer:a')
    await run(2, 3)
    expect(pieces).toEqual([0, 2, 3, 4, 5])
  })

  it('of another size is fatal', async () => {
    add()
    const { run, runs } = await scene({ size: SIZE + 1 })
    await run(0, 1)
    expect(runs.fatal).toMatchObject({ code: 'SIZE_DISAGREES', expected: SIZE + 1, actual: SIZE })
  })

  it('ends when it is called off, and does not count that as a failure of the origin', async () => {
    add({ hangs: true })
    const stop = new AbortController()
    const { run, runs } = await scene({ signal: stop.signal })
    const running = run(0, 1)
    expect(runs.count).toBe(1)
    stop.abort(new Error('over'))
    await running
    expect([runs.count, runs.error]).toEqual([0, undefined])
  })
})
