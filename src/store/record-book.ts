import type { Digest } from '../oci/digest.ts'
import { RecentMap } from '../recent.ts'
import type { FileIdentity } from './file-identity.ts'
import type { StoreDatabase } from './store-database.ts'
import type { BlobRecord } from './store.ts'

const ROOM = 'record!'

/** Records kept in memory, about 0.5 KB each. */
const DEFAULT_CACHED_RECORDS = 10_000

/** A record and the file it was verified on. Without `file` the bytes must be verified before they are served. */
export interface StoredRecord {
  readonly record: BlobRecord
  readonly file?: FileIdentity
}

/** The records of what is here, in the database and, the last used, in memory. Counts change with the set, here only. */
export class RecordBook {
  readonly #database: StoreDatabase
  readonly #cache: RecentMap<Digest, StoredRecord>
  #changes = 0
  #blobs = 0
  #bytes = 0

  private constructor (database: StoreDatabase, capacity: number) {
    this.#database = database
    this.#cache = new RecentMap(capacity)
  }

  static async open (database: StoreDatabase, capacity = DEFAULT_CACHED_RECORDS): Promise<RecordBook> {
    const book = new RecordBook(database, capacity)
    for await (const { record } of book.all()) book.#count(record, 1)
    return book
  }

  get usage (): { blobs: number, bytes: number } {
    return { blobs: this.#blobs, bytes: this.#bytes }
  }

  async get (digest: Digest): Promise<StoredRecord | undefined> {
    const cached = this.#cache.get(digest)
    if (cached !== undefined) {
      this.#cache.set(digest, cached)
      return cached
    }
    const changes = this.#changes
    const text = await this.#database.get(ROOM + digest)
    if (text === undefined) return undefined
    const stored = JSON.parse(text) as StoredRecord
    // What was changed during the read must not be remembered as it was before.
    if (changes === this.#changes) this.#cache.set(digest, stored)
    return stored
  }

  /** Calls for one digest come one at a time. @throws StoreFullError */
  async put (stored: StoredRecord): Promise<void> {
    const { digest } = stored.record
    const before = await this.get(digest)
    await this.#database.write([{ type: 'put', key: ROOM + digest, value: JSON.stringify(stored) }], { sync: true })
    this.#changes++
    if (before !== undefined) this.#count(before.record, -1)
    this.#count(stored.record, 1)
    this.#cache.set(digest, stored)
  }

  /** Calls for one digest come one at a time. */
  async remove (digest: Digest): Promise<StoredRecord | undefined> {
    const stored = await this.get(digest)
    if (stored === undefined) return undefined
    await this.#database.write([{ type: 'del', key: ROOM + digest }])
    this.#changes++
    this.#cache.delete(digest)
    this.#count(stored.record, -1)
    return stored
  }

  async * all (): AsyncGenerator<StoredRecord> {
    for await (const [, text] of this.#database.entries(ROOM)) yield JSON.parse(text) as StoredRecord
  }

  #count (record: BlobRecord, sign: 1 | -1): void {
    this.#blobs += sign
    this.#bytes += sign * record.size
  }
}
