import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BlockPool, WRITE_BLOCK_BYTES } from '../../src/store/block-pool.ts'
import { WriteGatherer } from '../../src/store/write-gatherer.ts'

const MIB = 1024 * 1024
const MAX_DIRTY_BLOCKS = 96

/** A disk whose writes end when they are told to. */
class SlowDisk {
  readonly blocks = new BlockPool()
  readonly writes: Array<{ length: number, position: number, end: PromiseWithResolvers<void> }> = []
  readonly written: Array<[number, number]> = []
  edge = 0
  failures = 0
  readonly gatherer = new WriteGatherer({
    blocks: this.blocks,
    edge: () => this.edge,
    write: async (buffers, position) => {
      const end = Promise.withResolvers<void>()
      this.writes.push({ length: buffers.reduce((sum, { length }) => sum + length, 0), position, end })
      await end.promise
    },
    onWritten: (start, end) => {
      this.written.push([start, end])
      if (start <= this.edge && end > this.edge) this.edge = end
    },
    onFailed: async () => { this.failures++ }
  })

  async settle (): Promise<void> {
    await new Promise(setImmediate)
  }

  /** Ends writes, also those that begin by it, until there are none. */
  async endAll (): Promise<void> {
    await this.settle()
    for (let index = 0; index < this.writes.length; index++) {
      this.writes[index]?.end.resolve()
      await this.settle()
    }
  }

  get lengths (): Array<[position: number, length: number]> {
    return this.writes.map(({ position, length }) => [position, length])
  }
}

let disk: SlowDisk
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  disk = new SlowDisk()
})
afterEach(() => { vi.useRealTimers() })

function bytesOf (length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => index % 251)
}

describe('the write gatherer at the edge', () => {
  it('writes at once what comes alone', async () => {
    await disk.gatherer.write(0, new Uint8Array(10))
    await disk.settle()
    expect(disk.lengths).toEqual([[0, 10]])
  })

  it('gathers what comes during a write', async () => {
    for (let index = 0; index < 5; index++) {
      await disk.gatherer.write(index * 1000, new Uint8Array(1000))
      if (index === 0) await disk.settle()
    }
    disk.writes[0]?.end.resolve()
    await disk.settle()
    expect(disk.lengths).toEqual([[0, 1000], [1000, 4000]])
    expect(disk.written).toEqual([[0, 1000]])
  })

  it('writes 2 MiB at a time at full speed', async () => {
    await disk.gatherer.write(0, new Uint8Array(5.5 * MIB))
    await disk.endAll()
    expect(disk.lengths).toEqual([[0, 2 * MIB], [2 * MIB, 2 * MIB], [4 * MIB, 1.5 * MIB]])
  })

  it('goes on behind what has gathered beyond a gap once that is filled', async () => {
    await disk.gatherer.write(1000, new Uint8Array(500))
    await disk.settle()
    expect(disk.writes).toEqual([])
    await disk.gatherer.write(0, new Uint8Array(1000))
    await disk.endAll()
    expect(disk.lengths).toEqual([[0, 1500]])
  })

  it('fills a block to its end though its beginning is written', async () => {
    const bytes = bytesOf(WRITE_BLOCK_BYTES)
    await disk.gatherer.write(0, bytes.subarray(0, 1000))
    await disk.endAll()
    expect(disk.gatherer.tryWrite(1000, bytes.subarray(1000))).toBe(true)
    expect(disk.gatherer.tryWrite(WRITE_BLOCK_BYTES, bytes)).toBe(true)
    await disk.settle()
    disk.writes[1]?.end.resolve()
    await disk.settle()
    expect(disk.lengths).toEqual([[0, 1000], [1000, 2 * WRITE_BLOCK_BYTES - 1000]])
    const buffer = new Uint8Array(2000)
    expect(disk.gatherer.copyRecent(buffer, 500)).toBe(2000)
    expect(buffer).toEqual(bytes.subarray(500, 2500))
  })

  it('keeps the last 10 MiB for readers, unless blocks are scarce', async () => {
    const buffer = new Uint8Array(10)
    for (let block = 0; block < 81; block++) {
      await disk.gatherer.write(block * WRITE_BLOCK_BYTES, new Uint8Array(WRITE_BLOCK_BYTES).fill(block))
      await disk.endAll()
    }
    expect(disk.gatherer.copyRecent(buffer, WRITE_BLOCK_BYTES - 1)).toBe(0)
    expect(disk.gatherer.copyRecent(buffer, 2 * WRITE_BLOCK_BYTES - 4)).toBe(10)
    expect([...buffer]).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 2, 2])
    const others = Array.from({ length: 400 }, () => disk.blocks.take())
    await disk.gatherer.write(81 * WRITE_BLOCK_BYTES, new Uint8Array(1))
    await disk.endAll()
    expect(disk.gatherer.copyRecent(buffer, 81 * WRITE_BLOCK_BYTES)).toBe(0)
    for (const block of others) disk.blocks.give(block)
  })
})

