import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ShoalEvent } from '../../src/events.ts'
import { digestAlgorithm, digestHex, type Digest } from '../../src/oci/digest.ts'
import { DiskStore, type DiskStoreInit } from '../../src/store/disk-store.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'

/** A data directory of the test's own, and the store that is open in it. */
export class StoreDirectory {
  readonly path: string
  readonly events: ShoalEvent[] = []
  readonly #stores: DiskStore[] = []

  constructor (path: string) {
    this.path = path
  }

  static async make (): Promise<StoreDirectory> {
    return new StoreDirectory(await makeTempDir('store'))
  }

  /** Opens the store, after closing the one that was open. */
  async open (init: DiskStoreInit = {}): Promise<DiskStore> {
    await this.closeStore()
    const store = await DiskStore.open(this.path, { events: { emit: event => { this.events.push(event) } }, ...init })
    this.#stores.push(store)
    return store
  }

  async closeStore (): Promise<void> {
    for (const store of this.#stores.splice(0)) await store.close()
  }

  async close (): Promise<void> {
    await this.closeStore()
    await removeTempDir(this.path)
  }

  blob (digest: Digest): string {
    return join(this.path, 'blobs', digestAlgorithm(digest), digestHex(digest))
  }

  partial (digest: Digest): string {
    return join(this.path, 'partial', `${digestAlgorithm(digest)}-${digestHex(digest)}`)
  }

  async names (directory: string): Promise<string[]> {
    return (await readdir(join(this.path, directory))).sort()
  }
}
