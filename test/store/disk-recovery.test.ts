import { appendFile, mkdir, readdir, readFile, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises'
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
