import { open, readFile, type FileHandle } from 'node:fs/promises'
import type { EventSink } from '../events.ts'
import { digestAlgorithm, type Digest } from '../oci/digest.ts'
import type { ContentLayout } from './content-layout.ts'
import { fileIdentity, identityOf, isSameFile, type FileIdentity } from './file-identity.ts'
import { isMissing } from './fs-errors.ts'
import type { HashPool } from './hash-pool.ts'
import { manifestMediaType } from './manifest-shape.ts'
import type { Quarantine } from './quarantine.ts'
import type { RecordBook, StoredRecord } from './record-book.ts'
import { HashFailedError } from './store-errors.ts'
import type { BlobRecord } from './store.ts'
import type { KeyedTurns } from './turns.ts'
import { withSignal } from './with-signal.ts'

/** Manifests are at most this long (distribution spec 1.1, "Pushing Manifests"). */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024
/** What a hash fails with when the file is no longer what it was. */
const CHANGED = new Set(['SHORT_READ', 'ENOENT'])
/** A file that changes while it is read is read again this often. */
const MAX_ATTEMPTS = 3

export interface BlobVerifierComponents {
  readonly layout: ContentLayout
  readonly records: RecordBook
  readonly hashes: HashPool
  readonly quarantine: Quarantine
  /** Whoever changes a digest's file or record does it in its turn. */
  readonly turns: KeyedTurns<Digest>
  readonly events: EventSink | undefined
  readonly now: () => number
  /** The blob is no longer here, or a file without a record has got one. */
  readonly onChanged: (record: BlobRecord) => void
}

export interface OpenBlobFile {
  readonly handle: FileHandle
  readonly record: BlobRecord
}

/**
 * Opens blob files and answers for what is in them: one whose file is as it was when it was last verified is opened at once, any other
 * is hashed first. Files without a record (the database was lost, the process killed) are hashed and adopted when first asked for.
 */
export class BlobVerifier {
  readonly #components: BlobVerifierComponents

  constructor (components: BlobVerifierComponents) {
    this.#components = components
  }

  /** The record; a file without one is adopted. */
  async record (digest: Digest): Promise<BlobRecord | undefined> {
    const { records } = this.#components
    const stored = await records.get(digest)
    if (stored !== undefined) return stored.record
    if (await this.#identity(digest) === undefined || !await this.#verify(digest)) return undefined
    return (await records.get(digest))?.record
  }

  async open (digest: Digest, signal?: AbortSignal): Promise<OpenBlobFile | undefined> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const stored = await this.#components.records.get(digest)
      const handle = await this.#openFile(digest)
      if (handle !== undefined && stored !== undefined && await isFileOf(stored, handle)) return { handle, record: stored.record }
      await handle?.close()
      if (handle === undefined && stored === undefined) return undefined
      if (!await withSignal(this.#verify(digest), signal)) return undefined
    }
    return undefined
  }

  /** What was read of the file is wrong, or said to be: verifies it at once. Another may lie there by now, and be right. @returns whether it is */
  async condemn (digest: Digest): Promise<boolean> {
    return this.#components.turns.run(digest, async () => {
      await this.#doubt(digest)
      return this.#verifyFile(digest)
    })
  }

  /** Something went wrong while reading: the next `open` verifies. */
  async suspect (digest: Digest): Promise<void> {
    await this.#components.turns.run(digest, async () => this.#doubt(digest))
  }

  async #doubt (digest: Digest): Promise<void> {
    const { records } = this.#components
    const stored = await records.get(digest)
    if (stored !== undefined) await records.put({ record: stored.record })
  }

  /** Whoever asks meanwhile finds in his turn that it is done. */
  async #verify (digest: Digest): Promise<boolean> {
    return this.#components.turns.run(digest, () => this.#verifyFile(digest))
  }

  async #verifyFile (digest: Digest): Promise<boolean> {
    const { records } = this.#components
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const stored = await records.get(digest)
      const file = await this.#identity(digest)
      if (file === undefined) {
        await this.#forget(digest)
        return false
      }
      if (isSameFile(stored?.file, file)) return true
      if (stored !== undefined && stored.record.size !== file.size) {
        return this.#condemn(digest, `file has ${file.size} bytes, expected ${stored.record.size}`)
      }
      const actual = await this.#hash(digest, file.size)
      const after = await this.#identity(digest)
      if (actual === undefined || after === undefined || !isSameFile(file, after)) continue
      if (actual !== digest) return this.#condemn(digest, `file has digest ${actual}`)
      const record = stored?.record ?? await this.#adopted(digest, file)
      await records.put({ record, file })
      if (stored === undefined) this.#components.onChanged(record)
      return true
    }
    return this.#condemn(digest, 'file keeps changing')
  }

  /** Undefined when the file was cut or removed meanwhile. */
  async #hash (digest: Digest, size: number): Promise<string | undefined> {
    const algorithm = digestAlgorithm(digest)
    const job = this.#components.hashes.start(this.#components.layout.blob(digest), algorithm)
    try {
      return `${algorithm}:${await job.finish(size)}`
    } catch (error) {
      if (error instanceof HashFailedError && CHANGED.has(error.reason)) return undefined
      throw error
    } finally {
      job.stop()
    }
  }

  /** We no longer know how it came here, so it is shared with nobody until somebody says more. */
  async #adopted (digest: Digest, file: FileIdentity): Promise<BlobRecord> {
    const { layout, now } = this.#components
    const mediaType = file.size <= MAX_MANIFEST_BYTES ? manifestMediaType(await readFile(layout.blob(digest))) : undefined
    const facts = mediaType === undefined ? { kind: 'blob' as const } : { kind: 'manifest' as const, mediaType }
    return { digest, size: file.size, committedAt: now(), access: 'restricted', ...facts }
  }

  async #condemn (digest: Digest, reason: string): Promise<false> {
    const { quarantine, events, now } = this.#components
    await quarantine.take(digest, now())
    const stored = await this.#components.records.remove(digest)
    events?.emit({ type: 'blob:quarantined', digest, reason })
    if (stored !== undefined) this.#components.onChanged(stored.record)
    return false
  }

  /** The file is not there any more. */
  async #forget (digest: Digest): Promise<void> {
    const stored: StoredRecord | undefined = await this.#components.records.remove(digest)
    if (stored === undefined) return
    this.#components.events?.emit({ type: 'blob:removed', record: stored.record })
    this.#components.onChanged(stored.record)
  }

  async #openFile (digest: Digest): Promise<FileHandle | undefined> {
    try {
      return await open(this.#components.layout.blob(digest), 'r')
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  #identity (digest: Digest): Promise<FileIdentity | undefined> {
    return fileIdentity(this.#components.layout.blob(digest))
  }
}

/** Closes the handle when that cannot be told. */
async function isFileOf ({ file }: StoredRecord, handle: FileHandle): Promise<boolean> {
  try {
    return isSameFile(file, identityOf(await handle.stat({ bigint: true })))
  } catch (error) {
    await handle.close()
    throw error
  }
}
