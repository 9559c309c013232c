import { crc32 } from 'node:zlib'
import { HASH_BLOCK_BYTES } from './hash-messages.ts'
import { SourceSpans } from './source-spans.ts'
import type { BlobFacts, SpanSource } from './store.ts'

/**
 * What is remembered of a partial blob beside its bytes. A journal is a text of lines, `<crc32 of the json, 8 hex> <json>\n`,
 * only ever appended to; reading stops at the first line that is not whole. Later lines win:
 *
 *     {"size":n}                                  bytes in all
 *     {"block":i,"length":n,"prefix":h,"from":[[n,"origin"],…]}   block i is here: h is the digest of all bytes up to its end;
 *                                                 shorter than a block only at the end
 *     {"truncate":edge}                           nothing at or beyond edge counts any more
 *     {"commit":facts,"size":n}                   verified, about to be renamed into place
 */
export type JournalEntry =
  | { readonly size: number }
  | JournalBlock
  | { readonly truncate: number }
  | { readonly commit: BlobFacts, readonly size: number }

export interface JournalBlock {
  readonly block: number
  readonly length: number
  /** Digest of the bytes from 0 to the end of this block, in hex: the running hash knows it for nothing. */
  readonly prefix: string
  /** Lengths and sources, in order, `length` bytes in all. */
  readonly from: ReadonlyArray<readonly [number, SpanSource]>
}

/** What a journal says after its last line. */
export interface JournalState {
  readonly size: number | undefined
  /** From block 0 on, without gaps; only the last may be short. */
  readonly blocks: readonly JournalBlock[]
  readonly commit: BlobFacts | undefined
}

export function encodeEntry (entry: JournalEntry): string {
  const json = JSON.stringify(entry)
  return `${checksum(json)} ${json}\n`
}

/** @returns the entries up to the first torn line, and how many bytes of the text they take */
export function decodeJournal (text: Uint8Array): { entries: JournalEntry[], length: number } {
  const entries: JournalEntry[] = []
  let length = 0
  for (;;) {
    const newline = text.indexOf(0x0a, length)
    if (newline === -1) break
    const line = Buffer.from(text.buffer, text.byteOffset + length, newline - length).toString()
    const json = line.slice(9)
    if (line[8] !== ' ' || line.slice(0, 8) !== checksum(json)) break
    entries.push(JSON.parse(json) as JournalEntry)
    length = newline + 1
  }
  return { entries, length }
}

export function replayJournal (entries: readonly JournalEntry[]): JournalState {
  const blocks = new Map<number, JournalBlock>()
  let size: number | undefined
  let commit: BlobFacts | undefined
  for (const entry of entries) {
    if ('block' in entry) {
      blocks.set(entry.block, entry)
    } else if ('truncate' in entry) {
      commit = undefined
      for (const [index, block] of blocks) {
        if (blockEnd(block) > entry.truncate) blocks.delete(index)
      }
    } else {
      size = entry.size
      if ('commit' in entry) commit = entry.commit
    }
  }
  return { size, blocks: contiguous(blocks), commit }
}

export function blockEnd (block: JournalBlock): number {
  return block.block * HASH_BLOCK_BYTES + block.length
}

/** The spans the blocks tell of. */
export function spansOf (blocks: readonly JournalBlock[]): SourceSpans {
  const spans = new SourceSpans()
  for (const block of blocks) {
    for (const [length, source] of block.from) spans.append(length, source)
  }
  return spans
}

function contiguous (blocks: ReadonlyMap<number, JournalBlock>): JournalBlock[] {
  const result: JournalBlock[] = []
  for (let block = blocks.get(0); block !== undefined; block = blocks.get(result.length)) {
    result.push(block)
    if (block.length < HASH_BLOCK_BYTES) break
  }
  return result
}

function checksum (json: string): string {
  return crc32(json).toString(16).padStart(8, '0')
}
