import type { BlockPool } from './block-pool.ts'
import type { DiskEvidence } from './disk-evidence.ts'
import type { DiskPartial } from './disk-partial.ts'
import type { HashPool } from './hash-pool.ts'
import type { JournalFile } from './journal-file.ts'
import type { PartialFileHandle } from './partial-file.ts'
import type { PartialHash } from './partial-hash.ts'
import type { PartialProofState } from './partial-proof.ts'
import type { Access, BlobFacts, BlobRecord, SourcedSpan } from './store.ts'

/** What a partial asks of its store. */
export interface DiskPartialOwner {
  readonly hashes: HashPool
  readonly blocks: BlockPool
  /** All evidence that was not discarded yet. */
  readonly evidence: Set<DiskEvidence>
  /** A new name for a file that means nothing after a restart. */
  temporary (): string
  /** Moves the verified, synced file into place and records it. */
  commit (facts: BlobFacts, size: number): Promise<BlobRecord>
  /** The bytes are no longer wanted under the partial's name. */
  removeFiles (): Promise<void>
  /** The digest may be opened again. */
  released (): void
  /** Its file is closed. */
  closed (partial: DiskPartial): void
}

/** What was found of the partial when it was opened. */
export interface DiskPartialState extends PartialProofState {
  readonly file: PartialFileHandle
  readonly journal: JournalFile
  readonly hash: PartialHash
  readonly spans: readonly SourcedSpan[]
  readonly size: number | undefined
  readonly access: Access | undefined
}
