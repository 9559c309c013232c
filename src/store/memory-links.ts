import type { Digest } from '../oci/digest.ts'
import type { KnownDescriptor, Links, TagRecord } from './store.ts'

/** Links that are forgotten with the process. */
export class MemoryLinks implements Links {
  readonly #linked = new Map<string, Set<Digest>>()
  readonly #tags = new Map<string, Map<string, TagRecord>>()
  readonly #descriptors = new Map<string, Map<Digest, KnownDescriptor>>()

  async link (repository: string, digests: readonly Digest[]): Promise<void> {
    const linked = this.#linked.get(repository) ?? new Set()
    this.#linked.set(repository, linked)
    for (const digest of digests) linked.add(digest)
  }

  async isLinked (repository: string, digest: Digest): Promise<boolean> {
    return this.#linked.get(repository)?.has(digest) ?? false
  }

  async linked (repository: string): Promise<Digest[]> {
    return [...this.#linked.get(repository) ?? []].sort()
  }

  async repositories (): Promise<string[]> {
    return [...new Set([...this.#linked.keys(), ...this.#tags.keys()])].sort()
  }

  async setTag (repository: string, tag: string, record: TagRecord): Promise<void> {
    const tags = this.#tags.get(repository) ?? new Map<string, TagRecord>()
    this.#tags.set(repository, tags)
    tags.set(tag, { ...record })
  }

  async tag (repository: string, tag: string): Promise<TagRecord | undefined> {
    return this.#tags.get(repository)?.get(tag)
  }

  async removeTag (repository: string, tag: string): Promise<void> {
    this.#tags.get(repository)?.delete(tag)
  }

  async tags (repository: string): Promise<string[]> {
    return [...this.#tags.get(repository)?.keys() ?? []].sort()
  }

  async describe (repository: string, descriptors: readonly KnownDescriptor[]): Promise<void> {
    const known = this.#descriptors.get(repository) ?? new Map<Digest, KnownDescriptor>()
    this.#descriptors.set(repository, known)
    for (const descriptor of descriptors) known.set(descriptor.digest, { ...descriptor })
  }

  async descriptor (repository: string, digest: Digest): Promise<KnownDescriptor | undefined> {
    return this.#descriptors.get(repository)?.get(digest)
  }
}
