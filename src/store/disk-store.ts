import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { EventSink } from '../events.ts'
import { digestAlgorithm, digestOf, type Digest } from '../oci/digest.ts'
import { BlobVerifier } from './blob-verifier.ts'
import { ContentLayout } from './content-layout.ts'
import { DiskBlobReader } from './disk-blob-reader.ts'
import { DiskLinks } from './disk-links.ts'
import { DiskPartials } from './disk-partials.ts'
import { writeDurably } from './durable-file.ts'
import { fileIdentity } from './file-identity.ts'
import { HashPool } from './hash-pool.ts'
import { ImageIndex } from './image-index.ts'
import { Quarantine } from './quarantine.ts'
import { RecordBook } from './record-book.ts'
import { StoreDatabase } from './store-database.ts'
import { DigestMismatchError, StoreClosedError } from './store-errors.ts'
import type { Access, BlobFacts, BlobReader, BlobRecord, Links, PartialBlob, Store, StoreUsage } from './store.ts'
import { KeyedTurns } from './turns.ts'

const DEFAULT_PARTIAL_MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000
const DEFAULT_QUARANTINE_CAPACITY = 4

export interface DiskStoreInit {
  /** Where commits, removals and damage are told. @default nowhere */
  readonly events?: EventSink
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
  /** Partials not written to for longer are deleted when the store is opened. @default 7 days */
  readonly partialMaxAgeMs?: number
  /** Damaged files kept for inspection, the latest. @default 4 */
  readonly quarantineCapacity?: number
  /** Longest time from a change to its being in index.json. @default 250 */
  readonly indexDelayMs?: number
  /** Records kept in memory. @default 10000 */
  readonly cachedRecords?: number
}

/** Content in a directory that is an OCI image layout as well. One process at a time: the database's lock refuses a second. */
export class DiskStore implements Store {
  readonly links: Links
  readonly #layout: ContentLayout
  readonly #database: StoreDatabase
  readonly #records: RecordBook
  readonly #index: ImageIndex
  readonly #hashes = new HashPool()
  readonly #turns = new KeyedTurns<Digest>()
  readonly #verifier: BlobVerifier
  readonly #partials: DiskPartials
  readonly #readers = new Set<DiskBlobReader>()
  /** Work nobody waits for; `close` does. */
  readonly #background = new Set<Promise<void>>()
  readonly #events: EventSink | undefined
  readonly #now: () => number
  #isClosed = false