describe('the write gatherer beyond the edge', () => {
  const piece = 64 * MIB

  it('writes a piece in one go when it is asked for', async () => {
    for (let start = 0; start < MIB / 2; start += 32_768) await disk.gatherer.write(piece + start, new Uint8Array(32_768))
    await disk.settle()
    expect(disk.writes).toEqual([])
    const flushed = disk.gatherer.flush(piece, piece + MIB / 2)
    await disk.endAll()
    await flushed
    expect(disk.lengths).toEqual([[piece, MIB / 2]])
  })

  it('writes each MiB that has gathered, of many pieces that grow at the same time', async () => {
    for (let start = 0; start < 2 * MIB; start += 65_536) {
      for (let index = 1; index <= 4; index++) await disk.gatherer.write(index * piece + start, new Uint8Array(65_536))
      await disk.endAll()
    }
    expect(disk.lengths).toEqual([0, MIB].flatMap(start => [1, 2, 3, 4].map(index => [index * piece + start, MIB])))
  })

  it('lets nothing gather that grows while it is behind, and lets it gather again when it has caught up', async () => {
    for (let index = 1; index <= 64; index++) await disk.gatherer.write(index * piece, new Uint8Array(1000))
    await disk.settle()
    await disk.gatherer.write(65 * piece, new Uint8Array(1000))
    await disk.endAll()
    expect(disk.writes).toHaveLength(65)
    await disk.gatherer.write(66 * piece, new Uint8Array(1000))
    await disk.endAll()
    expect(disk.writes).toHaveLength(65)
  })

  it('writes what has gathered for a second', async () => {
    await disk.gatherer.write(piece, new Uint8Array(1000))
    await vi.advanceTimersByTimeAsync(999)
    expect(disk.writes).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    await disk.settle()
    expect(disk.lengths).toEqual([[piece, 1000]])
  })

  it('serves the edge and a piece that is asked for in turns', async () => {
    await disk.gatherer.write(piece, new Uint8Array(1000))
    await disk.gatherer.write(0, new Uint8Array(4 * MIB))
    const flushed = disk.gatherer.flush(piece, piece + 1000)
    await disk.endAll()
    await flushed
    expect(disk.lengths).toEqual([[0, 2 * MIB], [piece, 1000], [2 * MIB, 2 * MIB]])
  })

  it('resolves a flush though more of the same block comes meanwhile', async () => {
    await disk.gatherer.write(piece, new Uint8Array(1000))
    const flushed = disk.gatherer.flush(piece, piece + 1000)
    await disk.settle()
    await disk.gatherer.write(piece + 1000, new Uint8Array(500))
    await disk.endAll()
    await flushed
    expect(disk.lengths).toEqual([[piece, 1000], [piece + 1000, 500]])
  })

  it('never joins what does not touch', async () => {
    await disk.gatherer.write(WRITE_BLOCK_BYTES + piece, new Uint8Array(1000))
    const first = disk.gatherer.flush(0, Infinity)
    await disk.endAll()
    await first
    await disk.gatherer.write(piece, new Uint8Array(WRITE_BLOCK_BYTES))
    await disk.gatherer.write(WRITE_BLOCK_BYTES + piece + 1000, new Uint8Array(10))
    const second = disk.gatherer.flush(0, Infinity)
    await disk.endAll()
    await second
    expect(disk.lengths.slice(1).sort((a, b) => a[0] - b[0])).toEqual([[piece, WRITE_BLOCK_BYTES], [piece + WRITE_BLOCK_BYTES + 1000, 10]])
  })
})

