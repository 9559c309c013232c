import { createHash } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ShoalEvent } from '../../src/events.ts'
import { digestOf, parseDigest, type Digest } from '../../src/oci/digest.ts'
import type { BlobFacts, PartialBlob, Store } from '../../src/store/store.ts'
import { seededBytes } from '../support/image.ts'
import { describeGaps } from './gaps-contract.ts'
import { describeLinks } from './links-contract.ts'
import { describePartials } from './partial-contract.ts'

/** A store under test. `reopen` closes it and opens it again where the content outlives it. */
export interface StoreUnderTest {
  readonly store: Store
  readonly events: readonly ShoalEvent[]
  reopen (): Promise<void>
  close (): Promise<void>
}

export const publicBlob: BlobFacts = { kind: 'blob', access: 'public' }

export async function fill (partial: PartialBlob, bytes: Uint8Array): Promise<void> {
  await partial.setSize(bytes.length)
  await partial.append(bytes, 'origin')
  await partial.verify()
}

/** What every store does. */
export function describeStore (name: string, make: (now: () => number) => Promise<StoreUnderTest>): void {
  describe(name, () => {
    const now = 1_700_000_000_000
    let subject: StoreUnderTest
    beforeEach(async () => { subject = await make(() => now) })
    afterEach(async () => { await subject.close() })

    describeBlobs(() => subject, now)
    describePartials(() => subject)
    describeGaps(() => subject)
    describeLinks(() => subject)
  })
}

