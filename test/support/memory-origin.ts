import type { Digest } from '../../src/oci/digest.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { repositoryKey, type Repository } from '../../src/oci/repository.ts'
import { OriginError, type OriginErrorCode } from '../../src/origin/origin-error.ts'
import type { BlobOptions, Origin, OriginAccess, OriginBlob, OriginManifest, OriginOptions, ResolvedManifest } from '../../src/origin/origin.ts'
import type { Gate } from './gate.ts'

const DEFAULT_CHUNK_BYTES = 16 * 1024

/** How an origin gives one blob. */
export interface OriginBlobBehaviour {
  /** Cuts the first answers at these bytes of the blob, one each; later answers are whole. */
  readonly dieAt?: readonly number[]
  /** Never answers. */
  readonly hangs?: boolean
  readonly ignoresRange?: boolean
  /** Sent instead of the right ones. */
  readonly bytes?: Uint8Array
  /** The size told; null: none. @default that of the bytes */
  readonly size?: number | null
  readonly fails?: OriginErrorCode
  /** What it says with `ORIGIN_RATE_LIMITED`. */
  readonly retryAfterMs?: number
  readonly access?: OriginAccess
  /** Each chunk waits here. */
  readonly gate?: Gate
  /** @default 16384 */
  readonly chunkBytes?: number
}

export interface OriginRequest {
  readonly type: 'resolve' | 'manifest' | 'blob' | 'stat' | 'tags' | 'referrers'
  readonly repository: string
  /** Tag or digest. */
  readonly reference: string
  /** First byte asked for. */
  readonly start?: number
  /** Behind the last byte asked for, where one was named. */
  readonly end?: number
  /** A 429 is not waited out. */
  readonly failsWhenLimited?: boolean
}

interface StoredManifest {
  readonly bytes: Uint8Array
  readonly mediaType: string
}

/** Registries in memory that keep the contract of `Origin`, and misbehave as told. */
export class MemoryOrigin implements Origin {
  /** Bodies of blobs that were read at the same time, at the most. */
  mostBodies = 0
  /** All that was asked, in order. */
  readonly requests: OriginRequest[] = []
  /** Every request fails with it. */
  down: OriginErrorCode | undefined
  /** Every request but those of blobs waits here. */
  gate: Gate | undefined
  access: OriginAccess = 'public'
  #bodies = 0
  readonly #blobs = new Map<string, { bytes: Uint8Array, behaviour: OriginBlobBehaviour, deaths: number }>()
  readonly #manifests = new Map<string, StoredManifest>()
  readonly #referrers = new Map<string, Uint8Array>()

  addBlob (repository: Repository, bytes: Uint8Array, behaviour: OriginBlobBehaviour = {}): Digest {
    const digest = digestOf(bytes)
    this.#blobs.set(keyOf(repository, digest), { bytes, behaviour, deaths: 0 })
    return digest
  }

  removeBlob (repository: Repository, digest: Digest): void {
    this.#blobs.delete(keyOf(repository, digest))
  }

  addManifest (repository: Repository, bytes: Uint8Array, mediaType: string, tag?: string): Digest {
    const digest = digestOf(bytes)
    this.#manifests.set(keyOf(repository, digest), { bytes, mediaType })
    if (tag !== undefined) this.#manifests.set(keyOf(repository, tag), { bytes, mediaType })
    return digest
  }

  removeManifest (repository: Repository, reference: string): void {
    this.#manifests.delete(keyOf(repository, reference))
  }

  setReferrers (repository: Repository, digest: Digest, bytes: Uint8Array): void {
    this.#referrers.set(keyOf(repository, digest), bytes)
  }

  /** First bytes asked for of a blob, in order. */
  blobStarts (digest: Digest): number[] {
    return this.requests.flatMap(({ type, reference, start }) => type === 'blob' && reference === digest ? [start ?? 0] : [])
  }

  async resolve (repository: Repository, tag: string, options: OriginOptions = {}): Promise<ResolvedManifest> {
    await this.#asked({ type: 'resolve', repository: repositoryKey(repository), reference: tag }, options)
    const { bytes, mediaType } = this.#manifest(repository, tag)
    return { digest: digestOf(bytes), mediaType, size: bytes.length, access: this.access }
  }

  async manifest (repository: Repository, reference: string, options: OriginOptions = {}): Promise<OriginManifest> {
    await this.#asked({ type: 'manifest', repository: repositoryKey(repository), reference }, options)
    const { bytes, mediaType } = this.#manifest(repository, reference)
    return { digest: digestOf(bytes), mediaType, size: bytes.length, access: this.access, bytes }
  }

