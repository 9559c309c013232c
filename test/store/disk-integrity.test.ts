import { appendFile, copyFile, open, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import type { DiskStore } from '../../src/store/disk-store.ts'
import { buildImage, seededBytes } from '../support/image.ts'
import { publicBlob } from './store-contract.ts'
import { StoreDirectory } from './store-directory.ts'

async function flipByte (path: string, position: number): Promise<void> {
  const handle = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await handle.read(byte, 0, 1, position)
  byte[0]! ^= 1
  await handle.write(byte, 0, 1, position)
  await handle.close()
}

describe('a blob whose file changed on the disk', () => {
  const bytes = seededBytes(1_500_000, 'integrity')
  const digest = digestOf(bytes)
  let directory: StoreDirectory
  let store: DiskStore

  beforeEach(async () => {
    directory = await StoreDirectory.make()
    store = await directory.open()
    await store.put(digest, bytes, publicBlob)
    directory.events.length = 0
  })
  afterEach(async () => { await directory.close() })

  async function expectGone (reason: RegExp): Promise<void> {
    expect(await store.stat(digest)).toBeUndefined()
    expect(await store.open(digest)).toBeUndefined()
    expect(directory.events).toEqual([{ type: 'blob:quarantined', digest, reason: expect.stringMatching(reason) as string }])
    expect(await directory.names('blobs/sha256')).toEqual([])
    expect(await directory.names('quarantine')).toHaveLength(1)
    expect(await store.usage()).toMatchObject({ blobs: 0, bytes: 0 })
  }

  it('is taken to quarantine when a byte flipped', async () => {
    await flipByte(directory.blob(digest), 1_200_000)
    expect(await store.open(digest)).toBeUndefined()
    await expectGone(/has digest sha256:/)
  })

  it('is verified when a reader asks for it, and taken to quarantine when a byte flipped', async () => {
    const reader = await store.open(digest)
    expect(await reader?.verify()).toBe(true)
    expect(directory.events).toEqual([])
    await flipByte(directory.blob(digest), 7)
    expect(await reader?.verify()).toBe(false)
    await reader?.close()
    await expectGone(/has digest sha256:/)
  })

  it('is taken to quarantine when it changed while the store was closed', async () => {
    await directory.closeStore()
    await flipByte(directory.blob(digest), 0)
    store = await directory.open()
    expect(await store.open(digest)).toBeUndefined()
    await expectGone(/has digest sha256:/)
  })

  it('stays when a reader of the wrong file before it finds that one wrong', async () => {
    const [first, second] = [await store.open(digest), await store.open(digest)]
    await flipByte(directory.blob(digest), 9)
    await expect(first?.bytes()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    await store.put(digest, bytes, publicBlob)
    await expect(second?.bytes()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    await Promise.all([first?.close(), second?.close()])
    expect(await store.stat(digest)).toMatchObject({ size: bytes.length })
    expect(directory.events.filter(({ type }) => type === 'blob:quarantined')).toHaveLength(1)
  })

  it('is hashed anew from where a partial was cut that had been set aside', async () => {
    const right = seededBytes(5_500_000, 'set aside')
    const cut = 5 * 1024 * 1024
    const wrong = Buffer.from(right)
    wrong[cut + 100]! ^= 1
    const partial = await store.openPartial(digestOf(right))
    await partial.append(wrong.subarray(0, cut), 'origin')
    await partial.flush()
    // the thread has read as far as it may
    await new Promise(resolve => { setTimeout(resolve, 60) })
    await partial.append(wrong.subarray(cut), 'peer:liar')
    const evidence = await partial.setAside()
    await partial.truncate(cut)
    await partial.append(right.subarray(cut), 'peer:good')
    await partial.verify()
    await evidence.discard()
    await partial.discard()
  })

  it('is taken to quarantine when it was cut or grew', async () => {
    await truncate(directory.blob(digest), 1_000_000)
    expect(await store.open(digest)).toBeUndefined()
    await expectGone(/has 1000000 bytes, expected 1500000/)
  })

  it('is found out even if the time of its change was set back', async () => {
    const then = new Date(1_600_000_000_000)
    await utimes(directory.blob(digest), then, then)
    await (await store.open(digest))?.close()
    await flipByte(directory.blob(digest), 5)
    await utimes(directory.blob(digest), then, then)
    expect(await store.open(digest)).toBeUndefined()
    await expectGone(/has digest/)
  })

  it('is verified once for all who ask at the same moment', async () => {
    await flipByte(directory.blob(digest), 5)
    expect(await Promise.all(Array.from({ length: 10 }, () => store.open(digest)))).toEqual(Array.from({ length: 10 }))
    await expectGone(/has digest/)
  })

  it('is served again when its bytes are right', async () => {
    const copy = `${directory.path}/copy`
    await copyFile(directory.blob(digest), copy)
    await rename(copy, directory.blob(digest))
    const readers = await Promise.all([store.open(digest), store.open(digest)])
    for (const reader of readers) {
      expect(digestOf(await reader!.bytes())).toBe(digest)
      await reader?.close()
    }
    expect(directory.events).toEqual([])
  })

  it('is reported as absent when it is missing', async () => {
    await rm(directory.blob(digest))
    expect(await store.open(digest)).toBeUndefined()
    expect(await store.stat(digest)).toBeUndefined()
    expect(directory.events).toMatchObject([{ type: 'blob:removed', record: { digest } }])
  })

  it('is found out by whoever reads all of it at once through an open reader', async () => {
    const reader = (await store.open(digest))!
    await flipByte(directory.blob(digest), 5)
    await expect(reader.bytes()).rejects.toMatchObject({ code: 'DIGEST_MISMATCH', expected: digest })
    await reader.close()
    await expectGone(/has digest/)
  })

  it('fails reads that meet its early end, and is verified before it is served again', async () => {
    const reader = (await store.open(digest))!
    await truncate(directory.blob(digest), 1_000_000)
    const buffer = new Uint8Array(10)
    expect(await reader.read(buffer, 999_995)).toBe(5)
    await expect(reader.read(buffer, 1_000_000)).rejects.toMatchObject({ code: 'BLOB_READ', position: 1_000_000 })
    await expect(text(reader.stream({ start: 900_000, end: 1_400_000 }))).rejects.toMatchObject({ code: 'BLOB_READ', position: 1_000_000 })
    await reader.close()
    expect(await store.open(digest)).toBeUndefined()
    await expectGone(/bytes, expected/)
  })

  it('stops a caller’s wait for its verification when the caller’s signal fires', async () => {
    await utimes(directory.blob(digest), 1, 1)
    const controller = new AbortController()
    const opening = store.open(digest, { signal: controller.signal })
    controller.abort()
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' })
    await (await store.open(digest))?.close()
    expect(directory.events).toEqual([])
  })

  it('leaves no more than the latest few in quarantine', async () => {
    let now = 0
    store = await directory.open({ quarantineCapacity: 2, now: () => ++now })
    const digests: Digest[] = []
    for (const content of ['a', 'b', 'c', 'd']) {
      const each = Buffer.from(content)
      digests.push(digestOf(each))
      await store.put(digestOf(each), each, publicBlob)
      await appendFile(directory.blob(digestOf(each)), 'x')
      expect(await store.open(digestOf(each))).toBeUndefined()
    }
    const kept = await directory.names('quarantine')
    expect(kept.map(name => name.slice(name.indexOf('-') + 1))).toEqual(digests.slice(2).map(each => each.replace(':', '-')))
  })
})

describe('a blob without a record', () => {
  let directory: StoreDirectory
  beforeEach(async () => { directory = await StoreDirectory.make() })
  afterEach(async () => { await directory.close() })

  it('is adopted once it is verified, and shared with nobody', async () => {
    const image = await buildImage({ platforms: ['amd64'] })
    const layer = image.layers.get('amd64')![1]!
    let store = await directory.open()
    for (const [digest, bytes] of image.blobs) await store.put(digest, bytes, publicBlob)
    await store.put(image.index.digest, image.index.bytes, { kind: 'manifest', access: 'public', mediaType: image.index.mediaType })
    await directory.closeStore()
    await rm(`${directory.path}/db`, { recursive: true })
    store = await directory.open()
    expect(await store.usage()).toMatchObject({ blobs: 0 })
    expect(await store.stat(layer)).toMatchObject({ kind: 'blob', access: 'restricted', size: image.blobs.get(layer)!.length })
    const reader = (await store.open(image.index.digest))!
    expect(reader.record).toMatchObject({ kind: 'manifest', access: 'restricted', mediaType: image.index.mediaType })
    await reader.close()
    expect(await store.usage()).toMatchObject({ blobs: 2 })
  })

  it('is not served when it is not what its name says', async () => {
    const store = await directory.open()
    const digest = digestOf(Buffer.from('right'))
    await writeFile(directory.blob(digest), 'wrong')
    expect(await store.stat(digest)).toBeUndefined()
    expect(await store.open(digest)).toBeUndefined()
    expect(directory.events).toMatchObject([{ type: 'blob:quarantined', digest }])
  })

  it('can be removed', async () => {
    const store = await directory.open()
    const digest = digestOf(Buffer.from('right'))
    await writeFile(directory.blob(digest), 'right')
    await store.remove(digest)
    expect(await store.stat(digest)).toBeUndefined()
    expect(await directory.names('blobs/sha256')).toEqual([])
  })
})
