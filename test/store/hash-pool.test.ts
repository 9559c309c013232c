import { createHash } from 'node:crypto'
import { appendFile, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HashPool } from '../../src/store/hash-pool.ts'
import { seededBytes } from '../support/image.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'

const MIB = 1024 * 1024

/** Waits until the list is so long. */
async function once (list: readonly unknown[], length: number): Promise<void> {
  while (list.length < length) await turn()
}

describe('the hash pool', () => {
  const bytes = seededBytes(3 * MIB + 77, 'hash')
  let directory: string
  let path: string
  let pool: HashPool

  beforeEach(async () => {
    directory = await makeTempDir('hash')
    path = join(directory, 'file')
    pool = new HashPool()
  })
  afterEach(async () => {
    await pool.close()
    await removeTempDir(directory)
  })

  function hexOf (content: Uint8Array, algorithm: string): string {
    return createHash(algorithm).update(content).digest('hex')
  }

  it('follows a file while it grows, and tells the checksum of each block', async () => {
    const prefixes: string[] = []
    await writeFile(path, bytes.subarray(0, MIB))
    const job = pool.start(path, 'sha256', (index, hex) => { prefixes[index] = hex })
    job.advance(MIB)
    await appendFile(path, bytes.subarray(MIB, 2 * MIB + 5))
    expect(await job.finish(2 * MIB + 5)).toBe(hexOf(bytes.subarray(0, 2 * MIB + 5), 'sha256'))
    await appendFile(path, bytes.subarray(2 * MIB + 5))
    expect(await job.finish(bytes.length)).toBe(hexOf(bytes, 'sha256'))
    expect(prefixes).toEqual([1, 2, 3].map(blocks => hexOf(bytes.subarray(0, blocks * MIB), 'sha256')))
    job.stop()
  })

  it('starts one thread ahead, and hashes with it', async () => {
    const threads: Worker[] = []
    const count = (thread: Worker): void => { threads.push(thread) }
    process.on('worker', count)
    try {
      pool.warmUp()
      pool.warmUp()
      await once(threads, 1)
      await writeFile(path, bytes)
      expect(await pool.span(path, { start: 0, end: 5 })).toBe(hexOf(bytes.subarray(0, 5), 'sha256'))
      expect(threads).toHaveLength(1)
    } finally {
      process.off('worker', count)
    }
  })

  it('hashes more files at once than it has threads', async () => {
    await writeFile(path, bytes)
    const jobs = Array.from({ length: 7 }, (_, index) => pool.start(path, index % 2 === 0 ? 'sha256' : 'sha512'))
    const results = await Promise.all(jobs.map((job, index) => job.finish(bytes.length - index)))
    expect(results).toEqual(jobs.map((_, index) => hexOf(bytes.subarray(0, bytes.length - index), index % 2 === 0 ? 'sha256' : 'sha512')))
    for (const job of jobs) job.stop()
  })

  it('says why a file cannot be hashed', async () => {
    await expect(pool.start(path, 'sha256').finish(1)).rejects.toMatchObject({ code: 'HASH_FAILED', reason: 'ENOENT', path })
    await writeFile(path, bytes.subarray(0, 10))
    await expect(pool.start(path, 'sha256').finish(11)).rejects.toMatchObject({ code: 'HASH_FAILED', reason: 'SHORT_READ' })
    expect(await pool.start(path, 'sha256').finish(10)).toBe(hexOf(bytes.subarray(0, 10), 'sha256'))
  })

  it('hashes spans of a file by themselves', async () => {
    await writeFile(path, bytes)
    const spans = [[0, 0], [0, bytes.length], [5, 6], [MIB - 1, 2 * MIB + 1], [bytes.length - 3, bytes.length]] as const
    const hexes = await Promise.all(spans.map(([start, end]) => pool.span(path, { start, end })))
    expect(hexes).toEqual(spans.map(([start, end]) => hexOf(bytes.subarray(start, end), 'sha256')))
  })

  it('says which span cannot be hashed, and hashes the others', async () => {
    await writeFile(path, bytes)
    const results = await Promise.allSettled([
      pool.span(path, { start: 0, end: 10 }), pool.span(path, { start: 10, end: bytes.length + 1 }), pool.span(`${path}-not`, { start: 0, end: 1 }), pool.span(path, { start: 1, end: 3 })
    ])
    expect(results).toMatchObject([
      { value: hexOf(bytes.subarray(0, 10), 'sha256') }, { reason: { code: 'HASH_FAILED', reason: 'SHORT_READ', path } },
      { reason: { code: 'HASH_FAILED', reason: 'ENOENT', path: `${path}-not` } }, { value: hexOf(bytes.subarray(1, 3), 'sha256') }
    ])
  })

  it('hashes spans before the file that it follows, which goes on all the same', async () => {
    const file = await open(path, 'w')
    await file.truncate(1024 * MIB)
    await file.close()
    const order: string[] = []
    const job = pool.start(path, 'sha512', () => { order.push('block') })
    job.advance(1024 * MIB)
    await once(order, 1)
    const spans = Array.from({ length: 120 }, async () => {
      await pool.span(path, { start: 0, end: 4 * MIB })
      order.push('span')
    })
    await Promise.all(spans)
    job.stop()
    const [first, last] = [order.indexOf('span'), order.lastIndexOf('span')]
    expect(order.slice(first, last)).toContain('block')
    expect(order.filter(each => each === 'block').length).toBeLessThan(1024)
  })

  it('goes back to what it hashed before bytes changed', async () => {
    const long = seededBytes(40 * MIB, 'long')
    await writeFile(path, long)
    const told: number[] = []
    const first = pool.start(path, 'sha256')
    await first.finish(40 * MIB)
    long.fill(1, 33 * MIB + 5)
    await writeFile(path, long)
    const second = first.rewind(33 * MIB + 5, index => { told.push(index) })
    expect(await second.finish(33 * MIB + 5)).toBe(hexOf(long.subarray(0, 33 * MIB + 5), 'sha256'))
    expect(await second.finish(40 * MIB)).toBe(hexOf(long, 'sha256'))
    // from the last state that was kept, not from the first byte
    expect(told).toEqual([32, 33, 34, 35, 36, 37, 38, 39])
    await expect(first.finish(40 * MIB)).rejects.toMatchObject({ code: 'HASH_FAILED', reason: 'STOPPED' })
    const third = second.rewind(10, index => { told.push(index) })
    expect(await third.finish(MIB)).toBe(hexOf(long.subarray(0, MIB), 'sha256'))
    third.stop()
  })

  it('fails what it has not finished when it is closed', async () => {
    await writeFile(path, bytes)
    const waiting = [pool.start(path, 'sha256').finish(bytes.length), pool.span(path, { start: 0, end: bytes.length })]
      .map(async work => expect(work).rejects.toMatchObject({ code: 'HASH_FAILED', reason: 'WORKER' }))
    await pool.close()
    await Promise.all(waiting)
    await expect(pool.span(path, { start: 0, end: 1 })).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    expect(() => pool.start(path, 'sha256')).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }))
  })
})
