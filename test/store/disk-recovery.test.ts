import { appendFile, mkdir, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { DiskStore } from '../../src/store/disk-store.ts'
import { encodeEntry } from '../../src/store/partial-journal.ts'
import { seededBytes } from '../support/image.ts'
import { publicBlob } from './store-contract.ts'
import { StoreChild } from './store-child.ts'
import { StoreDirectory } from './store-directory.ts'

const MIB = 1024 * 1024
const bytes = seededBytes(3 * MIB + 1000, 'recovery')
const digest = digestOf(bytes)

let directory: StoreDirectory
beforeEach(async () => { directory = await StoreDirectory.make() })
afterEach(async () => { await directory.close() })

/** All bytes appended, verified, and left. */
async function leavePartial (): Promise<void> {
  const store = await directory.open()
  const partial = await store.openPartial(digest)
  await partial.setSize(bytes.length)
  await partial.append(bytes, 'origin')
  await partial.verify()
  await partial.close()
  await directory.closeStore()
}

async function edgeFound (): Promise<number> {
  const store = await directory.open()
  const partial = await store.openPartial(digest)
  const { edge } = partial
  expect((await readFile(directory.partial(digest))).equals(bytes.subarray(0, edge))).toBe(true)
  if (edge < bytes.length) await partial.append(bytes.subarray(edge), 'peer:a')
  await partial.verify()
  await partial.close()
  await directory.closeStore()
  return edge
}

describe('a partial that the disk damaged', () => {
  beforeEach(leavePartial)

  it('keeps what comes before a wrong byte', async () => {
    const damaged = Buffer.from(bytes)
    damaged[2 * MIB + 5]! ^= 1
    await writeFile(directory.partial(digest), damaged)
    expect(await edgeFound()).toBe(2 * MIB)
    expect(await edgeFound()).toBe(bytes.length)
  })

  it('keeps the whole blocks of a file that was cut', async () => {
    await truncate(directory.partial(digest), MIB + 5)
    expect(await edgeFound()).toBe(MIB)
  })

  it('keeps no byte its journal does not tell of', async () => {
    await appendFile(directory.partial(digest), 'more')
    expect(await edgeFound()).toBe(bytes.length)
    await truncate(`${directory.partial(digest)}.journal`, 0)
    expect(await edgeFound()).toBe(0)
  })

  it('keeps all whose journal lines are whole, and goes on behind them', async () => {
    const journal = `${directory.partial(digest)}.journal`
    const lines = (await readFile(journal, 'utf8')).split('\n')
    await writeFile(journal, lines.slice(0, 3).join('\n') + '\n' + lines[3]!.slice(0, 20))
    expect(await edgeFound()).toBe(2 * MIB)
    expect(await edgeFound()).toBe(bytes.length)
  })
})

describe('confirmed spans that the disk damaged', () => {
  const piece = MIB / 2
  const pieces = [0, 1, 3, 5].map(index => ({ start: index * piece, end: (index + 1) * piece }))

  beforeEach(async () => {
    const store = await directory.open()
    const partial = await store.openPartial(digest)
    await partial.setSize(bytes.length)
    for (const { start, end } of pieces) {
      await partial.write(start, bytes.subarray(start, end), 'peer:a')
      partial.confirm({ start, end }, await partial.hash({ start, end }))
    }
    await partial.close()
    await directory.closeStore()
  })

  async function damage (position: number): Promise<void> {
    const damaged = await readFile(directory.partial(digest))
    damaged[position]! ^= 1
    await writeFile(directory.partial(digest), damaged)
  }

  /** Twice: what is found once is found again. */
  async function piecesFound (): Promise<number[]> {
    const found: number[][] = []
    for (let time = 0; time < 2; time++) {
      const store = await directory.open()
      const partial = await store.openPartial(digest)
      for (const { start, end } of partial.spans) {
        const buffer = Buffer.alloc(end - start)
        expect(await partial.read(buffer, start)).toBe(buffer.length)
        expect(buffer.equals(bytes.subarray(start, end))).toBe(true)
      }
      expect(partial.confirmed.every(span => partial.has(span))).toBe(true)
      found.push(partial.confirmed.map(({ start }) => start / piece))
      await partial.close()
      await directory.closeStore()
    }
    expect(found[1]).toEqual(found[0])
    return found[0]!
  }

  it('are forgotten one by one, not those around them', async () => {
    await damage(3 * piece + 77)
    expect(await piecesFound()).toEqual([0, 1, 5])
  })

  it('are kept though a byte before them is wrong', async () => {
    await damage(77)
    expect(await piecesFound()).toEqual([1, 3, 5])
  })

  it('are kept up to the end of a file that was cut', async () => {
    await truncate(directory.partial(digest), 5 * piece + 1)
    expect(await piecesFound()).toEqual([0, 1, 3])
  })

  it('are kept without the bytes that nobody confirmed', async () => {
    await appendFile(directory.partial(digest), 'more')
    expect(await piecesFound()).toEqual([0, 1, 3, 5])
    expect((await readFile(directory.partial(digest))).length).toBe(6 * piece)
  })

  it('are kept by their own lines when those of the blocks before are lost', async () => {
    const journal = `${directory.partial(digest)}.journal`
    const lines = (await readFile(journal, 'utf8')).split('\n')
    await writeFile(journal, lines.filter(line => !line.includes('"block"')).join('\n'))
    expect(await piecesFound()).toEqual([0, 1, 3, 5])
  })

  it('take no good byte before them along', async () => {
    let store = await directory.open()
    let partial = await store.openPartial(digest)
    await partial.write(2 * piece, bytes.subarray(2 * piece, 3 * piece), 'peer:b')
    const span = { start: piece, end: 3 * piece }
    partial.confirm(span, await partial.hash(span))
    await partial.close()
    await directory.closeStore()
    await damage(2 * piece + 77)
    for (let time = 0; time < 2; time++) {
      store = await directory.open()
      partial = await store.openPartial(digest)
      expect([partial.edge, partial.confirmed.map(({ start }) => start / piece)]).toEqual([MIB, [0, 3, 5]])
      await partial.close()
    }
  })

  it('are told of no more once another piece has taken their place and was not confirmed', async () => {
    await damage(3 * piece + 77)
    let store = await directory.open()
    let partial = await store.openPartial(digest)
    await partial.write(3 * piece, bytes.subarray(3 * piece, 4 * piece), 'peer:b')
    await partial.flush()
    await partial.close()
    store = await directory.open()
    partial = await store.openPartial(digest)
    expect(partial.has({ start: 3 * piece, end: 4 * piece })).toBe(false)
    await partial.close()
  })
})

describe('opening a partial', () => {
  it('are never kept without what was noted of them before they came, wherever the journal ends', async () => {
    const store = await directory.open()
    const partial = await store.openPartial(digest)
    partial.noteAccess('public')
    await partial.append(bytes.subarray(0, MIB), 'peer:a')
    partial.noteAccess('restricted')
    await partial.append(bytes.subarray(MIB, 2 * MIB), 'peer:b')
    const span = { start: 2 * MIB + 10, end: 2 * MIB + 1000 }
    await partial.write(span.start, bytes.subarray(span.start, span.end), 'peer:b')
    partial.confirm(span, await partial.hash(span))
    await partial.close()
    await directory.closeStore()
    const data = await readFile(directory.partial(digest))
    const lines = (await readFile(`${directory.partial(digest)}.journal`, 'utf8')).split('\n')
    const found: Array<[edge: number, access: string | undefined]> = []
    for (let count = 0; count <= lines.length; count++) {
      await writeFile(directory.partial(digest), data)
      await writeFile(`${directory.partial(digest)}.journal`, lines.slice(0, count).map(line => `${line}\n`).join(''))
      const cut = await (await directory.open()).openPartial(digest)
      const hasOfB = cut.spans.some(({ source }) => source === 'peer:b')
      expect([hasOfB, cut.access]).not.toEqual([true, 'public'])
      expect([cut.edge > 0, cut.access]).not.toEqual([true, undefined])
      found.push([cut.edge, cut.access])
      await cut.discard()
      await directory.closeStore()
    }
    expect(found.at(-1)).toEqual([2 * MIB, 'restricted'])
  })

  it('can be interrupted, and loses nothing by it', async () => {
    await leavePartial()
    const store = await directory.open()
    const controller = new AbortController()
    const opening = store.openPartial(digest, { signal: controller.signal })
    controller.abort()
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' })
    await expect(store.openPartial(digest, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    await directory.closeStore()
    expect(await edgeFound()).toBe(bytes.length)
  })

  it('ends when its store is closed', async () => {
    await leavePartial()
    const store = await directory.open()
    const opening = expect(store.openPartial(digest)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    await directory.closeStore()
    await opening
    expect(await edgeFound()).toBe(bytes.length)
  })
})

describe('a partial of 20 GiB', () => {
  it('takes some pieces anywhere, has room for them alone, and finds them again', async () => {
    const size = 20 * 1024 * MIB
    const starts = [0, 4 * MIB, 7 * 1024 * MIB, size - MIB]
    let store = await directory.open()
    let partial = await store.openPartial(digest)
    await partial.setSize(size)
    for (const start of starts) {
      await partial.write(start, bytes.subarray(0, MIB), 'origin')
      const span = { start, end: start + MIB }
      partial.confirm(span, await partial.hash(span))
    }
    await partial.close()
    expect((await stat(directory.partial(digest))).size).toBe(size)
    store = await directory.open()
    const { partialBytes } = await store.usage()
    expect(partialBytes).toBeGreaterThanOrEqual(4 * MIB)
    expect(partialBytes).toBeLessThan(5 * MIB)
    partial = await store.openPartial(digest)
    expect([partial.size, partial.edge, partial.spans.map(({ start, end }) => [start, end - start])]).toEqual([size, MIB, starts.map(start => [start, MIB])])
    const buffer = Buffer.alloc(10)
    expect(await partial.read(buffer, size - 5)).toBe(5)
    expect(buffer.subarray(0, 5).equals(bytes.subarray(MIB - 5, MIB))).toBe(true)
    await expect(partial.verify()).rejects.toMatchObject({ code: 'PARTIAL_SIZE', expected: size, actual: MIB })
    await partial.discard()
  })
})

describe('a store that was killed', () => {
  it('ends a commit that stopped after its rename, and verifies the file before it serves it', async () => {
    await leavePartial()
    await appendFile(`${directory.partial(digest)}.journal`, encodeEntry({ commit: { kind: 'blob', access: 'seeded' }, size: bytes.length }))
    await rename(directory.partial(digest), directory.blob(digest))
    let store = await directory.open()
    expect(await store.stat(digest)).toMatchObject({ digest, size: bytes.length, kind: 'blob', access: 'seeded' })
    expect(await directory.names('partial')).toEqual([])
    await directory.closeStore()
    const damaged = Buffer.from(bytes)
    damaged[9]! ^= 1
    await writeFile(directory.blob(digest), damaged)
    store = await directory.open()
    expect(await store.open(digest)).toBeUndefined()
  })

  it('takes a commit that stopped before its rename for a partial', async () => {
    await leavePartial()
    await appendFile(`${directory.partial(digest)}.journal`, encodeEntry({ commit: publicBlob, size: bytes.length }))
    const store = await directory.open()
    expect(await store.stat(digest)).toBeUndefined()
    await directory.closeStore()
    expect(await edgeFound()).toBe(bytes.length)
  })

  it('leaves no temporary files', async () => {
    await directory.open()
    await directory.closeStore()
    await writeFile(join(directory.path, 'index.json.tmp'), 'x')
    await writeFile(`${directory.partial(digest)}.3.tmp`, 'x')
    await directory.open()
    expect(await directory.names('partial')).toEqual([])
    expect((await readdir(directory.path)).filter(name => name.endsWith('.tmp'))).toEqual([])
  })

  it('deletes partials that nobody came back for, and keeps the others', async () => {
    await leavePartial()
    const month = 30 * 24 * 60 * 60
    await utimes(directory.partial(digest), Date.now() / 1000 - month, Date.now() / 1000 - month)
    await directory.open({ partialMaxAgeMs: 2 * month * 1000 })
    expect(await directory.names('partial')).toHaveLength(2)
    await directory.open()
    expect(await directory.names('partial')).toEqual([])
  })
})

describe('a data directory', () => {
  it('belongs to one process at a time, and is free when that was killed', async () => {
    const child = new StoreChild(new URL('./holding-child.ts', import.meta.url), [directory.path])
    await child.read(line => line === 'open')
    await expect(DiskStore.open(directory.path)).rejects.toMatchObject({ code: 'STORE_IN_USE', directory: directory.path, message: expect.stringContaining('stop it or choose another --data') as string })
    await child.kill()
    await directory.open()
  })

  it('belongs to one store at a time within a process', async () => {
    await directory.open()
    await expect(DiskStore.open(directory.path)).rejects.toMatchObject({ code: 'STORE_IN_USE' })
  })

  it('that cannot be made is named with the reason', async () => {
    const path = join(directory.path, 'file', 'data')
    await writeFile(join(directory.path, 'file'), '')
    await expect(DiskStore.open(path)).rejects.toMatchObject({ code: 'STORE_UNWRITABLE', message: expect.stringMatching(/cannot write .*file.*ENOTDIR/) as string })
  })

  it('keeps its records when the database’s files were damaged', async () => {
    let store = await directory.open()
    for (let index = 0; index < 50; index++) {
      const content = Buffer.from(`blob ${index}`)
      await store.put(digestOf(content), content, publicBlob)
    }
    await directory.closeStore()
    const database = join(directory.path, 'db', 'store')
    const current = (await readFile(join(database, 'CURRENT'), 'utf8')).trim()
    for (const damage of [() => writeFile(join(database, current), 'rubbish'), () => writeFile(join(database, 'CURRENT'), 'MANIFEST-000099\n')]) {
      await damage()
      store = await directory.open()
      expect(await store.usage()).toMatchObject({ blobs: 50 })
      await directory.closeStore()
    }
  })

  it('says so when the database cannot be repaired', async () => {
    await directory.open()
    await directory.closeStore()
    const current = join(directory.path, 'db', 'store', 'CURRENT')
    await rm(current)
    await mkdir(join(current, 'directory'), { recursive: true })
    await expect(DiskStore.open(directory.path)).rejects.toMatchObject({ code: 'STORE_CORRUPT', message: expect.stringContaining('blobs are kept') as string })
  })
})
