import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { JournalFile, readJournal } from '../../src/store/journal-file.ts'
import { encodeEntry, type JournalEntry } from '../../src/store/partial-journal.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'

describe('the file of a journal', () => {
  let directory: string
  let path: string
  beforeEach(async () => {
    directory = await makeTempDir('journal')
    path = join(directory, 'journal')
  })
  afterEach(async () => { await removeTempDir(directory) })

  function block (index: number): JournalEntry {
    return { block: index, length: 1024 * 1024, prefix: 'a1', from: [[1024 * 1024, 'origin']] }
  }

  it('holds every entry that was flushed', async () => {
    const { journal } = await JournalFile.open(path)
    for (let index = 0; index < 100; index++) {
      journal.append(block(index))
      if (index % 7 === 0) await journal.flush()
    }
    await journal.flush()
    expect((await readJournal(path)).blocks).toHaveLength(100)
    await journal.close()
  })

  it('does not bring back entries that came after a damaged one', async () => {
    const lines = [{ size: 9 }, block(0), block(1)].map(encodeEntry)
    await writeFile(path, `${lines[0]}${lines[1]?.replace('"prefix":"a1"', '"prefix":"a2"')}${lines[2]}`)
    const { journal, state } = await JournalFile.open(path)
    expect(state).toMatchObject({ size: 9, blocks: [] })
    journal.append(block(0))
    await journal.close()
    expect((await readJournal(path)).blocks).toHaveLength(1)
    expect(await readFile(path, 'utf8')).toBe(`${lines[0]}${lines[1]}`)
  })
})
