import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { seededBytes } from '../support/image.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'
import { publicBlob } from './store-contract.ts'
import { StoreDirectory } from './store-directory.ts'

const DISK_BYTES = 12 * 1024 * 1024
const CHUNK_BYTES = 64 * 1024
const TOOLS = { mount: 'mount', unmount: 'umount' }

/** Only root may mount; in CI not being able to is an error, so that a green run cannot hide it. */
function reasonToSkip (): string | undefined {
  if (process.getuid?.() === 0 && process.platform === 'linux') return undefined
  if (process.env.CI === 'true') throw new Error('a full disk needs root to mount one (CI must have it)')
  return 'needs root to mount a small disk'
}

const reason = reasonToSkip()

describe.skipIf(reason !== undefined)(`a full disk${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let mount: string
  let directory: StoreDirectory
  const bytes = seededBytes(16 * 1024 * 1024, 'full')
  const digest = digestOf(bytes)

  beforeAll(async () => {
    mount = await makeTempDir('full-disk')
    execFileSync(TOOLS.mount, ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', mount])
    process.once('exit', unmount)
  })
  afterAll(async () => {
    unmount()
    process.off('exit', unmount)
    await removeTempDir(mount)
  })
  beforeEach(() => {
    directory = new StoreDirectory(join(mount, 'data'))
    mkdirSync(directory.path)
  })
  afterEach(async () => {
    rmSync(join(mount, 'ballast'), { force: true })
    await directory.close()
  })

  function unmount (): void {
    try {
      execFileSync(TOOLS.unmount, [mount], { stdio: 'ignore' })
    } catch {
      // Not mounted any more.
    }
  }

  function fillDisk (): void {
    for (const size of [1 << 20, 1 << 16, 1 << 12]) {
      try {
        for (;;) writeFileSync(join(mount, 'ballast'), Buffer.alloc(size), { flag: 'a' })
      } catch {
        // Full, as far as this size goes.
      }
    }
  }

  it('stops a pull, which keeps what it has and goes on when there is room', async () => {
    const store = await directory.open()
    const partial = await store.openPartial(digest)
    writeFileSync(join(mount, 'ballast'), Buffer.alloc(DISK_BYTES / 2))
    await expect((async () => {
      for (let start = 0; start < bytes.length; start += CHUNK_BYTES) await partial.append(bytes.subarray(start, start + CHUNK_BYTES), 'origin')
      await partial.flush()
    })()).rejects.toMatchObject({ code: 'STORE_FULL', retryable: true })
    await expect(partial.append(bytes.subarray(0, 1), 'origin')).rejects.toMatchObject({ code: 'STORE_FULL' })
    await expect(partial.flush()).rejects.toMatchObject({ code: 'STORE_FULL' })
    const { edge } = partial
    expect(edge).toBeGreaterThanOrEqual(4 * 1024 * 1024)
    expect(partial.spans).toEqual([{ start: 0, end: edge, source: 'origin' }])
    expect(readFileSync(directory.partial(digest)).equals(bytes.subarray(0, edge))).toBe(true)

    rmSync(join(mount, 'ballast'))
    await partial.truncate(edge)
    await partial.append(bytes.subarray(edge, edge + CHUNK_BYTES), 'peer:a')
    await partial.flush()
    expect(partial.edge).toBe(edge + CHUNK_BYTES)
    await partial.close()
    const again = await store.openPartial(digest)
    expect(again.edge).toBe(edge + CHUNK_BYTES)
    await again.discard()
  })

  it('stops the pieces of a swarm, and keeps those that were there before', async () => {
    const store = await directory.open()
    const partial = await store.openPartial(digest)
    const piece = 512 * 1024
    const giving = async (index: number): Promise<void> => {
      const span = { start: index * piece, end: (index + 1) * piece }
      for (let start = span.start; start < span.end; start += CHUNK_BYTES) await partial.write(start, bytes.subarray(start, start + CHUNK_BYTES), 'peer:a')
      partial.confirm(span, await partial.hash(span))
    }
    for (const index of [5, 0, 9]) await giving(index)
    fillDisk()
    await partial.write(2 * piece, bytes.subarray(2 * piece, 2 * piece + CHUNK_BYTES), 'peer:b')
    const results = await Promise.allSettled([20, 21, 22].map(giving))
    expect(results.map(result => result.status === 'rejected' && (result.reason as { code: unknown }).code)).toEqual(['STORE_FULL', 'STORE_FULL', 'STORE_FULL'])
    await expect(partial.write(30 * piece, bytes.subarray(0, 1), 'origin')).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(partial.tryWrite(30 * piece, bytes.subarray(0, 1), 'origin')).toBe(false)
    const kept = [0, 5, 9].map(index => ({ start: index * piece, end: (index + 1) * piece }))
    expect(partial.spans).toEqual(kept.map(span => ({ ...span, source: 'peer:a' })))
    expect(await partial.hash(kept[1]!)).toBe(partial.confirmed[1]?.sha256)

    rmSync(join(mount, 'ballast'))
    await partial.truncate(bytes.length)
    await giving(20)
    await giving(2)
    await partial.close()
    const again = await store.openPartial(digest)
    expect(again.confirmed.map(({ start }) => start / piece)).toEqual([0, 2, 5, 9, 20])
    expect(again.spans.every(({ source }) => source === 'peer:a')).toBe(true)
    await again.discard()
  })

  it('refuses a blob, tells of no blob, and takes it when there is room', async () => {
    const store = await directory.open()
    const small = bytes.subarray(0, CHUNK_BYTES)
    fillDisk()
    await expect(store.put(digestOf(small), small, publicBlob)).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(directory.events).toEqual([])
    expect(await store.stat(digestOf(small))).toBeUndefined()
    expect(await directory.names('partial')).toEqual([])
    rmSync(join(mount, 'ballast'))
    await store.put(digestOf(small), small, publicBlob)
    expect(await store.stat(digestOf(small))).toMatchObject({ size: small.length })
  })

  it('keeps nobody from what is there', async () => {
    const store = await directory.open()
    const small = bytes.subarray(0, CHUNK_BYTES)
    await store.put(digestOf(small), small, publicBlob)
    fillDisk()
    const reader = await store.open(digestOf(small))
    expect(digestOf(await reader!.bytes())).toBe(digestOf(small))
    await reader?.close()
    expect(await store.remove(digestOf(small))).toBe(true)
    expect(await store.stat(digestOf(small))).toBeUndefined()
  })

  it('refuses links and tags, and takes them when there is room', async () => {
    const store = await directory.open()
    const many = Array.from({ length: 500 }, (_, index) => digestOf(Buffer.from(String(index))))
    await store.links.link('docker.io/a', many.slice(0, 1))
    fillDisk()
    await expect(store.links.link('docker.io/b', many)).rejects.toMatchObject({ code: 'STORE_FULL' })
    await expect(store.links.link('docker.io/b', many)).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(await store.links.isLinked('docker.io/a', many[0]!)).toBe(true)
    rmSync(join(mount, 'ballast'))
    await store.links.link('docker.io/b', many)
    expect(await store.links.linked('docker.io/b')).toHaveLength(500)
    await directory.closeStore()
    const reopened = await directory.open()
    expect(await reopened.links.linked('docker.io/b')).toHaveLength(500)
    expect(await reopened.links.linked('docker.io/a')).toHaveLength(1)
  })

  it('refuses a commit, which succeeds when there is room', async () => {
    const store = await directory.open()
    const part = bytes.subarray(0, 1_500_000)
    const partial = await store.openPartial(digestOf(part))
    await partial.append(part, 'origin')
    await partial.verify()
    fillDisk()
    await expect(partial.commit(publicBlob)).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(await store.stat(digestOf(part))).toBeUndefined()
    rmSync(join(mount, 'ballast'))
    await partial.commit(publicBlob)
    await partial.close()
    const reader = await store.open(digestOf(part))
    expect(digestOf(await reader!.bytes())).toBe(digestOf(part))
    await reader?.close()
  })
})
