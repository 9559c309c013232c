import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { readJournal } from '../../src/store/journal-file.ts'
import { blockEnd } from '../../src/store/partial-journal.ts'
import { seededRandom, testSeed } from '../support/seeded-random.ts'
import { KILLED_PIECE_BYTES, killedBytes, noteAt, sourceAt } from './killed-content.ts'
import { StoreChild } from './store-child.ts'
import { StoreDirectory } from './store-directory.ts'

const KILLS = 15
const TIMEOUT_MS = 90_000

let directory: StoreDirectory
beforeEach(async () => { directory = await StoreDirectory.make() })
afterEach(async () => { await directory.close() })

it('a process killed at any moment loses no block of its journal, and leaves no wrong byte', { timeout: TIMEOUT_MS }, async () => {
  const seed = testSeed()
  const bytes = killedBytes()
  const digest = digestOf(bytes)
  let kept = 0
  let commits = 0
  for (const [index, chance] of seededRandom(seed, KILLS).entries()) {
    const message = `TEST_SEED=${seed}, kill ${index}`
    const child = new StoreChild(new URL('./appending-child.ts', import.meta.url), [directory.path, digest])
    const moment = index % 5 === 4 ? 'verified' : `${kept + chance * bytes.length / 2}`
    await child.read(line => line === 'done' || line === moment || Number(line.slice('edge '.length)) > Number(moment))
    await child.kill()

    const journaled = (await readJournal(`${directory.partial(digest)}.journal`).catch(() => undefined))?.blocks.at(-1)
    const store = await directory.open()
    if (await store.stat(digest) === undefined) {
      const partial = await store.openPartial(digest)
      expect(partial.edge, message).toBe(journaled === undefined ? 0 : blockEnd(journaled))
      const read = await readFile(directory.partial(digest))
      expect(read.equals(bytes.subarray(0, partial.edge)), message).toBe(true)
      expect(partial.edge === 0 ? bytes.length : partial.size, message).toBe(bytes.length)
      for (const span of partial.spans) expect([span.source, span.source], message).toEqual([sourceAt(span.start), sourceAt(span.end - 1)])
      kept = partial.edge
      await partial.close()
    } else {
      const reader = await store.open(digest)
      expect(reader?.record, message).toMatchObject({ kind: 'blob', access: 'seeded', size: bytes.length })
      expect(digestOf(await reader!.bytes()), message).toBe(digest)
      await reader?.close()
      await store.remove(digest)
      kept = 0
      commits++
    }
    expect(directory.events.filter(event => event.type === 'blob:quarantined'), message).toEqual([])
    await directory.closeStore()
  }
  const last = new StoreChild(new URL('./appending-child.ts', import.meta.url), [directory.path, digest])
  expect((await last.read(line => line === 'done')).at(-1)).toBe('done')
  await last.kill()
  const store = await directory.open()
  expect(await store.stat(digest), `${commits} commits before`).toMatchObject({ access: 'seeded', size: bytes.length })
})

it('a process killed at any moment loses no confirmed span of its journal, and leaves no wrong byte', { timeout: TIMEOUT_MS }, async () => {
  const seed = testSeed()
  const bytes = killedBytes()
  const digest = digestOf(bytes)
  const pieces = Math.ceil(bytes.length / KILLED_PIECE_BYTES)
  const script = new URL('./piecing-child.ts', import.meta.url)
  let kept = 0
  for (const [index, chance] of seededRandom(seed, KILLS).entries()) {
    const message = `TEST_SEED=${seed}, kill ${index}`
    const child = new StoreChild(script, [directory.path, digest, String(seed + index)])
    const moment = kept + chance * pieces / 2
    await child.read(line => line === (index % 5 === 4 ? 'verified' : 'done') || (index % 5 !== 4 && Number(line.slice('confirmed '.length)) > moment))
    await child.kill()

    const journal = await readJournal(`${directory.partial(digest)}.journal`).catch(() => undefined)
    const store = await directory.open()
    if (await store.stat(digest) === undefined) {
      const partial = await store.openPartial(digest)
      expect(partial.confirmed, message).toEqual((journal?.spans ?? []).map(({ start, end, sha256, note }) => ({ start, end, sha256, note })))
      const read = await readFile(directory.partial(digest))
      for (const { start, end } of partial.confirmed) {
        expect(partial.has({ start, end }), message).toBe(true)
        expect(sha256(bytes.subarray(start, end)), message).toBe(partial.confirmed.find(span => span.start === start)?.sha256)
      }
      // what is kept without a confirmation may be a wrong piece that was not erased yet, and says so
      for (const { start, end, source } of partial.spans) {
        const given = source === 'peer:liar' ? Buffer.alloc(end - start, 0xee) : bytes.subarray(start, end)
        expect(read.subarray(start, end).equals(given), message).toBe(true)
      }
      for (const { start, note } of partial.confirmed) expect(note, message).toBe(noteAt(start))
      kept = partial.confirmed.length
      await partial.close()
    } else {
      const reader = await store.open(digest)
      expect(digestOf(await reader!.bytes()), message).toBe(digest)
      await reader?.close()
      await store.remove(digest)
      kept = 0
    }
    expect(directory.events.filter(event => event.type === 'blob:quarantined'), message).toEqual([])
    await directory.closeStore()
  }
  const last = new StoreChild(script, [directory.path, digest, String(seed)])
  expect((await last.read(line => line === 'done')).at(-1)).toBe('done')
  await last.kill()
  const store = await directory.open()
  expect(await store.stat(digest)).toMatchObject({ access: 'seeded', size: bytes.length })
})

function sha256 (content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
