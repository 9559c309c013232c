import { BaseDatastore, MemoryDatastore } from 'datastore-core'
import type { LevelDatastore } from 'datastore-level'
import type { Batch, Key, KeyQuery, Pair, Query } from 'interface-datastore'

/** libp2p's peer store. */
const PREFIX = '/peers'
/** How long a change may wait before it goes to the disk, in milliseconds: a kill costs no more than that of what was heard. */
const FLUSH_MS = 3_000

/**
 * A datastore whose peers are held in memory and written behind. Of each peer it meets, kad-dht has the peer store read and
 * write the whole record many times a second; straight to the database that was a tenth of the processor's time of a rollout.
 * All else goes to the database as it comes.
 */
export class PeersInMemory extends BaseDatastore {
  readonly #level: LevelDatastore
  readonly #peers = new MemoryDatastore()
  readonly #changed = new Map<string, Key>()
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> = Promise.resolve()

  private constructor (level: LevelDatastore) {
    super()
    this.#level = level
  }

  static async open (level: LevelDatastore): Promise<PeersInMemory> {
    const datastore = new PeersInMemory(level)
    for await (const { key, value } of level.query({ prefix: PREFIX })) await datastore.#peers.put(key, value)
    return datastore
  }

  override put (key: Key, value: Uint8Array): Key | Promise<Key> {
    if (!isPeer(key)) return this.#level.put(key, value)
    this.#note(key)
    return this.#peers.put(key, value)
  }

  override get (key: Key): Uint8Array | Promise<Uint8Array> {
    return isPeer(key) ? this.#peers.get(key) : this.#level.get(key)
  }

  override has (key: Key): boolean | Promise<boolean> {
    return isPeer(key) ? this.#peers.has(key) : this.#level.has(key)
  }

  override delete (key: Key): void | Promise<void> {
    if (!isPeer(key)) return this.#level.delete(key)
    this.#note(key)
    return this.#peers.delete(key)
  }

  /** Of the database: nobody writes peers by batch. */
  override batch (): Batch {
    return this.#level.batch()
  }

  override async * query (query: Query): AsyncGenerator<Pair> {
    if (query.prefix?.startsWith(PREFIX) === true) {
      yield * this.#peers.query(query)
      return
    }
    for await (const pair of this.#level.query(query)) {
      if (!isPeer(pair.key)) yield pair
    }
    if (query.prefix === undefined) yield * this.#peers.query(query)
  }

  override async * queryKeys (query: KeyQuery): AsyncGenerator<Key> {
    if (query.prefix?.startsWith(PREFIX) === true) {
      yield * this.#peers.queryKeys(query)
      return
    }
    for await (const key of this.#level.queryKeys(query)) {
      if (!isPeer(key)) yield key
    }
    if (query.prefix === undefined) yield * this.#peers.queryKeys(query)
  }

  async close (): Promise<void> {
    clearTimeout(this.#timer)
    await this.#flushing
    try {
      await this.#flush()
    } finally {
      await this.#level.close()
    }
  }

  #note (key: Key): void {
    this.#changed.set(key.toString(), key)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      // what is lost is heard again
      this.#flushing = this.#flush().catch(() => {})
    }, FLUSH_MS)
  }

  async #flush (): Promise<void> {
    const batch = this.#level.batch()
    for (const key of this.#changed.values()) {
      if (this.#peers.has(key)) batch.put(key, this.#peers.get(key) as Uint8Array)
      else batch.delete(key)
    }
    this.#changed.clear()
    await batch.commit()
  }
}

function isPeer (key: Key): boolean {
  return key.toString().startsWith(`${PREFIX}/`)
}
