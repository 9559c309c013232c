import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import type { ByteSpan, PartialBlob, SpanSource } from '../../src/store/store.ts'
import { seededBytes } from '../support/image.ts'
import { PartialModel } from './partial-model.ts'
import { publicBlob, type StoreUnderTest } from './store-contract.ts'

const KIB = 1024
const PIECE = 128 * KIB

/** What the partial blobs of every store do with bytes that come in any order. */
export function describeGaps (subject: () => StoreUnderTest): void {
  const bytes = seededBytes(20 * PIECE + 1000, 'gaps')
  const digest = digestOf(bytes)

  function pieceAt (index: number): ByteSpan {
    return { start: index * PIECE, end: Math.min((index + 1) * PIECE, bytes.length) }
  }

  async function put (partial: PartialBlob, { start, end }: ByteSpan, source: SpanSource = 'peer:a'): Promise<void> {
    for (let position = start; position < end; position += 50_000) await partial.write(position, bytes.subarray(position, Math.min(position + 50_000, end)), source)
  }

  /** As a swarm does with a piece. */
  async function putChecked (partial: PartialBlob, span: ByteSpan, note?: string): Promise<void> {
    await put(partial, span)
    const hex = await partial.hash(span)
    expect(hex).toBe(sha256(bytes.subarray(span.start, span.end)))
    partial.confirm(span, hex, note)
  }

  async function readAt (partial: PartialBlob, { start, end }: ByteSpan): Promise<Buffer> {
    const buffer = Buffer.alloc(end - start)
    let filled = 0
    for (let bytesRead = 1; bytesRead > 0 && filled < buffer.length; filled += bytesRead) bytesRead = await partial.read(buffer.subarray(filled), start + filled)
    return buffer.subarray(0, filled)
  }

  it('becomes a blob of pieces that come in any order, many at a time', async () => {
    const partial = await subject().store.openPartial(digest)
    await partial.setSize(bytes.length)
    const pieces = Array.from({ length: 21 }, (_, index) => pieceAt(index * 8 % 21))
    await Promise.all(pieces.map(async piece => putChecked(partial, piece)))
    expect([partial.edge, partial.spans]).toEqual([bytes.length, [{ start: 0, end: bytes.length, source: 'peer:a' }]])
    await partial.verify()
    await partial.commit(publicBlob)
    await partial.close()
    const reader = (await subject().store.open(digest))!
    expect(Buffer.from(await reader.bytes()).equals(bytes)).toBe(true)
    await reader.close()
  })

  it('can be read wherever bytes are, and nowhere else', async () => {
    const partial = await subject().store.openPartial(digest)
    await put(partial, { start: 300_000, end: 600_000 })
    await put(partial, { start: 700_000, end: 800_000 })
    await partial.flush()
    expect(partial.edge).toBe(0)
    expect(await readAt(partial, { start: 0, end: 300_001 })).toHaveLength(0)
    expect((await readAt(partial, { start: 300_000, end: 700_000 })).equals(bytes.subarray(300_000, 600_000))).toBe(true)
    expect((await readAt(partial, { start: 599_999, end: 650_000 })).equals(bytes.subarray(599_999, 600_000))).toBe(true)
    expect(await readAt(partial, { start: 650_000, end: 800_000 })).toHaveLength(0)
    expect([[300_000, 600_000], [350_000, 350_000], [299_999, 300_001], [600_000, 600_001], [500_000, 750_000]].map(([start, end]) => partial.has({ start: start!, end: end! })))
      .toEqual([true, true, false, false, false])
    await partial.discard()
  })

  it('tells of bytes that have become readable, and of its edge when a gap is filled', async () => {
    const partial = await subject().store.openPartial(digest)
    const told: string[] = []
    partial.onReadable = (start, end) => {
      expect(partial.has({ start, end })).toBe(true)
      told.push(`${start}-${end}`)
    }
    partial.onEdge = edge => { told.push(`edge ${edge}`) }
    await partial.write(100_000, bytes.subarray(100_000, 200_000), 'origin')
    await partial.flush()
    await partial.write(0, bytes.subarray(0, 100_000), 'origin')
    await partial.flush()
    expect(told).toEqual(['100000-200000', '0-100000', 'edge 200000'])
    await partial.discard()
  })

  it('appends at the first byte that is missing, up to those that are here', async () => {
    const partial = await subject().store.openPartial(digest)
    await put(partial, { start: 200_000, end: 300_000 })
    await partial.append(bytes.subarray(0, 150_000), 'origin')
    await expect(partial.append(bytes.subarray(150_000, 200_001), 'origin')).rejects.toThrow(RangeError)
    await partial.append(bytes.subarray(150_000, 200_000), 'origin')
    await partial.append(bytes.subarray(300_000, 400_000), 'origin')
    await partial.flush()
    expect(partial.spans).toEqual([{ start: 0, end: 200_000, source: 'origin' }, { start: 200_000, end: 300_000, source: 'peer:a' }, { start: 300_000, end: 400_000, source: 'origin' }])
    expect((await readAt(partial, { start: 0, end: 500_000 })).equals(bytes.subarray(0, 400_000))).toBe(true)
    await partial.discard()
  })

  it('takes no byte twice, none past its size, and none at all once it is closed', async () => {
    const partial = await subject().store.openPartial(digest)
    await partial.setSize(1000)
    await partial.write(500, bytes.subarray(500, 600), 'origin')
    for (const position of [450, 500, 599]) await expect(partial.write(position, bytes.subarray(0, 60), 'origin')).rejects.toThrow(RangeError)
    expect(() => partial.tryWrite(599, bytes.subarray(0, 1), 'origin')).toThrow(RangeError)
    await expect(partial.write(950, bytes.subarray(0, 51), 'origin')).rejects.toMatchObject({ code: 'PARTIAL_SIZE', expected: 1000, actual: 1001 })
    expect(() => partial.tryWrite(950, bytes.subarray(0, 51), 'origin')).toThrow(expect.objectContaining({ code: 'PARTIAL_SIZE' }))
    await partial.write(550, new Uint8Array(0), 'origin')
    expect(partial.tryWrite(600, bytes.subarray(600, 1000), 'origin')).toBe(true)
    await partial.flush()
    expect(partial.spans).toEqual([{ start: 500, end: 1000, source: 'origin' }])
    await expect(partial.verify()).rejects.toMatchObject({ code: 'PARTIAL_SIZE', expected: 1000, actual: 0 })
    await partial.discard()
    await expect(partial.write(0, bytes.subarray(0, 1), 'origin')).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    expect(() => partial.tryWrite(0, bytes.subarray(0, 1), 'origin')).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }))
    expect(() => { partial.confirm({ start: 500, end: 1000 }, sha256(bytes)) }).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }))
    await expect(partial.hash({ start: 500, end: 600 })).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  })

  it('copies a chunk before its write resolves', async () => {
    const partial = await subject().store.openPartial(digest)
    const chunk = Buffer.alloc(10_000)
    for (let position = 0; position < 1_000_000; position += chunk.length) {
      chunk.set(bytes.subarray(position, position + chunk.length))
      await partial.write(500_000 + position, chunk, 'origin')
      chunk.fill(0)
    }
    await partial.flush()
    expect((await readAt(partial, { start: 500_000, end: 1_500_000 })).equals(bytes.subarray(0, 1_000_000))).toBe(true)
    await partial.discard()
  })

  it('makes bytes readable by hashing them, and hashes only what is here', async () => {
    const partial = await subject().store.openPartial(digest)
    await put(partial, { start: 100_000, end: 300_000 })
    expect(await partial.hash({ start: 100_000, end: 300_000 })).toBe(sha256(bytes.subarray(100_000, 300_000)))
    expect(partial.has({ start: 100_000, end: 300_000 })).toBe(true)
    expect(await partial.hash({ start: 150_000, end: 150_001 })).toBe(sha256(bytes.subarray(150_000, 150_001)))
    for (const [start, end] of [[99_999, 200_000], [200_000, 300_001], [-1, 5], [5, 4]]) await expect(partial.hash({ start: start!, end: end! })).rejects.toThrow(RangeError)
    await expect(partial.hash({ start: 100_000, end: 300_000 }, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    await partial.discard()
  })

  it('finds confirmed spans again, and of the others those without a gap from 0', async () => {
    const left = await subject().store.openPartial(digest)
    await left.setSize(bytes.length)
    await put(left, pieceAt(0), 'origin')
    await putChecked(left, pieceAt(3), 'said by ä')
    await put(left, pieceAt(5))
    await put(left, { start: 7 * PIECE, end: 7.5 * PIECE }, 'peer:b')
    await put(left, { start: 7.5 * PIECE, end: 8 * PIECE }, 'origin')
    left.confirm(pieceAt(7), await left.hash(pieceAt(7)))
    await left.close()
    await subject().reopen()
    expect(await subject().store.usage()).toMatchObject({ partials: 1 })
    const found = await subject().store.openPartial(digest)
    expect(found.spans).toEqual([
      { ...pieceAt(0), source: 'origin' },
      { ...pieceAt(3), source: 'peer:a' },
      { start: 7 * PIECE, end: 7.5 * PIECE, source: 'peer:b' }, { start: 7.5 * PIECE, end: 8 * PIECE, source: 'origin' }
    ])
    expect(found.confirmed).toEqual([{ ...pieceAt(3), sha256: sha256(bytes.subarray(3 * PIECE, 4 * PIECE)), note: 'said by ä' }, { ...pieceAt(7), sha256: sha256(bytes.subarray(7 * PIECE, 8 * PIECE)) }])
    for (let index = 0; index <= 20; index++) {
      if (!found.has(pieceAt(index))) await putChecked(found, pieceAt(index))
    }
    await found.verify()
    await found.commit(publicBlob)
    await found.close()
  })

  it('is found again with nothing but a confirmed span', async () => {
    const left = await subject().store.openPartial(digest)
    await putChecked(left, pieceAt(20))
    await left.close()
    await subject().reopen()
    const found = await subject().store.openPartial(digest)
    expect([found.edge, found.spans, found.confirmed.length]).toEqual([0, [{ ...pieceAt(20), source: 'peer:a' }], 1])
    expect((await readAt(found, pieceAt(20))).equals(bytes.subarray(20 * PIECE))).toBe(true)
    await found.discard()
    expect(await subject().store.usage()).toMatchObject({ partials: 0, partialBytes: 0 })
  })

  it('counts no room for gaps', async () => {
    const partial = await subject().store.openPartial(digest)
    await putChecked(partial, pieceAt(2))
    await putChecked(partial, pieceAt(19))
    expect(await subject().store.usage()).toMatchObject({ partials: 1, partialBytes: 2 * PIECE })
    await partial.discard()
  })

  it('confirms only what can be read, by a hash and with a short note', async () => {
    const partial = await subject().store.openPartial(digest)
    await put(partial, pieceAt(1))
    const hex = await partial.hash(pieceAt(1))
    const refused: Array<() => void> = [
      () => { partial.confirm({ start: PIECE - 1, end: 2 * PIECE }, hex) },
      () => { partial.confirm({ start: PIECE, end: 2 * PIECE + 1 }, hex) },
      () => { partial.confirm({ start: PIECE, end: PIECE }, hex) },
      () => { partial.confirm(pieceAt(1), 'rubbish') },
      () => { partial.confirm(pieceAt(1), hex, 'ä'.repeat(2049)) }
    ]
    for (const confirm of refused) expect(confirm).toThrow(RangeError)
    expect(partial.confirmed).toEqual([])
    const note = 'ä'.repeat(2048)
    partial.confirm(pieceAt(1), hex, note)
    expect(partial.confirmed).toEqual([{ ...pieceAt(1), sha256: hex, note }])
    partial.confirm(pieceAt(1), hex)
    expect(partial.confirmed).toEqual([{ ...pieceAt(1), sha256: hex }])
    await partial.discard()
  })

  it('forgets what is erased, also that it was confirmed, and takes it again', async () => {
    const partial = await subject().store.openPartial(digest)
    for (const index of [0, 1, 2, 4]) await putChecked(partial, pieceAt(index))
    const wrong = Buffer.alloc(PIECE, 7)
    await partial.write(3 * PIECE, wrong, 'peer:liar')
    expect(await partial.hash(pieceAt(3))).toBe(sha256(wrong))
    expect(partial.edge).toBe(5 * PIECE)
    await partial.erase(pieceAt(3))
    await partial.erase(pieceAt(3))
    await partial.erase(pieceAt(17))
    await partial.erase({ start: PIECE + 10, end: PIECE + 20 })
    expect([partial.edge, partial.confirmed.map(({ start }) => start / PIECE)]).toEqual([PIECE + 10, [0, 2, 4]])
    expect(partial.spans).toEqual([{ start: 0, end: PIECE + 10, source: 'peer:a' }, { start: PIECE + 20, end: 3 * PIECE, source: 'peer:a' }, { ...pieceAt(4), source: 'peer:a' }])
    expect(await readAt(partial, pieceAt(3))).toHaveLength(0)
    await partial.write(PIECE + 10, bytes.subarray(PIECE + 10, PIECE + 20), 'origin')
    await put(partial, pieceAt(3), 'origin')
    expect(await partial.hash(pieceAt(3))).toBe(sha256(bytes.subarray(3 * PIECE, 4 * PIECE)))
    expect((await readAt(partial, { start: 0, end: 5 * PIECE })).equals(bytes.subarray(0, 5 * PIECE))).toBe(true)
    await partial.discard()
  })

  it('keeps what was erased forgotten when it is opened again', async () => {
    const left = await subject().store.openPartial(digest)
    for (const index of [0, 1, 3, 4]) await putChecked(left, pieceAt(index))
    await left.erase(pieceAt(3))
    await left.erase(pieceAt(0))
    await left.close()
    await subject().reopen()
    const found = await subject().store.openPartial(digest)
    expect(found.spans).toEqual([1, 4].map(index => ({ ...pieceAt(index), source: 'peer:a' })))
    await found.discard()
  })

  it('drops by a cut what lies beyond it, also that it was confirmed', async () => {
    const partial = await subject().store.openPartial(digest)
    for (const index of [0, 2, 4]) await putChecked(partial, pieceAt(index))
    await partial.truncate(bytes.length)
    expect(partial.confirmed).toHaveLength(3)
    await partial.truncate(2.5 * PIECE)
    expect(partial.spans).toEqual([{ ...pieceAt(0), source: 'peer:a' }, { start: 2 * PIECE, end: 2.5 * PIECE, source: 'peer:a' }])
    expect(partial.confirmed).toEqual([expect.objectContaining(pieceAt(0))])
    await put(partial, { start: 2.5 * PIECE, end: 3 * PIECE })
    expect(await partial.hash(pieceAt(2))).toBe(sha256(bytes.subarray(2 * PIECE, 3 * PIECE)))
    await partial.discard()
  })

  it('is not committed when a byte was erased after its verification', async () => {
    const partial = await subject().store.openPartial(digest)
    await put(partial, { start: 0, end: bytes.length })
    await partial.verify()
    await partial.erase({ start: 5, end: 6 })
    await expect(partial.commit(publicBlob)).rejects.toMatchObject({ code: 'NOT_VERIFIED' })
    await expect(partial.verify()).rejects.toMatchObject({ code: 'PARTIAL_SIZE', expected: bytes.length, actual: 5 })
    await partial.write(5, bytes.subarray(5, 6), 'origin')
    await partial.verify()
    await partial.commit(publicBlob)
    await partial.close()
  })

  it('finds out whose bytes were wrong, with gaps between them, though others have taken their place', async () => {
    const partial = await subject().store.openPartial(digest)
    const wrong = Buffer.from(bytes.subarray(3 * PIECE, 4 * PIECE))
    wrong[77]! ^= 1
    await put(partial, pieceAt(1), 'peer:good')
    await partial.write(3 * PIECE, wrong, 'peer:liar')
    const evidence = await partial.setAside()
    expect(evidence.spans).toEqual([{ ...pieceAt(1), source: 'peer:good' }, { ...pieceAt(3), source: 'peer:liar' }])
    await partial.erase(pieceAt(3))
    for (let index = 0; index <= 20; index++) {
      if (!partial.has(pieceAt(index))) await put(partial, pieceAt(index), 'origin')
    }
    await partial.verify()
    await partial.commit(publicBlob)
    await partial.close()
    const reader = (await subject().store.open(digest))!
    expect(await evidence.compare(reader)).toEqual(['peer:liar'])
    await evidence.discard()
    await reader.close()
  })

  it('holds what a model of it holds, after any writes, erasures, cuts and reopenings', async () => {
    const share = fc.integer({ min: 0, max: 40 })
    const span = fc.record({ start: share, length: share }).map(({ start, length }) => ({ start: start * 30_000, end: (start + length) * 30_000 }))
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ type: fc.constant('write' as const), span, source: fc.constantFrom<SpanSource>('origin', 'peer:a', 'peer:b') }) },
      { weight: 3, arbitrary: fc.record({ type: fc.constant('confirm' as const), span, note: fc.option(fc.string({ maxLength: 5 }), { nil: undefined }) }) },
      { weight: 2, arbitrary: fc.record({ type: fc.constant('erase' as const), span }) },
      fc.record({ type: fc.constant('append' as const), span }),
      fc.record({ type: fc.constant('truncate' as const), span }),
      fc.record({ type: fc.constant('reopen' as const), span })
    )
    const source = seededBytes(3_000_000, 'model')
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
      const model = new PartialModel(2_400_000)
      let partial = await subject().store.openPartial(digest)
      for (const [index, each] of steps.entries()) {
        const { start, end } = each.type === 'append' ? { start: model.edge, end: Math.min(model.edge + each.span.end, 2_400_000) } : each.span
        // other bytes each time, so that nothing old is taken for new
        const chunk = source.subarray(index, index + end - start)
        switch (each.type) {
          case 'append':
          case 'write': {
            const giver = each.type === 'append' ? 'origin' : each.source
            const isRefused = model.overlaps({ start, end })
            const written = each.type === 'append' ? partial.append(chunk, giver) : partial.write(start, chunk, giver)
            if (isRefused) await expect(written).rejects.toThrow(RangeError)
            else await written
            if (!isRefused) model.write(start, chunk, giver)
            break
          }
          case 'confirm':
            if (start === end || !model.has({ start, end })) break
            expect(await partial.hash({ start, end })).toBe(sha256(model.bytes.subarray(start, end)))
            partial.confirm({ start, end }, sha256(model.bytes.subarray(start, end)), each.note)
            model.confirm({ start, end }, each.note)
            break
          case 'erase':
            await partial.erase({ start, end })
            model.erase({ start, end })
            break
          case 'truncate':
            await partial.truncate(start)
            model.erase({ start, end: 2_400_000 })
            break
          case 'reopen':
            await partial.close()
            await subject().reopen()
            partial = await subject().store.openPartial(digest)
            model.reopen()
            break
          default:
            each satisfies never
        }
      }
      await partial.flush()
      expect(partial.edge).toBe(model.edge)
      expect(partial.spans).toEqual(model.spans)
      expect(partial.confirmed).toEqual(model.confirmed)
      for (const { start, end } of partial.spans) {
        expect((await readAt(partial, { start, end })).equals(model.bytes.subarray(start, end))).toBe(true)
      }
      const whole = await partial.verify().then(() => undefined, (error: unknown) => error)
      const size = model.spans.at(-1)?.end ?? 0
      expect(whole).toMatchObject(size === model.edge ? { actual: digestOf(model.bytes.subarray(0, size)) } : { code: 'PARTIAL_SIZE', actual: model.edge })
      await partial.discard()
    }), { numRuns: 25 })
  })
}

function sha256 (content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
