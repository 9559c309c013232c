import { describe, expect, it } from 'vitest'
import { decodeJournal, encodeEntry, replayJournal, sourcesOf, type JournalEntry } from '../../src/store/partial-journal.ts'

const MIB = 1024 * 1024

function block (index: number, length = MIB, prefix = String(index)): JournalEntry {
  return { block: index, length, prefix, from: [[length - 1, 'origin'], [1, 'peer:ä']] }
}

function span (start: number, end: number, sha256 = 'ab'): JournalEntry {
  return { span: [start, end], sha256, from: [[end - start - 2, 'peer:ä'], [2, 'origin']], note: 'ö' }
}

describe('the journal of a partial', () => {
  const entries: JournalEntry[] = [{ size: 5 * MIB }, block(0), span(3 * MIB, 4 * MIB), block(1), { erase: [3 * MIB, 3 * MIB + 5] }, { truncate: MIB + 5 }, block(1, 100, '77'), { commit: { kind: 'manifest', access: 'public', mediaType: 'a/b' }, size: 5 * MIB }]
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
    ['takes what came after the cut', [block(0), block(1), { truncate: 1 }, block(0)], [0]],
    ['forgets blocks that know bytes which were erased', [block(0), block(1), block(2), { erase: [MIB + 5, MIB + 6] }], [0]],
    ['forgets blocks alone when no byte is erased', [block(0), block(1), { erase: [MIB, MIB] }], [0]],
    ['cares for no line it does not know', [block(0), { later: 1 } as unknown as JournalEntry], [0]]
  ]
  it.each(tables)('%s', (_, given, expected) => {
    expect(replayJournal(given).blocks.map(each => each.block)).toEqual(expected)
  })

  const spanTables: Array<[string, JournalEntry[], Array<[number, number]>]> = [
    ['takes spans wherever they lie, in order', [span(50, 60), span(10, 20), block(0)], [[10, 20], [50, 60]]],
    ['takes the later word on a byte', [span(0, 10), span(10, 20), span(20, 30), span(5, 15)], [[5, 15], [20, 30]]],
    ['forgets spans of which a byte was erased', [span(0, 10), span(10, 20), span(20, 30), { erase: [9, 11] }], [[20, 30]]],
    ['forgets no span when no byte is erased', [span(0, 10), span(10, 20), { erase: [5, 5] }], [[0, 10], [10, 20]]],
    ['forgets spans that were cut', [span(0, 10), span(10, 20), span(30, 40), { truncate: 15 }], [[0, 10]]],
    ['takes a span that came after it was erased', [span(0, 10), { erase: [0, 10] }, span(0, 10)], [[0, 10]]]
  ]
  it.each(spanTables)('%s', (_, given, expected) => {
    expect(replayJournal(given).spans.map(({ start, end }) => [start, end])).toEqual(expected)
  })

  it('keeps size and commit through lines it does not know', () => {
    expect(replayJournal([{ size: 7 }, { later: 1 } as unknown as JournalEntry]).size).toBe(7)
  })

  it('knows size and commit, until a cut takes the commit back', () => {
    expect(replayJournal(entries)).toMatchObject({ size: 5 * MIB, commit: { kind: 'manifest', access: 'public', mediaType: 'a/b' } })
    expect(replayJournal([...entries, { truncate: 3 }]).commit).toBeUndefined()
  })

  it('knows the sources', () => {
    const { blocks, spans } = replayJournal([block(0), block(1, 10), span(MIB + 5, MIB + 15), span(2 * MIB, 2 * MIB + 4)])
    expect(sourcesOf(blocks, spans).all).toEqual([
      { start: 0, end: MIB - 1, source: 'origin' }, { start: MIB - 1, end: MIB, source: 'peer:ä' },
      { start: MIB, end: MIB + 9, source: 'origin' }, { start: MIB + 9, end: MIB + 13, source: 'peer:ä' },
      { start: MIB + 13, end: MIB + 15, source: 'origin' }, { start: 2 * MIB, end: 2 * MIB + 2, source: 'peer:ä' }, { start: 2 * MIB + 2, end: 2 * MIB + 4, source: 'origin' }
    ])
  })
})
