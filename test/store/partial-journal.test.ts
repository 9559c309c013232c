import { describe, expect, it } from 'vitest'
import { decodeJournal, encodeEntry, replayJournal, spansOf, type JournalEntry } from '../../src/store/partial-journal.ts'

const MIB = 1024 * 1024

function block (index: number, length = MIB, prefix = String(index)): JournalEntry {
  return { block: index, length, prefix, from: [[length - 1, 'origin'], [1, 'peer:ä']] }
}

describe('the journal of a partial', () => {
  const entries: JournalEntry[] = [{ size: 5 * MIB }, block(0), block(1), { truncate: MIB + 5 }, block(1, 100, '77'), { commit: { kind: 'manifest', access: 'public', mediaType: 'a/b' }, size: 5 * MIB }]
  const text = Buffer.from(entries.map(encodeEntry).join(''))

  it('gives back what was written', () => {
    expect(decodeJournal(text)).toEqual({ entries, length: text.length })
  })

  it('ends before the first line that is not whole, wherever it was cut', () => {
    for (let cut = 0; cut < text.length; cut++) {
      const { entries: read, length } = decodeJournal(text.subarray(0, cut))
      expect(length).toBeLessThanOrEqual(cut)
      expect(read).toEqual(entries.slice(0, read.length))
      expect(text.subarray(0, length).toString()).toBe(entries.slice(0, read.length).map(encodeEntry).join(''))
    }
  })

  it('ends before the first line in which a byte is wrong', () => {
    const second = encodeEntry(entries[0]!).length
    for (let at = second; at < second + encodeEntry(entries[1]!).length; at++) {
      const rotten = Buffer.from(text)
      rotten[at]! ^= 0x10
      expect(decodeJournal(rotten).entries).toEqual(entries.slice(0, 1))
    }
  })

  it('ends where a power cut left zeros', () => {
    expect(decodeJournal(Buffer.concat([text, Buffer.alloc(4096)]))).toEqual({ entries, length: text.length })
  })

  const tables: Array<[string, JournalEntry[], number[]]> = [
    ['takes blocks from the first on', [block(0), block(1), block(2, 5)], [0, 1, 2]],
    ['stops at a gap', [block(0), block(2)], [0]],
    ['knows nothing without the first', [block(1)], []],
    ['stops after a short block', [block(0, 10), block(1)], [0]],
    ['takes the later word on a block', [block(0, 10), block(0), block(1)], [0, 1]],
    ['forgets what was cut', [block(0), block(1), block(2), { truncate: 2 * MIB }], [0, 1]],
    ['forgets a block that was cut in its middle', [block(0), block(1), { truncate: MIB + 1 }], [0]],
    ['takes what came after the cut', [block(0), block(1), { truncate: 1 }, block(0)], [0]]
  ]
  it.each(tables)('%s', (_, given, expected) => {
    expect(replayJournal(given).blocks.map(each => each.block)).toEqual(expected)
  })

  it('knows size and commit, until a cut takes the commit back', () => {
    expect(replayJournal(entries)).toMatchObject({ size: 5 * MIB, commit: { kind: 'manifest', access: 'public', mediaType: 'a/b' } })
    expect(replayJournal([...entries, { truncate: 3 }]).commit).toBeUndefined()
  })

  it('knows the sources', () => {
    expect(spansOf(replayJournal([block(0), block(1, 10)]).blocks).slice(0, 2 * MIB)).toEqual([
      { start: 0, end: MIB - 1, source: 'origin' }, { start: MIB - 1, end: MIB, source: 'peer:ä' },
      { start: MIB, end: MIB + 9, source: 'origin' }, { start: MIB + 9, end: MIB + 10, source: 'peer:ä' }
    ])
  })
})
