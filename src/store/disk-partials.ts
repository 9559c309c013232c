import { rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Digest } from '../oci/digest.ts'
import { BlockPool } from './block-pool.ts'
import type { ContentLayout } from './content-layout.ts'
import type { DiskEvidence } from './disk-evidence.ts'
import type { DiskPartial } from './disk-partial.ts'
import { syncDirectory } from './durable-file.ts'
import { fileIdentity } from './file-identity.ts'
import { isMissing, writing } from './fs-errors.ts'
import type { HashPool } from './hash-pool.ts'
import { readJournal } from './journal-file.ts'
import { openDiskPartial } from './open-partial.ts'
import { PartialInUseError, StoreClosedError } from './store-errors.ts'
import type { BlobFacts, BlobRecord } from './store.ts'

/** What `stat` counts a file's room in (POSIX, st_blocks of Linux and macOS). */
const STAT_BLOCK_BYTES = 512

export interface DiskPartialsComponents {
  readonly layout: ContentLayout
  readonly hashes: HashPool
  /** Records a blob whose file lies in place. */
  readonly record: (digest: Digest, facts: BlobFacts, size: number, options: { isVerified: boolean }) => Promise<BlobRecord>
  /** Runs the task alone with the digest's file and record. */
  readonly alone: <T>(digest: Digest, task: () => Promise<T>) => Promise<T>
}

/** The blobs on their way in: which are open, which lie there for later. */
export class DiskPartials {
  readonly #components: DiskPartialsComponents
  readonly #blocks = new BlockPool()
  readonly #evidence = new Set<DiskEvidence>()
  readonly #opening = new Map<Digest, Promise<DiskPartial>>()
  /** Open ones, and committed ones that are still read. */
  readonly #partials = new Set<DiskPartial>()
  readonly #closing = new AbortController()

  constructor (components: DiskPartialsComponents) {
    this.#components = components
  }

  /** @throws PartialInUseError, StoreFullError */
  async open (digest: Digest, signal?: AbortSignal): Promise<DiskPartial> {
    if (this.#opening.has(digest)) throw new PartialInUseError(digest)
    const opening = this.#open(digest, signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]))
    this.#opening.set(digest, opening)
    try {
      const partial = await opening
      this.#partials.add(partial)
      return partial
    } catch (error) {
      this.#opening.delete(digest)
      throw error
    }
  }

  /** What a kill left behind: commits that were begun are ended, what nobody came back for is deleted. */
  async recover (olderThan: number): Promise<void> {
    const { layout } = this.#components
    const files = await layout.partialFiles()
    const data = new Set(files.filter(file => !file.isJournal).map(file => file.digest))
    for (const file of files) {
      if (file.isJournal && !data.has(file.digest)) await this.#endCommit(file.digest)
      else if (!file.isJournal && (await stat(file.path)).mtimeMs < olderThan) await this.#removeFiles(file.digest)
    }
  }

  async usage (): Promise<{ partials: number, partialBytes: number }> {
    let partials = 0
    let partialBytes = 0
    for (const file of await this.#components.layout.partialFiles()) {
      const size = file.isJournal ? 0 : await roomOf(file.path)
      if (size === undefined || size === 0) continue
      partials++
      partialBytes += size
    }
    return { partials, partialBytes }
  }

  async close (): Promise<void> {
    this.#closing.abort(new StoreClosedError('store'))
    await Promise.allSettled(this.#opening.values())
    await Promise.all([...this.#partials].map(partial => partial.close()))
    await Promise.all([...this.#evidence].map(evidence => evidence.discard()))
  }

  async #open (digest: Digest, signal: AbortSignal): Promise<DiskPartial> {
    const { layout, hashes } = this.#components
    return openDiskPartial(digest, { data: layout.partial(digest), journal: layout.journal(digest) }, {
      hashes,
      blocks: this.#blocks,
      evidence: this.#evidence,
      temporary: () => layout.temporary(digest),
      commit: (facts, size) => this.#commit(digest, facts, size),
      removeFiles: () => this.#removeFiles(digest),
      released: () => { this.#opening.delete(digest) },
      closed: partial => { this.#partials.delete(partial) }
    }, signal)
  }

  /** The journal goes last: until then a restart can end the commit. */
  async #commit (digest: Digest, facts: BlobFacts, size: number): Promise<BlobRecord> {
    const { layout, record, alone } = this.#components
    return alone(digest, async () => {
      const [from, to] = [layout.partial(digest), layout.blob(digest)]
      await writing(to, () => rename(from, to))
      try {
        await syncDirectory(dirname(to))
        await syncDirectory(layout.partials)
        const committed = await record(digest, facts, size, { isVerified: true })
        await rm(layout.journal(digest), { force: true })
        return committed
      } catch (error) {
        await rename(to, from)
        throw error
      }
    })
  }

  async #endCommit (digest: Digest): Promise<void> {
    const { layout, record, alone } = this.#components
    const { commit, size } = await readJournal(layout.journal(digest))
    const isPlaced = await sizeOf(layout.blob(digest)) === size
    if (commit !== undefined && size !== undefined && isPlaced) await alone(digest, () => record(digest, commit, size, { isVerified: false }))
    await rm(layout.journal(digest), { force: true })
  }

  async #removeFiles (digest: Digest): Promise<void> {
    const { layout } = this.#components
    await rm(layout.partial(digest), { force: true })
    await rm(layout.journal(digest), { force: true })
  }
}

/** Bytes on the disk, which gaps have none of. */
async function roomOf (path: string): Promise<number | undefined> {
  try {
    const { size, blocks } = await stat(path)
    return Math.min(size, blocks * STAT_BLOCK_BYTES)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function sizeOf (path: string): Promise<number | undefined> {
  return (await fileIdentity(path))?.size
}
