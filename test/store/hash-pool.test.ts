import { createHash } from 'node:crypto'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HashPool } from '../../src/store/hash-pool.ts'
import { seededBytes } from '../support/image.ts'
import { makeTempDir, removeTempDir } from '../support/temp-dir.ts'

const MIB = 1024 * 1024

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

  it('fails what it has not finished when it is closed', async () => {
    await writeFile(path, bytes)
    const waiting = expect(pool.start(path, 'sha256').finish(bytes.length)).rejects.toMatchObject({ code: 'HASH_FAILED', reason: 'WORKER' })
    await pool.close()
    await waiting
    expect(() => pool.start(path, 'sha256')).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }))
  })
})