describe('the memory of the write gatherer', () => {
  it('makes the source wait when 96 blocks are out, and lets it go on when some are written', async () => {
    await disk.gatherer.write(0, new Uint8Array(MAX_DIRTY_BLOCKS * WRITE_BLOCK_BYTES))
    let hasRoom = false
    const waiting = disk.gatherer.write(MAX_DIRTY_BLOCKS * WRITE_BLOCK_BYTES, new Uint8Array(1)).then(() => { hasRoom = true })
    await disk.settle()
    expect(hasRoom).toBe(false)
    disk.writes[0]?.end.resolve()
    await waiting
    expect(disk.written).toEqual([[0, 2 * MIB]])
  })

  it('takes a chunk at once only if all of it finds room', async () => {
    const full = MAX_DIRTY_BLOCKS * WRITE_BLOCK_BYTES
    expect(disk.gatherer.tryWrite(0, new Uint8Array(full - 1000))).toBe(true)
    expect(disk.gatherer.tryWrite(full - 1000, new Uint8Array(1001))).toBe(false)
    expect(disk.gatherer.tryWrite(2 * full, new Uint8Array(1))).toBe(false)
    expect(disk.gatherer.tryWrite(full - 1000, new Uint8Array(1000))).toBe(true)
    expect(disk.gatherer.tryWrite(full, new Uint8Array(1))).toBe(false)
    await disk.endAll()
    expect(disk.edge).toBe(full)
  })

  it('counts a block again whose rest is filled', async () => {
    await disk.gatherer.write(0, new Uint8Array(1000))
    await disk.endAll()
    expect(disk.gatherer.tryWrite(1000, new Uint8Array(MAX_DIRTY_BLOCKS * WRITE_BLOCK_BYTES))).toBe(false)
    expect(disk.gatherer.tryWrite(1000, new Uint8Array(WRITE_BLOCK_BYTES - 1000))).toBe(true)
    expect(disk.gatherer.tryWrite(WRITE_BLOCK_BYTES, new Uint8Array((MAX_DIRTY_BLOCKS - 1) * WRITE_BLOCK_BYTES + 1))).toBe(false)
    expect(disk.gatherer.tryWrite(WRITE_BLOCK_BYTES, new Uint8Array((MAX_DIRTY_BLOCKS - 1) * WRITE_BLOCK_BYTES))).toBe(true)
    await disk.endAll()
  })

  it('takes all of a chunk it has said it takes, though blocks become scarce by it', async () => {
    const others = Array.from({ length: 380 }, () => disk.blocks.take())
    expect(disk.gatherer.tryWrite(0, new Uint8Array(20 * WRITE_BLOCK_BYTES))).toBe(true)
    expect(disk.gatherer.tryWrite(20 * WRITE_BLOCK_BYTES, new Uint8Array(1))).toBe(false)
    await disk.endAll()
    expect(disk.edge).toBe(20 * WRITE_BLOCK_BYTES)
    for (const block of others) disk.blocks.give(block)
  })

  it('lets nothing gather once 64 blocks are out, however many pieces grow', async () => {
    for (let index = 1; index < 64; index++) await disk.gatherer.write(index * 4 * MIB, new Uint8Array(1000))
    await disk.settle()
    expect(disk.writes).toEqual([])
    await disk.gatherer.write(256 * MIB, new Uint8Array(1000))
    await disk.endAll()
    expect(disk.writes).toHaveLength(64)
  })

  it('holds 1 MiB while blocks are scarce', async () => {
    const others = Array.from({ length: 400 }, () => disk.blocks.take())
    for (let index = 1; index <= 8; index++) expect(disk.gatherer.tryWrite(index * 4 * MIB, new Uint8Array(1000))).toBe(true)
    expect(disk.gatherer.tryWrite(40 * MIB, new Uint8Array(1))).toBe(false)
    await disk.endAll()
    expect(disk.gatherer.tryWrite(40 * MIB, new Uint8Array(1))).toBe(true)
    for (const block of others) disk.blocks.give(block)
  })

  it('gives back all blocks', async () => {
    await disk.gatherer.write(0, new Uint8Array(3 * MIB))
    await disk.gatherer.write(100 * MIB, new Uint8Array(MIB))
    await disk.endAll()
    disk.gatherer.release()
    expect(disk.gatherer.copyRecent(new Uint8Array(1), 0)).toBe(0)
    // 385 more are as many as if none had been taken before
    const others = Array.from({ length: 384 }, () => disk.blocks.take())
    expect(disk.blocks.isScarce).toBe(false)
    for (const block of others) disk.blocks.give(block)
  })

  it('forgets what was erased, and nothing else', async () => {
    await disk.gatherer.write(0, bytesOf(3 * WRITE_BLOCK_BYTES))
    await disk.endAll()
    disk.gatherer.forget(WRITE_BLOCK_BYTES, WRITE_BLOCK_BYTES + 1)
    const buffer = new Uint8Array(10)
    expect(disk.gatherer.copyRecent(buffer, WRITE_BLOCK_BYTES - 4)).toBe(4)
    expect(disk.gatherer.copyRecent(buffer, WRITE_BLOCK_BYTES + 100)).toBe(0)
    expect(disk.gatherer.copyRecent(buffer, 2 * WRITE_BLOCK_BYTES)).toBe(10)
  })
})