  async blob (repository: Repository, digest: Digest, start: number, { end, failsWhenLimited, signal }: BlobOptions = {}): Promise<OriginBlob> {
    this.#note({ type: 'blob', repository: repositoryKey(repository), reference: digest, start, ...end === undefined ? {} : { end }, ...failsWhenLimited === true ? { failsWhenLimited } : {} })
    signal?.throwIfAborted()
    const blob = this.#blobs.get(keyOf(repository, digest))
    if (blob === undefined) throw failure('ORIGIN_NOT_FOUND')
    const { behaviour } = blob
    if (behaviour.fails !== undefined) throw failure(behaviour.fails, behaviour.retryAfterMs)
    if (behaviour.hangs === true) await forever(signal)
    const bytes = behaviour.bytes ?? blob.bytes
    const size = behaviour.size === null ? undefined : behaviour.size ?? bytes.length
    const [from, to] = behaviour.ignoresRange === true ? [0, undefined] : [start, end]
    return {
      size,
      start: from,
      end: to === undefined || size === undefined ? to ?? size : Math.min(to, size),
      isPart: from > 0 || to !== undefined,
      access: behaviour.access ?? this.access,
      body: this.#counted(bodyOf(bytes.subarray(0, to), from, behaviour.dieAt?.[blob.deaths++], behaviour, signal))
    }
  }

  async statBlob (repository: Repository, digest: Digest, options: OriginOptions = {}): Promise<{ size: number, access: OriginAccess }> {
    await this.#asked({ type: 'stat', repository: repositoryKey(repository), reference: digest }, options)
    const blob = this.#blobs.get(keyOf(repository, digest))
    if (blob === undefined) throw failure('ORIGIN_NOT_FOUND')
    if (blob.behaviour.fails !== undefined) throw failure(blob.behaviour.fails)
    return { size: blob.bytes.length, access: blob.behaviour.access ?? this.access }
  }

  async tags (repository: Repository, options: OriginOptions = {}): Promise<string[]> {
    await this.#asked({ type: 'tags', repository: repositoryKey(repository), reference: '' }, options)
    const prefix = keyOf(repository, '')
    const tags = [...this.#manifests.keys()].filter(key => key.startsWith(prefix)).map(key => key.slice(prefix.length)).filter(tag => !tag.includes(':'))
    if (tags.length === 0) throw failure('ORIGIN_NOT_FOUND')
    return tags.sort()
  }

  async referrers (repository: Repository, digest: Digest, options: OriginOptions = {}): Promise<Uint8Array> {
    await this.#asked({ type: 'referrers', repository: repositoryKey(repository), reference: digest }, options)
    const bytes = this.#referrers.get(keyOf(repository, digest))
    if (bytes === undefined) throw failure('ORIGIN_NOT_FOUND')
    return bytes
  }

  async close (): Promise<void> {}

  async * #counted (body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    this.mostBodies = Math.max(this.mostBodies, ++this.#bodies)
    try {
      yield * body
    } finally {
      this.#bodies--
    }
  }

  async #asked (request: OriginRequest, { signal }: OriginOptions): Promise<void> {
    this.#note(request)
    signal?.throwIfAborted()
    await this.gate?.pass(signal)
  }

  #note (request: OriginRequest): void {
    this.requests.push(request)
    if (this.down !== undefined) throw failure(this.down)
  }

  #manifest (repository: Repository, reference: string): StoredManifest {
    const manifest = this.#manifests.get(keyOf(repository, reference))
    if (manifest === undefined) throw failure('ORIGIN_NOT_FOUND')
    return manifest
  }
}

async function * bodyOf (bytes: Uint8Array, from: number, end: number | undefined, { gate, chunkBytes = DEFAULT_CHUNK_BYTES }: OriginBlobBehaviour, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const stop = Math.min(end ?? bytes.length, bytes.length)
  for (let at = from; at < stop; at += chunkBytes) {
    await gate?.pass(signal)
    signal?.throwIfAborted()
    yield bytes.slice(at, Math.min(at + chunkBytes, stop))
  }
  if (end !== undefined && end <= bytes.length) throw failure('ORIGIN_UNAVAILABLE')
}

async function forever (signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => { reject(signal.reason as Error) }, { once: true })
  })
}

function failure (code: OriginErrorCode, retryAfterMs?: number): OriginError {
  return new OriginError(code, `the test says ${code}`, { registry: 'registry.test', ...retryAfterMs === undefined ? {} : { retryAfterMs } })
}

function keyOf (repository: Repository, reference: string): string {
  return `${repositoryKey(repository)} ${reference}`
}
