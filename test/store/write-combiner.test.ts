import { describe, expect, it } from 'vitest'
import { BlockPool, WRITE_BLOCK_BYTES } from '../../src/store/block-pool.ts'
import { WriteCombiner } from '../../src/store/write-combiner.ts'

/** A disk whose writes end when they are told to. */
class SlowDisk {
  readonly blocks = new BlockPool()
  readonly writes: Array<{ length: number, position: number, end: PromiseWithResolvers<void> }> = []
  readonly edges: number[] = []
  readonly failedAt: number[] = []
  readonly combiner = new WriteCombiner({
    blocks: this.blocks,
    write: async (bytes, position) => {
      const end = Promise.withResolvers<void>()
      this.writes.push({ length: bytes.length, position, end })
      await end.promise
    },
    onWritten: edge => { this.edges.push(edge) },
    onFailed: async edge => { this.failedAt.push(edge) }
  }, 0)

  async settle (): Promise<void> {
    await new Promise(setImmediate)
  }
}

describe('the write combiner', () => {
  it('writes at once what comes alone', async () => {
    const disk = new SlowDisk()
    await disk.combiner.append(new Uint8Array(10))
    await disk.settle()
    expect(disk.writes).toMatchObject([{ length: 10, position: 0 }])
  })

  it('gathers what comes during a write', async () => {
    const disk = new SlowDisk()
    for (let index = 0; index < 5; index++) {
      await disk.combiner.append(new Uint8Array(1000))
      if (index === 0) await disk.settle()
    }
    disk.writes[0]?.end.resolve()
    await disk.settle()
    expect(disk.writes).toMatchObject([{ length: 1000, position: 0 }, { length: 4000, position: 1000 }])
    expect(disk.edges).toEqual([1000])
  })

  it('makes the source wait when four blocks are out, and lets it go on when one is written', async () => {
    const disk = new SlowDisk()
    await disk.combiner.append(new Uint8Array(4 * WRITE_BLOCK_BYTES))
    let hasRoom = false
    const waiting = disk.combiner.append(new Uint8Array(1)).then(() => { hasRoom = true })
    await disk.settle()
    expect(hasRoom).toBe(false)
    disk.writes[0]?.end.resolve()
    await waiting
    expect(disk.edges).toEqual([WRITE_BLOCK_BYTES])
  })

  it('takes a chunk at once only if all of it finds room', async () => {
    const disk = new SlowDisk()
    expect(disk.combiner.tryAppend(new Uint8Array(3.5 * WRITE_BLOCK_BYTES))).toBe(true)
    expect(disk.combiner.tryAppend(new Uint8Array(0.5 * WRITE_BLOCK_BYTES + 1))).toBe(false)
    expect(disk.combiner.tryAppend(new Uint8Array(0.5 * WRITE_BLOCK_BYTES))).toBe(true)
    expect(disk.combiner.tryAppend(new Uint8Array(1))).toBe(false)
    for (let block = 0; block < 4; block++) {
      await disk.settle()
      disk.writes[block]?.end.resolve()
    }
    await disk.combiner.drain()
    expect(disk.combiner.edge).toBe(4 * WRITE_BLOCK_BYTES)
  })

  it('fills a block to its end though its beginning is written, and never takes more than finds room', async () => {
    const disk = new SlowDisk()
    const bytes = new Uint8Array(WRITE_BLOCK_BYTES).map((_, index) => index % 251)
    expect(disk.combiner.tryAppend(bytes.subarray(0, 1000))).toBe(true)
    await disk.settle()
    disk.writes[0]?.end.resolve()
    await disk.combiner.drain()
    expect(disk.combiner.tryAppend(new Uint8Array(4 * WRITE_BLOCK_BYTES))).toBe(false)
    expect(disk.combiner.tryAppend(bytes.subarray(1000))).toBe(true)
    expect(disk.combiner.tryAppend(new Uint8Array(3 * WRITE_BLOCK_BYTES + 1))).toBe(false)
    expect(disk.combiner.tryAppend(new Uint8Array(3 * WRITE_BLOCK_BYTES))).toBe(true)
    await disk.settle()
    const buffer = new Uint8Array(2000)
    expect(disk.combiner.copyRecent(buffer, 500)).toBe(500)
    for (let write = 1; write < 5; write++) {
      disk.writes[write]?.end.resolve()
      await disk.settle()
    }
    expect(disk.writes.map(({ position, length }) => [position, length])).toEqual([
      [0, 1000],
      [1000, WRITE_BLOCK_BYTES - 1000],
      ...[1, 2, 3].map(block => [block * WRITE_BLOCK_BYTES, WRITE_BLOCK_BYTES])
    ])
    expect(disk.combiner.copyRecent(buffer, 500)).toBe(2000)
    expect(buffer).toEqual(bytes.subarray(500, 2500))
  })

  it('keeps what it wrote for readers, unless blocks are scarce', async () => {
    const disk = new SlowDisk()
    const writeOne = async (fill: number): Promise<void> => {
      await disk.combiner.append(new Uint8Array(WRITE_BLOCK_BYTES).fill(fill))
      await disk.settle()
      disk.writes.at(-1)?.end.resolve()
      await disk.combiner.drain()
    }
    const buffer = new Uint8Array(10)
    for (let fill = 0; fill < 11; fill++) await writeOne(fill)
    expect(disk.combiner.copyRecent(buffer, WRITE_BLOCK_BYTES - 1)).toBe(0)
    expect(disk.combiner.copyRecent(buffer, 2 * WRITE_BLOCK_BYTES - 4)).toBe(4)
    expect([...buffer]).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    const others = Array.from({ length: 60 }, () => disk.blocks.take())
    await writeOne(11)
    expect(disk.combiner.copyRecent(buffer, 11 * WRITE_BLOCK_BYTES)).toBe(0)
    for (const block of others) disk.blocks.give(block)
  })

  it('drops what lies beyond a failed write and takes nothing until it is reset', async () => {
    const disk = new SlowDisk()
    const full = new Error('full')
    await disk.combiner.append(new Uint8Array(2 * WRITE_BLOCK_BYTES))
    await disk.settle()
    disk.writes[0]?.end.resolve()
    await disk.settle()
    disk.writes[1]?.end.reject(full)
    await expect(disk.combiner.drain()).rejects.toBe(full)
    await expect(disk.combiner.append(new Uint8Array(1))).rejects.toBe(full)
    expect(disk.failedAt).toEqual([WRITE_BLOCK_BYTES])
    disk.combiner.reset(WRITE_BLOCK_BYTES)
    await disk.combiner.append(new Uint8Array(5))
    await disk.settle()
    expect(disk.writes.at(-1)).toMatchObject({ length: 5, position: WRITE_BLOCK_BYTES })
  })

  it('wakes a source that waits when the write fails', async () => {
    const disk = new SlowDisk()
    const full = new Error('full')
    const append = disk.combiner.append(new Uint8Array(6 * WRITE_BLOCK_BYTES))
    await disk.settle()
    disk.writes[0]?.end.reject(full)
    await expect(append).rejects.toBe(full)
    expect(disk.combiner.edge).toBe(0)
  })
})