describe('a block that was given back', () => {
  it('is filled no more', async () => {
    await disk.gatherer.write(0, bytesOf(1000))
    await disk.endAll()
    disk.gatherer.forget(0, 1)
    const other = disk.blocks.take()
    await disk.gatherer.write(1000, bytesOf(500))
    other.fill(0xff)
    const buffer = new Uint8Array(500)
    expect(disk.gatherer.copyRecent(buffer, 1000)).toBe(500)
    expect(buffer).toEqual(bytesOf(500))
    await disk.endAll()
    expect(disk.lengths.at(-1)).toEqual([1000, 500])
  })
})

describe('a write that fails', () => {
  const full = new Error('full')

  it('loses what is not written, and nothing is taken until it is reset', async () => {
    await disk.gatherer.write(0, new Uint8Array(4 * MIB))
    await disk.gatherer.write(100 * MIB, new Uint8Array(1000))
    const flushed = disk.gatherer.flush(100 * MIB, 100 * MIB + 1000)
    await disk.settle()
    disk.writes[0]?.end.resolve()
    await disk.settle()
    disk.writes[1]?.end.reject(full)
    await expect(flushed).rejects.toBe(full)
    await expect(disk.gatherer.drain()).rejects.toBe(full)
    await expect(disk.gatherer.write(2 * MIB, new Uint8Array(1))).rejects.toBe(full)
    expect(disk.gatherer.tryWrite(2 * MIB, new Uint8Array(1))).toBe(false)
    expect([disk.failures, disk.written]).toEqual([1, [[0, 2 * MIB]]])
    disk.gatherer.reset()
    await disk.gatherer.write(2 * MIB, new Uint8Array(5))
    await disk.settle()
    expect(disk.lengths.at(-1)).toEqual([2 * MIB, 5])
  })

  it('wakes a source that waits', async () => {
    const write = disk.gatherer.write(0, new Uint8Array((MAX_DIRTY_BLOCKS + 1) * WRITE_BLOCK_BYTES))
    await disk.settle()
    disk.writes[0]?.end.reject(full)
    await expect(write).rejects.toBe(full)
    expect(disk.edge).toBe(0)
  })
})
