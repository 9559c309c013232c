import { digestOf, type Digest } from '../../../src/oci/digest.ts'
import { repositoryKey } from '../../../src/oci/repository.ts'
import type { Origin, OriginBlob, OriginManifest, OriginOptions, Repository, ResolvedManifest } from '../../../src/origin/origin.ts'
import { OriginError, type OriginErrorCode } from '../../../src/origin/origin-error.ts'

const CHUNK_BYTES = 64 * 1024

export type OriginCall = 'resolve' | 'manifest' | 'blob' | 'statBlob' | 'tags' | 'referrers'

/** The registry behind the agent under test: what is added is there for everybody; every question is in `calls`. */
export class TestOrigin implements Origin {
  readonly calls: OriginCall[] = []
  /** Every question is answered with this. */
  failure: OriginErrorCode | undefined
  /** Sends no length with blobs. */
  hidesSize = false
  /** Called before each chunk of a blob. */
  beforeChunk: ((position: number, signal: AbortSignal | undefined) => Promise<void>) | undefined
  readonly #blobs = new Map<Digest, Uint8Array>()
  readonly #manifests = new Map<string, { bytes: Uint8Array, mediaType: string }>()
  readonly #tags = new Map<string, Map<string, Digest>>()
  readonly #referrers = new Map<Digest, Uint8Array>()

  addBlob (bytes: Uint8Array, digest: Digest = digestOf(bytes)): Digest {
    this.#blobs.set(digest, bytes)
    return digest
  }

  addManifest (repository: Repository, bytes: Uint8Array, { mediaType, tags = [] }: { mediaType: string, tags?: readonly string[] }): Digest {
    const digest = digestOf(bytes)
    this.#manifests.set(`${repositoryKey(repository)}@${digest}`, { bytes, mediaType })
    for (const tag of tags) this.tag(repository, tag, digest)
    return digest
  }

  tag (repository: Repository, tag: string, digest: Digest): void {
    const key = repositoryKey(repository)
    const known = this.#tags.get(key) ?? new Map<string, Digest>()
    this.#tags.set(key, known.set(tag, digest))
  }

  addReferrers (subject: Digest, index: object): void {
    this.#referrers.set(subject, Buffer.from(JSON.stringify(index)))
  }

  async resolve (repository: Repository, tag: string): Promise<ResolvedManifest> {
    this.#ask('resolve', repository)
    const { bytes: _, ...resolved } = this.#find(repository, tag)
    return resolved
  }

  async manifest (repository: Repository, reference: string): Promise<OriginManifest> {
    this.#ask('manifest', repository)
    return this.#find(repository, reference)
  }

  async blob (repository: Repository, digest: Digest, start: number, { signal }: OriginOptions = {}): Promise<OriginBlob> {
    this.#ask('blob', repository)
    const bytes = this.#blobs.get(digest)
    if (bytes === undefined) throw notFound(repository, digest)
    return { size: this.hidesSize ? undefined : bytes.length, start, access: 'public', body: this.#chunks(bytes, start, signal) }
  }

  async statBlob (repository: Repository, digest: Digest): Promise<{ size: number, access: 'public' }> {
    this.#ask('statBlob', repository)
    const bytes = this.#blobs.get(digest)
    if (bytes === undefined) throw notFound(repository, digest)
    return { size: bytes.length, access: 'public' }
  }

  async tags (repository: Repository): Promise<string[]> {
    this.#ask('tags', repository)
    const tags = this.#tags.get(repositoryKey(repository))
    if (tags === undefined) throw notFound(repository, 'tags')
    return [...tags.keys()].sort()
  }

  async referrers (repository: Repository, digest: Digest): Promise<Uint8Array> {
    this.#ask('referrers', repository)
    const index = this.#referrers.get(digest)
    if (index === undefined) throw notFound(repository, digest)
    return index
  }

  async close (): Promise<void> {}

  #ask (call: OriginCall, { registry }: Repository): void {
    this.calls.push(call)
    if (this.failure !== undefined) throw new OriginError(this.failure, 'it was told to fail', { registry })
  }

  #find (repository: Repository, reference: string): OriginManifest {
    const key = repositoryKey(repository)
    const digest = this.#tags.get(key)?.get(reference) ?? reference as Digest
    const found = this.#manifests.get(`${key}@${digest}`)
    if (found === undefined) throw notFound(repository, reference)
    return { digest, mediaType: found.mediaType, size: found.bytes.length, access: 'public', bytes: found.bytes }
  }

  async * #chunks (bytes: Uint8Array, start: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    for (let position = start; position < bytes.length; position += CHUNK_BYTES) {
      await this.beforeChunk?.(position, signal)
      signal?.throwIfAborted()
      yield bytes.subarray(position, position + CHUNK_BYTES)
    }
  }
}

function notFound ({ registry, name }: Repository, what: string): OriginError {
  return new OriginError('ORIGIN_NOT_FOUND', `${name} has no ${what}`, { registry, status: 404 })
}
