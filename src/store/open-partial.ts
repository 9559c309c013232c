import { digestAlgorithm, type Digest } from '../oci/digest.ts'
import { DiskPartial, type DiskPartialOwner } from './disk-partial.ts'
import { JournalFile } from './journal-file.ts'
import { PartialFileHandle } from './partial-file.ts'
import { PartialHash } from './partial-hash.ts'
import { blockEnd, spansOf, type JournalBlock } from './partial-journal.ts'

/**
 * Opens a partial and keeps the longest prefix whose blocks read back as the journal says: after a kill that is all that was journaled,
 * after a power cut it may be less, and never a wrong byte.
 */
export async function openDiskPartial (digest: Digest, paths: { data: string, journal: string }, owner: DiskPartialOwner): Promise<DiskPartial> {
  const file = await PartialFileHandle.open(paths.data)
  let journal: JournalFile | undefined
  let hash: PartialHash | undefined
  try {
    const opened = await JournalFile.open(paths.journal)
    journal = opened.journal
    const length = await file.length()
    const claimed = opened.state.blocks.filter(block => blockEnd(block) <= length)
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
    const good = await goodPrefix(claimed, hash, found.prefixes)
    const edge = good.length === 0 ? 0 : blockEnd(good.at(-1)!)
    hash.truncated(edge)
    if (good.length < opened.state.blocks.length) journal.append({ truncate: edge })
    if (length !== edge) await file.truncate(edge, owner.temporary())
    found.partial = new DiskPartial(digest, owner, { file, journal, hash, spans: spansOf(good), size: opened.state.size })
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