  private constructor (layout: ContentLayout, database: StoreDatabase, records: RecordBook, init: DiskStoreInit) {
    this.#layout = layout
    this.#database = database
    this.#records = records
    this.#events = init.events
    this.#now = init.now ?? Date.now
    const links = new DiskLinks(database, () => { this.#index.touch() })
    this.links = links
    this.#index = new ImageIndex({ layout, links, records }, init.indexDelayMs)
    this.#verifier = new BlobVerifier({
      layout,
      records,
      hashes: this.#hashes,
      quarantine: new Quarantine(layout, init.quarantineCapacity ?? DEFAULT_QUARANTINE_CAPACITY),
      turns: this.#turns,
      events: this.#events,
      now: this.#now,
      onChanged: record => { this.#touchIndex(record) }
    })
    this.#partials = new DiskPartials({
      layout,
      hashes: this.#hashes,
      alone: (digest, task) => this.#turns.run(digest, task),
      record: (digest, facts, size, { isVerified }) => this.#record(digest, facts, size, isVerified)
    })
  }

  /**
   * Makes the directory if need be, takes its lock, and ends what a kill interrupted.
   * @throws StoreInUseError, StoreUnwritableError, StoreFullError, StoreCorruptError
   */
  static async open (directory: string, init: DiskStoreInit = {}): Promise<DiskStore> {
    const layout = new ContentLayout(resolve(directory))
    await layout.makeDirectories()
    const database = await StoreDatabase.open(layout.database, layout.root)
    let store: DiskStore | undefined
    try {
      await layout.removeTemporaries()
      await layout.writeLayoutFile()
      store = new DiskStore(layout, database, await RecordBook.open(database, init.cachedRecords), init)
      await store.#partials.recover(store.#now() - (init.partialMaxAgeMs ?? DEFAULT_PARTIAL_MAX_AGE_MS))
      await store.#index.refresh()
      return store
    } catch (error) {
      if (store === undefined) await database.close()
      else await store.close()
      throw error
    }
  }

  /** Gets ready to hash at once what is fetched soon. */
  warmUp (): void {
    this.#assertOpen()
    this.#hashes.warmUp()
  }

  async stat (digest: Digest): Promise<BlobRecord | undefined> {
    this.#assertOpen()
    return this.#verifier.record(digest)
  }

  async open (digest: Digest, options: { signal?: AbortSignal } = {}): Promise<BlobReader | undefined> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const file = await this.#verifier.open(digest, options.signal)
    if (file === undefined) return undefined
    const reader: DiskBlobReader = new DiskBlobReader(file.record, file.handle, {
      hash: async span => this.#hashes.span(this.#layout.blob(digest), span),
      condemn: () => this.#verifier.condemn(digest),
      suspect: () => { this.#inBackground(this.#verifier.suspect(digest)) },
      closed: () => { this.#readers.delete(reader) }
    })
    this.#readers.add(reader)
    if (!this.#isClosed) return reader
    await reader.close()
    throw new StoreClosedError('store')
  }

  async put (digest: Digest, bytes: Uint8Array, facts: BlobFacts): Promise<BlobRecord> {
    this.#assertOpen()
    const actual = digestOf(bytes, digestAlgorithm(digest))
    if (actual !== digest) throw new DigestMismatchError(digest, actual)
    return this.#turns.run(digest, async () => {
      const path = this.#layout.blob(digest)
      await writeDurably(path, bytes, this.#layout.temporary(digest))
      try {
        return await this.#record(digest, facts, bytes.length, true)
      } catch (error) {
        if (await this.#records.get(digest) === undefined) await rm(path, { force: true })
        throw error
      }
    })
  }

  async setAccess (digest: Digest, access: Access): Promise<void> {
    this.#assertOpen()
    await this.#turns.run(digest, async () => {
      const stored = await this.#records.get(digest)
      if (stored === undefined || stored.record.access === access) return
      await this.#records.put({ ...stored, record: { ...stored.record, access } })
    })
  }

  async remove (digest: Digest): Promise<boolean> {
    this.#assertOpen()
    return this.#turns.run(digest, async () => {
      // The file first: without its record it would be adopted again, without its file a record is dropped.
      await rm(this.#layout.blob(digest), { force: true })
      const stored = await this.#records.remove(digest)
      if (stored === undefined) return false
      this.#events?.emit({ type: 'blob:removed', record: stored.record })
      this.#touchIndex(stored.record)
      return true
    })
  }

  async * records (): AsyncIterable<BlobRecord> {
    this.#assertOpen()
    for await (const { record } of this.#records.all()) yield record
  }

  async openPartial (digest: Digest, options: { signal?: AbortSignal } = {}): Promise<PartialBlob> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    return this.#partials.open(digest, options.signal)
  }

  async usage (): Promise<StoreUsage> {
    this.#assertOpen()
    return { ...this.#records.usage, ...await this.#partials.usage() }
  }

  /** Ends streams, lets go of partials (their bytes stay), writes index.json. */
  async close (): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.all([...this.#readers].map(reader => reader.close()))
    await this.#partials.close()
    await Promise.all(this.#background)
    await this.#index.close()
    await this.#hashes.close()
    await this.#database.close()
  }

  /** In the digest's turn, with its file in place. One that was not verified is when it is first opened. */
  async #record (digest: Digest, facts: BlobFacts, size: number, isVerified: boolean): Promise<BlobRecord> {
    const { kind, access, mediaType } = facts
    const record: BlobRecord = { digest, size, committedAt: this.#now(), kind, access, ...mediaType !== undefined && { mediaType } }
    await this.#records.put({ record, ...isVerified && { file: await fileIdentity(this.#layout.blob(digest)) } })
    this.#events?.emit({ type: 'blob:committed', record })
    this.#touchIndex(record)
    return record
  }

  #touchIndex (record: BlobRecord): void {
    if (record.kind === 'manifest') this.#index.touch()
  }

  #inBackground (work: Promise<void>): void {
    // What fails here is found again by the next open of the blob.
    const settled = work.catch(() => {}).finally(() => { this.#background.delete(settled) })
    this.#background.add(settled)
  }

  #assertOpen (): void {
    if (this.#isClosed) throw new StoreClosedError('store')
  }
}
