import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../oci/digest.ts'
import type { ContentLayout } from './content-layout.ts'
import { isMissing } from './fs-errors.ts'

/** Where files that are not what their name says are kept for whoever wants to know why. */
export class Quarantine {
  readonly #layout: ContentLayout
  readonly #capacity: number

  /** @param capacity files kept, the latest; 0 keeps none */
  constructor (layout: ContentLayout, capacity: number) {
    this.#layout = layout
    this.#capacity = capacity
  }

  /** Takes the blob's file out of the content. */
  async take (digest: Digest, at: number): Promise<void> {
    try {
      await rename(this.#layout.blob(digest), this.#layout.quarantined(digest, at))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    // Names begin with the time.
    const names = (await readdir(this.#layout.quarantine)).sort((a, b) => parseInt(b, 10) - parseInt(a, 10))
    for (const name of names.slice(this.#capacity)) await rm(join(this.#layout.quarantine, name), { force: true })
  }
}
