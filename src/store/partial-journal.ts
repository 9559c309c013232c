import { crc32 } from 'node:zlib'
import { ConfirmedSpans } from './confirmed-spans.ts'
import { HASH_BLOCK_BYTES } from './hash-messages.ts'
import { SourceSpans } from './source-spans.ts'
import type { Access, BlobFacts, ConfirmedSpan, SourcedSpan, SpanSource } from './store.ts'

/**
 * What is remembered of a partial blob beside its bytes. A journal is a text of lines, `<crc32 of the json, 8 hex> <json>\n`,
 * only ever appended to; reading stops at the first line that is not whole. Later lines win:
 *
 *     {"size":n}                                  bytes in all
 *     {"block":i,"length":n,"prefix":h,"from":[[n,"origin"],…]}   block i is here: h is the digest of all bytes up to its end;
 *                                                 shorter than a block only at the end
 *     {"span":[start,end],"sha256":h,"from":[[n,"origin"],…],"note":text}   the bytes of the span are here and hash to h, wherever they lie;
 *                                                 it takes the place of those it overlaps; the note may be missing
 *     {"erase":[start,end]}                       the bytes of the span are here no longer: nothing counts any more that tells of one
 *                                                 of them, neither spans that overlap nor blocks that end beyond its start
 *     {"truncate":edge}                           nothing at or beyond edge counts any more
 *     {"access":"public"}                         who may have what earlier lines tell of, and what later ones do
 *     {"commit":facts,"size":n}                   verified, about to be renamed into place
 */
export type JournalEntry =
  | { readonly size: number }
  | JournalBlock
  | JournalSpan
  | { readonly erase: readonly [start: number, end: number] }
  | { readonly truncate: number }
  | { readonly access: Access }
  | { readonly commit: BlobFacts, readonly size: number }

export interface JournalBlock {
  readonly block: number
  readonly length: number
  /** Digest of the bytes from 0 to the end of this block, in hex: the running hash knows it for nothing. */
  readonly prefix: string
  readonly from: JournalSources
}

export interface JournalSpan {
  readonly span: readonly [start: number, end: number]
  readonly sha256: string
  readonly from: JournalSources
  readonly note?: string
}

/** Lengths and sources, in order, of all bytes of the block or span. */
type JournalSources = ReadonlyArray<readonly [length: number, source: SpanSource]>

/** A span that was confirmed, and where its bytes came from. */
export interface ClaimedSpan extends ConfirmedSpan {
  readonly from: JournalSources
}

/** What a journal says after its last line. */
export interface JournalState {
  readonly size: number | undefined
  /** From block 0 on, without gaps; only the last may be short. */
  readonly blocks: readonly JournalBlock[]
  /** Sorted and disjoint; some may lie within the blocks. */
  readonly spans: readonly ClaimedSpan[]
  readonly access: Access | undefined
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
  const spans = new ConfirmedSpans<ClaimedSpan>()
  let size: number | undefined
  let access: Access | undefined
  let commit: BlobFacts | undefined
  const forget = (start: number, end: number): void => {
    commit = undefined
    spans.delete(start, end)
    for (const [index, block] of blocks) {
      if (blockEnd(block) > start) blocks.delete(index)
    }
  }
  for (const entry of entries) {
    if ('block' in entry) blocks.set(entry.block, entry)
    else if ('span' in entry) spans.add(claimOf(entry))
    else if ('erase' in entry) forget(...entry.erase)
    else if ('truncate' in entry) forget(entry.truncate, Infinity)
    else if ('access' in entry) access = entry.access
    else if ('size' in entry) size = entry.size
    if ('commit' in entry) commit = entry.commit
  }
  return { size, blocks: contiguous(blocks), spans: spans.all, access, commit }
}

/** The line for a confirmed span, whose sources are cut to it. */
export function spanEntry ({ start, end, sha256, note }: ConfirmedSpan, sources: readonly SourcedSpan[]): JournalSpan {
  return { span: [start, end], sha256, from: lengthsOf(sources), ...note !== undefined && { note } }
}

export function lengthsOf (sources: readonly SourcedSpan[]): JournalSources {
  return sources.map(({ start, end, source }) => [end - start, source] as const)
}

export function blockEnd (block: JournalBlock): number {
  return block.block * HASH_BLOCK_BYTES + block.length
}

/** Where the bytes came from that blocks and spans tell of; of what both tell, the blocks'. */
export function sourcesOf (blocks: readonly JournalBlock[], spans: readonly ClaimedSpan[] = []): SourceSpans {
  const sources = new SourceSpans()
  for (const { block, from } of blocks) addMissing(sources, block * HASH_BLOCK_BYTES, from)
  for (const { start, from } of spans) addMissing(sources, start, from)
  return sources
}

function addMissing (sources: SourceSpans, start: number, from: JournalSources): void {
  for (const [length, source] of from) {
    for (const gap of sources.missing(start, start + length)) sources.add(gap.start, gap.end, source)
    start += length
  }
}

function claimOf ({ span: [start, end], sha256, from, note }: JournalSpan): ClaimedSpan {
  return { start, end, sha256, from, ...note !== undefined && { note } }
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
