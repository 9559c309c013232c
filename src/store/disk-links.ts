import type { Digest } from '../oci/digest.ts'
import type { DatabaseOperation, StoreDatabase } from './store-database.ts'
import type { KnownDescriptor, Links, TagRecord } from './store.ts'

const REPOSITORY = 'repository!'
const LINK = 'link!'
const TAG = 'tag!'
const DESCRIPTOR = 'descriptor!'
/** In no repository, tag or digest. */
const SEPARATOR = '\0'

/** Links in the database. */
export class DiskLinks implements Links {
  readonly #database: StoreDatabase
  readonly #onTagChange: () => void

  constructor (database: StoreDatabase, onTagChange: () => void) {
    this.#database = database
    this.#onTagChange = onTagChange
  }

  async link (repository: string, digests: readonly Digest[]): Promise<void> {
    await this.#database.write([known(repository), ...digests.map(digest => put(LINK + repository + SEPARATOR + digest, ''))])
  }

  async isLinked (repository: string, digest: Digest): Promise<boolean> {
    return await this.#database.get(LINK + repository + SEPARATOR + digest) !== undefined
  }

  async linked (repository: string): Promise<Digest[]> {
    return await this.#keys(LINK + repository + SEPARATOR) as Digest[]
  }

  async repositories (): Promise<string[]> {
    return this.#keys(REPOSITORY)
  }

  async setTag (repository: string, tag: string, record: TagRecord): Promise<void> {
    await this.#database.write([known(repository), put(TAG + repository + SEPARATOR + tag, JSON.stringify(record))])
    this.#onTagChange()
  }

  async tag (repository: string, tag: string): Promise<TagRecord | undefined> {
    return this.#value<TagRecord>(TAG + repository + SEPARATOR + tag)
  }

  async removeTag (repository: string, tag: string): Promise<void> {
    await this.#database.write([{ type: 'del', key: TAG + repository + SEPARATOR + tag }])
    this.#onTagChange()
  }

  async tags (repository: string): Promise<string[]> {
    return this.#keys(TAG + repository + SEPARATOR)
  }

  async describe (repository: string, descriptors: readonly KnownDescriptor[]): Promise<void> {
    await this.#database.write(descriptors.map(descriptor => put(DESCRIPTOR + repository + SEPARATOR + descriptor.digest, JSON.stringify(descriptor))))
  }

  async descriptor (repository: string, digest: Digest): Promise<KnownDescriptor | undefined> {
    return this.#value<KnownDescriptor>(DESCRIPTOR + repository + SEPARATOR + digest)
  }

  /** Every tag of every repository. */
  async * allTags (): AsyncGenerator<{ repository: string, tag: string, record: TagRecord }> {
    for await (const [key, value] of this.#database.entries(TAG)) {
      const [repository = '', tag = ''] = key.split(SEPARATOR)
      yield { repository, tag, record: JSON.parse(value) as TagRecord }
    }
  }

  async #value<T> (key: string): Promise<T | undefined> {
    const text = await this.#database.get(key)
    return text === undefined ? undefined : JSON.parse(text) as T
  }

  async #keys (prefix: string): Promise<string[]> {
    const keys: string[] = []
    for await (const [key] of this.#database.entries(prefix)) keys.push(key)
    return keys
  }
}

function put (key: string, value: string): DatabaseOperation {
  return { type: 'put', key, value }
}

function known (repository: string): DatabaseOperation {
  return put(REPOSITORY + repository, '')
}
