import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import type { PartialBlob, SpanSource } from '../../src/store/store.ts'
import { seededBytes } from '../support/image.ts'
import { fill, publicBlob, type StoreUnderTest } from './store-contract.ts'

const MIB = 1024 * 1024

/** What the partial blobs of every store do. */
export function describePartials (subject: () => StoreUnderTest): void {
  const bytes = seededBytes(2 * MIB + MIB / 2, 'partial')
  const digest = digestOf(bytes)

  it('becomes a blob once all bytes are there and verified', async () => {
    const partial = await subject().store.openPartial(digest)
    await fill(partial, bytes)
    const record = await partial.commit(publicBlob)
    await partial.close()
    expect(record).toMatchObject({ digest, size: bytes.length, ...publicBlob })
    expect(subject().events).toEqual([{ type: 'blob:committed', record }])
    await subject().reopen()
    expect(await subject().store.stat(digest)).toEqual(record)
    expect((await contentOf(subject(), digest)).equals(bytes)).toBe(true)
    expect(await subject().store.usage()).toEqual({ blobs: 1, bytes: bytes.length, partials: 0, partialBytes: 0 })
  })

  it('can be read up to its edge while it grows, and tells of every advance', async () => {
    const partial = await subject().store.openPartial(digest)
    const edges: number[] = []
    partial.onEdge = edge => {
      expect(edge).toBe(partial.edge)
      edges.push(edge)
    }
    await partial.append(bytes.subarray(0, 100_000), 'origin')
    await partial.append(bytes.subarray(100_000, 1_300_000), 'peer:a')
    await partial.flush()
    expect(partial.edge).toBe(1_300_000)
    expect(edges.at(-1)).toBe(1_300_000)
    expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b))
    const buffer = new Uint8Array(200_000)
    expect(await readFully(partial, buffer, 1_200_000)).toBe(100_000)
    expect(Buffer.from(buffer.subarray(0, 100_000))).toEqual(bytes.subarray(1_200_000, 1_300_000))
    expect(await partial.read(buffer, 1_300_000)).toBe(0)
    expect(await partial.read(buffer, 9_000_000)).toBe(0)
    await partial.discard()
  })

  it('never gives a byte at its edge, even while more is on its way', async () => {
    const partial = await subject().store.openPartial(digest)
    const appending = (async () => {
      for (let start = 0; start < bytes.length; start += 300_000) await partial.append(bytes.subarray(start, start + 300_000), 'origin')
    })()
    const buffer = new Uint8Array(1000)
    while (partial.edge < bytes.length) {
      expect(await partial.read(buffer, partial.edge)).toBe(0)
      await turn()
    }
    await appending
    await partial.discard()
  })

  it('copies a chunk before its append resolves', async () => {
    const partial = await subject().store.openPartial(digest)
    const chunk = Buffer.alloc(65_536)
    for (let start = 0; start < bytes.length; start += chunk.length) {
      chunk.set(bytes.subarray(start, start + chunk.length))
      await partial.append(chunk.subarray(0, bytes.length - start), 'origin')
      chunk.fill(0)
    }
    await partial.verify()
    await partial.discard()
  })

  it('keeps the order of appends nobody waited for', async () => {
    const partial = await subject().store.openPartial(digest)
    const appends: Array<Promise<void>> = []
    for (let start = 0; start < bytes.length; start += 100_000) appends.push(partial.append(bytes.subarray(start, start + 100_000), 'origin'))
    await Promise.all(appends)
    await partial.verify()
    await partial.discard()
  })

  it('knows the source of each byte', async () => {
    const partial = await subject().store.openPartial(digest)
    const sources: SpanSource[] = ['origin', 'origin', 'peer:a', 'peer:b', 'peer:b', 'origin']
    for (const source of sources) await partial.append(bytes.subarray(0, 10), source)
    await partial.append(new Uint8Array(0), 'peer:c')
    await partial.flush()
    expect(partial.spans).toEqual([
      { start: 0, end: 20, source: 'origin' },
      { start: 20, end: 30, source: 'peer:a' },
      { start: 30, end: 50, source: 'peer:b' },
      { start: 50, end: 60, source: 'origin' }
    ])
    await partial.discard()
  })

  it('is found again as it was left', async () => {
    const left = await subject().store.openPartial(digest)
    await left.setSize(bytes.length)
    await left.append(bytes.subarray(0, 600_000), 'peer:a')
    await left.append(bytes.subarray(600_000, 1_700_000), 'origin')
    await left.close()
    await subject().reopen()
    expect(await subject().store.usage()).toEqual({ blobs: 0, bytes: 0, partials: 1, partialBytes: 1_700_000 })
    const found = await subject().store.openPartial(digest)
    expect(found.size).toBe(bytes.length)
    expect(found.edge).toBe(1_700_000)
    expect(found.spans).toEqual([{ start: 0, end: 600_000, source: 'peer:a' }, { start: 600_000, end: 1_700_000, source: 'origin' }])
    await found.append(bytes.subarray(1_700_000), 'peer:b')
    await found.verify()
    await found.commit(publicBlob)
    await found.close()
    expect((await contentOf(subject(), digest)).equals(bytes)).toBe(true)
  })

  it('remembers who may have its bytes as long as there are some', async () => {
    const partial = await subject().store.openPartial(digest)
    expect(partial.access).toBeUndefined()
    partial.noteAccess('public')
    await partial.append(bytes.subarray(0, 10), 'peer:a')
    partial.noteAccess('restricted')
    expect(partial.access).toBe('restricted')
    await partial.close()
    await subject().reopen()
    const found = await subject().store.openPartial(digest)
    expect(found.access).toBe('restricted')
    await found.discard()
    const another = await subject().store.openPartial(digest)
    expect(another.access).toBeUndefined()
    await another.close()
  })

  it('belongs to one writer at a time', async () => {
    const partial = await subject().store.openPartial(digest)
    await expect(subject().store.openPartial(digest)).rejects.toMatchObject({ code: 'PARTIAL_IN_USE', digest })
    await partial.close()
    const again = await subject().store.openPartial(digest)
    await again.discard()
    const third = await subject().store.openPartial(digest)
    await third.close()
  })

  it('refuses another size and bytes beyond it', async () => {
    const partial = await subject().store.openPartial(digest)
    await partial.append(bytes.subarray(0, 100), 'origin')
    await expect(partial.setSize(99)).rejects.toMatchObject({ code: 'PARTIAL_SIZE', expected: 99, actual: 100 })
    await partial.setSize(150)
    await partial.setSize(150)
    await expect(partial.setSize(151)).rejects.toMatchObject({ code: 'PARTIAL_SIZE', expected: 150, actual: 151 })
    await expect(partial.append(bytes.subarray(0, 51), 'origin')).rejects.toMatchObject({ code: 'PARTIAL_SIZE', expected: 150, actual: 151 })
    await expect(partial.verify()).rejects.toMatchObject({ code: 'PARTIAL_SIZE', expected: 150, actual: 100 })
    await partial.flush()
    expect(partial.edge).toBe(100)
    await partial.discard()
  })

  it('is not committed without a verification of its last byte', async () => {
    const partial = await subject().store.openPartial(digest)
    await expect(partial.commit(publicBlob)).rejects.toMatchObject({ code: 'NOT_VERIFIED' })
    await partial.append(bytes, 'origin')
    await partial.verify()
    await partial.append(bytes.subarray(0, 1), 'origin')
    await expect(partial.commit(publicBlob)).rejects.toMatchObject({ code: 'NOT_VERIFIED' })
    await partial.truncate(bytes.length)
    await expect(partial.commit(publicBlob)).rejects.toMatchObject({ code: 'NOT_VERIFIED' })
    await partial.verify()
    await partial.commit(publicBlob)
    await partial.close()
  })

  it('says what digest wrong bytes have, and takes right ones in their place', async () => {
    const wrong = Buffer.from(bytes)
    wrong[1_400_000]! ^= 1
    const partial = await subject().store.openPartial(digest)
    await partial.setSize(bytes.length)
    await partial.append(wrong, 'peer:liar')
    await expect(partial.verify()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH', expected: digest, actual: digestOf(wrong) })
    await expect(partial.commit(publicBlob)).rejects.toMatchObject({ code: 'NOT_VERIFIED' })
    await partial.truncate(1_300_000)
    expect(partial.edge).toBe(1_300_000)
    expect(partial.spans).toEqual([{ start: 0, end: 1_300_000, source: 'peer:liar' }])
    await partial.append(bytes.subarray(1_300_000), 'origin')
    await partial.verify()
    await partial.commit(publicBlob)
    await partial.close()
    expect((await contentOf(subject(), digest)).equals(bytes)).toBe(true)
  })

  it('is read through the committed handle until it is closed', async () => {
    const partial = await subject().store.openPartial(digest)
    await fill(partial, bytes)
    await partial.commit(publicBlob)
    await subject().store.remove(digest)
    const buffer = new Uint8Array(1000)
    expect(await readFully(partial, buffer, bytes.length - 10)).toBe(10)
    expect(Buffer.from(buffer.subarray(0, 10))).toEqual(bytes.subarray(-10))
    await expect(partial.append(buffer, 'origin')).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    const next = await subject().store.openPartial(digest)
    expect(next.edge).toBe(0)
    await next.close()
    await partial.close()
    await expect(partial.read(buffer, 0)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  })

  it('leaves nothing when it is discarded', async () => {
    const partial = await subject().store.openPartial(digest)
    await partial.setSize(bytes.length)
    await partial.append(bytes.subarray(0, 1_200_000), 'origin')
    await partial.discard()
    await subject().reopen()
    const next = await subject().store.openPartial(digest)
    expect([next.edge, next.size, next.spans]).toEqual([0, undefined, []])
    await next.close()
    expect(await subject().store.usage()).toMatchObject({ partials: 0, partialBytes: 0 })
  })

  it('can be of no bytes at all', async () => {
    const empty = digestOf(new Uint8Array(0))
    const partial = await subject().store.openPartial(empty)
    await partial.setSize(0)
    await partial.verify()
    await partial.commit(publicBlob)
    await partial.close()
    await subject().reopen()
    expect(await contentOf(subject(), empty)).toEqual(Buffer.alloc(0))
  })

  it('sets a wrong copy aside that tells who lied', async () => {
    const right = bytes.subarray(0, 1_900_000)
    const wrong = Buffer.concat([right, Buffer.alloc(100)])
    wrong[700_000]! ^= 0xff
    const partial = await subject().store.openPartial(digestOf(right))
    const parts: Array<[number, SpanSource]> = [[600_000, 'peer:good'], [800_000, 'peer:liar'], [1_500_000, 'origin'], [1_900_050, 'peer:long'], [1_900_100, 'peer:longer']]
    let start = 0
    for (const [end, source] of parts) {
      await partial.append(wrong.subarray(start, end), source)
      start = end
    }
    const evidence = await partial.setAside()
    await partial.truncate(0)
    await partial.append(right, 'origin')
    await partial.verify()
    await partial.commit(publicBlob)
    await partial.close()
    const reader = (await subject().store.open(digestOf(right)))!
    expect(evidence.spans.map(span => [span.end, span.source])).toEqual(parts)
    expect((await evidence.compare(reader)).sort()).toEqual(['peer:liar', 'peer:long', 'peer:longer'])
    await evidence.discard()
    await evidence.discard()
    await reader.close()
    await subject().reopen()
    expect(await subject().store.usage()).toMatchObject({ blobs: 1, partials: 0 })
  })

  it('sets aside a copy that outlives a cut in its middle and the partial itself', async () => {
    const wrong = Buffer.from(bytes)
    wrong[bytes.length - 1]! ^= 1
    const partial = await subject().store.openPartial(digest)
    await partial.append(wrong.subarray(0, MIB), 'peer:good')
    await partial.append(wrong.subarray(MIB), 'peer:liar')
    const evidence = await partial.setAside()
    await partial.truncate(MIB + 10)
    await partial.append(bytes.subarray(MIB + 10), 'origin')
    await partial.verify()
    await partial.discard()
    await subject().store.put(digest, bytes, publicBlob)
    const reader = (await subject().store.open(digest))!
    expect(await evidence.compare(reader)).toEqual(['peer:liar'])
    await evidence.discard()
    await reader.close()
  })

  it('stops waiting for a verification when its signal fires', async () => {
    const partial = await subject().store.openPartial(digest)
    await partial.append(bytes, 'origin')
    await expect(partial.verify({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    await partial.verify()
    await partial.discard()
  })

  it('is let go of by the end of its store', async () => {
    const partial = await subject().store.openPartial(digest)
    await partial.append(bytes.subarray(0, 10), 'origin')
    await subject().reopen()
    await subject().store.close()
    await expect(subject().store.openPartial(digest)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  })

  it('holds what a model of it holds, after any appends, cuts and reopenings', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ type: fc.constant('append' as const), length: fc.integer({ min: 0, max: 1_500_000 }), source: fc.constantFrom<SpanSource>('origin', 'peer:a', 'peer:b') }) },
      fc.record({ type: fc.constant('truncate' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ type: fc.constant('close' as const) })
    )
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
      const source = seededBytes(1_500_000, 'model')
      let content = Buffer.alloc(0)
      let owners: SpanSource[] = []
      let partial = await subject().store.openPartial(digest)
      for (const each of steps) {
        if (each.type === 'append') {
          const chunk = source.subarray(0, each.length)
          await partial.append(chunk, each.source)
          content = Buffer.concat([content, chunk])
          for (let kilobytes = owners.length; kilobytes < Math.ceil(content.length / 1000); kilobytes++) owners.push(each.source)
        } else if (each.type === 'truncate') {
          const edge = Math.floor(content.length * each.share / 1000) * 1000
          await partial.truncate(edge)
          content = content.subarray(0, edge)
          owners = owners.slice(0, edge / 1000)
        } else {
          await partial.close()
          await subject().reopen()
          partial = await subject().store.openPartial(digest)
        }
      }
      await partial.flush()
      expect(partial.edge).toBe(content.length)
      const buffer = Buffer.alloc(content.length)
      expect(await readFully(partial, buffer, 0)).toBe(content.length)
      expect(buffer.equals(content)).toBe(true)
      expect(owners.map((_, index) => sourceAt(partial, index * 1000))).toEqual(owners)
      await partial.discard()
    }), { numRuns: 12 })
  })
}

function sourceAt (partial: PartialBlob, position: number): SpanSource | undefined {
  return partial.spans.find(span => span.start <= position && position < span.end)?.source
}

async function contentOf (subject: StoreUnderTest, digest: ReturnType<typeof digestOf>): Promise<Buffer> {
  const reader = (await subject.store.open(digest))!
  const bytes = Buffer.from(await reader.bytes())
  await reader.close()
  return bytes
}

async function readFully (partial: PartialBlob, buffer: Uint8Array, position: number): Promise<number> {
  let filled = 0
  while (filled < buffer.length) {
    const bytesRead = await partial.read(buffer.subarray(filled), position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}
