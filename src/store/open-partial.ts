import { digestAlgorithm, type Digest } from '../oci/digest.ts'
import { DiskPartial } from './disk-partial.ts'
import type { DiskPartialOwner } from './disk-partial-owner.ts'
import { HASH_BLOCK_BYTES } from './hash-messages.ts'
import { JournalFile } from './journal-file.ts'
import { PartialFileHandle } from './partial-file.ts'
import { PartialHash } from './partial-hash.ts'
import { blockEnd, sourcesOf, type ClaimedSpan, type JournalBlock } from './partial-journal.ts'
import { HashFailedError } from './store-errors.ts'
import { withSignal } from './with-signal.ts'

/** Spans that are hashed at a time: more would keep those of blobs on their way waiting. */
const SPANS_AT_A_TIME = 4
/** What a hash fails with when the bytes are lost; with anything else they may be found the next time. */
const LOST = new Set(['SHORT_READ', 'EIO'])

/**
 * Opens a partial and keeps the longest prefix whose blocks read back as the journal says, and the confirmed spans beyond it that do:
 * after a kill that is all that was journaled, after a power cut it may be less, and never a wrong byte. All is hashed in other threads.
 */
export async function openDiskPartial (digest: Digest, paths: { data: string, journal: string }, owner: DiskPartialOwner, signal?: AbortSignal): Promise<DiskPartial> {
  const file = await PartialFileHandle.open(paths.data)
  let journal: JournalFile | undefined
  let hash: PartialHash | undefined
  try {
    const opened = await JournalFile.open(paths.journal)
    journal = opened.journal
    const length = await file.length()
    const found: { prefixes: string[], partial?: DiskPartial } = { prefixes: [] }
    hash = new PartialHash({
      hashes: owner.hashes,
      path: paths.data,
      algorithm: digestAlgorithm(digest),
      onBlock: (index, hex) => {
        if (found.partial === undefined) found.prefixes[index] = hex
        else found.partial.blockHashed(index, hex)
      }
    })
    const claimed = opened.state.blocks.filter(block => blockEnd(block) <= length)
    const blocks = await withSignal(goodPrefix(claimed, hash, found.prefixes), signal)
    const prefix = blocks.length === 0 ? 0 : blockEnd(blocks.at(-1)!)
    const confirmed = await goodSpans(opened.state.spans, prefix, span => owner.hashes.span(paths.data, span), signal)
    signal?.throwIfAborted()

    hash.rewind(prefix)
    if (blocks.length < opened.state.blocks.length) journal.append({ erase: [prefix, prefix] })
    for (const span of opened.state.spans) {
      if (!confirmed.has(span)) journal.append({ erase: [Math.max(span.start, prefix), span.end] })
    }
    const sources = sourcesOf(blocks, [...confirmed])
    if (length !== sources.end) await file.truncate(sources.end, owner.temporary())
    found.partial = new DiskPartial(digest, owner, {
      file,
      journal,
      hash,
      journaled: Math.floor(prefix / HASH_BLOCK_BYTES),
      confirmed: [...confirmed].map(({ from: _from, ...span }) => span),
      spans: sources.all,
      size: opened.state.size,
      access: opened.state.access
    })
    return found.partial
  } catch (error) {
    hash?.stop()
    await journal?.close()
    await file.close()
    throw error
  }
}

/** Hashes all that is claimed (the hash then goes on behind it) and compares block by block. */
async function goodPrefix (claimed: readonly JournalBlock[], hash: PartialHash, prefixes: string[]): Promise<readonly JournalBlock[]> {
  const last = claimed.at(-1)
  if (last === undefined) return []
  prefixes[last.block] = await hash.finish(blockEnd(last))
  const bad = claimed.findIndex(block => prefixes[block.block] !== block.prefix)
  return bad === -1 ? claimed : claimed.slice(0, bad)
}

/** Those within the good prefix, whose bytes cannot have changed since, and those that hash to what is claimed; until the signal fires. */
async function goodSpans (claimed: readonly ClaimedSpan[], prefix: number, hash: (span: ClaimedSpan) => Promise<string>, signal?: AbortSignal): Promise<ReadonlySet<ClaimedSpan>> {
  const good = new Set(claimed.filter(span => span.end <= prefix))
  const doubtful = claimed.filter(span => !good.has(span)).values()
  const check = async (): Promise<void> => {
    for (const span of doubtful) {
      if (signal?.aborted === true) return
      if (await hashOrNothing(span, hash) === span.sha256) good.add(span)
    }
  }
  await Promise.all(Array.from({ length: SPANS_AT_A_TIME }, check))
  return good
}

/** What the file no longer has is no reason to fail. */
async function hashOrNothing (span: ClaimedSpan, hash: (span: ClaimedSpan) => Promise<string>): Promise<string | undefined> {
  try {
    return await hash(span)
  } catch (error) {
    if (error instanceof HashFailedError && LOST.has(error.reason)) return undefined
    throw error
  }
}