function describeBlobs (subject: () => StoreUnderTest, now: number): void {
  const manifest = Buffer.from('{"schemaVersion":2}')
  const digest = digestOf(manifest)
  const facts: BlobFacts = { kind: 'manifest', access: 'public', mediaType: 'application/vnd.oci.image.manifest.v1+json' }

  it('knows nothing of a blob that never came', async () => {
    expect(await subject().store.stat(digest)).toBeUndefined()
    expect(await subject().store.open(digest)).toBeUndefined()
    expect(await subject().store.remove(digest)).toBe(false)
    await subject().store.setAccess(digest, 'seeded')
  })

  it('gives back what was put, and tells of it', async () => {
    const record = await subject().store.put(digest, manifest, facts)
    expect(record).toEqual({ digest, size: manifest.length, committedAt: now, ...facts })
    expect(subject().events).toEqual([{ type: 'blob:committed', record }])
    await subject().reopen()
    expect(await subject().store.stat(digest)).toEqual(record)
    const reader = await subject().store.open(digest)
    expect(reader?.record).toEqual(record)
    expect(Buffer.from(await reader!.bytes())).toEqual(manifest)
    await reader?.close()
  })

  it('refuses bytes that are not the digest’s, and keeps nothing of them', async () => {
    await expect(subject().store.put(digest, Buffer.from('other'), facts)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH', expected: digest, actual: digestOf(Buffer.from('other')) })
    await subject().reopen()
    expect(await subject().store.stat(digest)).toBeUndefined()
    expect(await subject().store.open(digest)).toBeUndefined()
    expect(subject().events).toEqual([])
  })

  it('takes the last word on how a blob came here', async () => {
    await subject().store.put(digest, manifest, { kind: 'blob', access: 'restricted' })
    const record = await subject().store.put(digest, manifest, facts)
    expect(await subject().store.stat(digest)).toEqual(record)
    expect(await subject().store.usage()).toMatchObject({ blobs: 1, bytes: manifest.length })
  })

  it('changes how a blob may be shared', async () => {
    const record = await subject().store.put(digest, manifest, { ...facts, access: 'restricted' })
    await subject().store.setAccess(digest, 'public')
    await subject().reopen()
    expect(await subject().store.stat(digest)).toEqual({ ...record, access: 'public' })
  })

  it('removes a blob, which who has it open goes on reading', async () => {
    const record = await subject().store.put(digest, manifest, facts)
    const reader = await subject().store.open(digest)
    expect(await subject().store.remove(digest)).toBe(true)
    expect(await subject().store.stat(digest)).toBeUndefined()
    expect(await subject().store.open(digest)).toBeUndefined()
    expect(subject().events.at(-1)).toEqual({ type: 'blob:removed', record })
    expect(await text(reader!.stream())).toBe(manifest.toString())
    await reader?.close()
    await subject().reopen()
    expect(await subject().store.stat(digest)).toBeUndefined()
  })

  it('streams the whole or any span, several at once from one reader', async () => {
    const bytes = seededBytes(1_500_000, 'spans')
    await subject().store.put(digestOf(bytes), bytes, publicBlob)
    const reader = (await subject().store.open(digestOf(bytes)))!
    const spans = [{ start: 0, end: 1 }, { start: 1_000_000, end: 1_500_000 }, { start: 7, end: 600_007 }, { start: 1_500_000, end: 1_500_000 }]
    const streamed = await Promise.all(spans.map(async span => Buffer.concat(await reader.stream(span).toArray() as Buffer[])))
    expect(streamed.map(content => digestOf(content))).toEqual(spans.map(span => digestOf(bytes.subarray(span.start, span.end))))
    expect(digestOf(Buffer.concat(await reader.stream().toArray() as Buffer[]))).toBe(digestOf(bytes))
    for (const span of [{ start: -1, end: 2 }, { start: 3, end: 2 }, { start: 0, end: 1_500_001 }]) {
      expect(() => reader.stream(span)).toThrow(RangeError)
    }
    await reader.close()
    expect(() => reader.stream()).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }))
  })

  it('hashes any span of it', async () => {
    const bytes = seededBytes(300_000, 'hash')
    await subject().store.put(digestOf(bytes), bytes, publicBlob)
    const reader = (await subject().store.open(digestOf(bytes)))!
    for (const span of [{ start: 0, end: 300_000 }, { start: 131_072, end: 262_144 }, { start: 7, end: 8 }]) {
      expect(`sha256:${await reader.hash(span)}`).toBe(digestOf(bytes.subarray(span.start, span.end)))
    }
    await expect(reader.hash({ start: 0, end: 300_001 })).rejects.toThrow(RangeError)
    await reader.close()
    await expect(reader.hash({ start: 0, end: 1 })).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  })

  it('reads at any position into the caller’s buffer', async () => {
    const bytes = seededBytes(100_000, 'read')
    await subject().store.put(digestOf(bytes), bytes, publicBlob)
    const reader = (await subject().store.open(digestOf(bytes)))!
    const buffer = new Uint8Array(30_000)
    const read = Buffer.alloc(bytes.length)
    for (let position = 0; position < bytes.length;) {
      const bytesRead = await reader.read(buffer, position)
      expect(bytesRead).toBeGreaterThan(0)
      read.set(buffer.subarray(0, bytesRead), position)
      position += bytesRead
    }
    expect(read.equals(bytes)).toBe(true)
    expect([await reader.read(buffer, bytes.length), await reader.read(buffer, 1e9), await reader.read(new Uint8Array(0), 5)]).toEqual([0, 0, 0])
    await reader.close()
    await expect(reader.read(buffer, 0)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  })

  it('ends a stream when its signal fires', async () => {
    const bytes = seededBytes(3_000_000, 'abort')
    await subject().store.put(digestOf(bytes), bytes, publicBlob)
    const reader = (await subject().store.open(digestOf(bytes)))!
    const controller = new AbortController()
    const stream = reader.stream(undefined, { signal: controller.signal })
    await expect((async () => {
      for await (const _ of stream) controller.abort()
    })()).rejects.toMatchObject({ name: 'AbortError' })
    await reader.close()
  })

  it('does nothing for a signal that has fired', async () => {
    await subject().store.put(digest, manifest, facts)
    await expect(subject().store.open(digest, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    const reader = await subject().store.open(digest)
    await expect(reader!.bytes({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    await reader?.close()
  })

  it('holds blobs of every algorithm and of no bytes at all', async () => {
    const long: Digest = parseDigest(`sha512:${createHash('sha512').update(manifest).digest('hex')}`)
    const empty = digestOf(new Uint8Array(0))
    await subject().store.put(long, manifest, facts)
    await subject().store.put(empty, new Uint8Array(0), publicBlob)
    await subject().reopen()
    for (const [each, content] of [[long, manifest.toString()], [empty, '']] as const) {
      const reader = (await subject().store.open(each))!
      expect(await text(reader.stream())).toBe(content)
      expect(Buffer.from(await reader.bytes()).toString()).toBe(content)
      await reader.close()
    }
  })

  it('lists its records and counts their bytes', async () => {
    const blobs = ['a', 'bb', 'ccc'].map(content => Buffer.from(content))
    for (const blob of blobs) await subject().store.put(digestOf(blob), blob, publicBlob)
    await subject().store.remove(digestOf(blobs[0]!))
    await subject().reopen()
    const listed: Digest[] = []
    for await (const record of subject().store.records()) listed.push(record.digest)
    expect(listed.sort()).toEqual([digestOf(blobs[1]!), digestOf(blobs[2]!)].sort())
    expect(await subject().store.usage()).toEqual({ blobs: 2, bytes: 5, partials: 0, partialBytes: 0 })
  })

  it('refuses work after its end', async () => {
    await subject().store.close()
    await expect(subject().store.stat(digest)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    await expect(subject().store.openPartial(digest)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    await subject().store.close()
  })
}
