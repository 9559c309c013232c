import type { Digest } from '../oci/digest.ts'

/** A repository at its registry: `{ registry: 'docker.io', name: 'library/alpine' }`. */
export interface Repository {
  /** Host, with port if any, as in a reference; the key of `origins` in the configuration. */
  readonly registry: string
  /** Path of the repository there. */
  readonly name: string
}

/**
 * Whether the origin gave it to anybody, or only for credentials of ours: Basic, a token got with credentials, or a
 * client certificate. Registries are asked as anybody first, so what is public is `public` to those who are logged in too.
 */
export type OriginAccess = 'public' | 'restricted'

export interface OriginOptions {
  signal?: AbortSignal
}

export interface BlobOptions extends OriginOptions {
  /** Behind the last byte wanted, more than `start`. @default the end of the blob */
  end?: number
  /** A 429 is `ORIGIN_RATE_LIMITED` at once, also one that is over in a moment: somebody else may ask meanwhile. @default it is waited out */
  failsWhenLimited?: boolean
}

export interface ResolvedManifest {
  readonly digest: Digest
  readonly mediaType: string
  readonly size: number
  readonly access: OriginAccess
}

export interface OriginManifest extends ResolvedManifest {
  /** The exact bytes; they match `digest`. */
  readonly bytes: Uint8Array
}

export interface OriginBlob {
  /** Bytes of the whole blob; undefined when the origin sends no length. */
  readonly size: number | undefined
  /** Where `body` begins: the `start` asked for, or 0 when the origin ignores Range. */
  readonly start: number
  /**
   * Behind the last byte of `body`: the `end` asked for or that of the blob, whichever is first; that of the blob when
   * the origin ignores Range. undefined when it can't be told.
   */
  readonly end: number | undefined
  /** A `start` or `end` was named, be it that of the whole, and the origin keeps to it. */
  readonly isPart: boolean
  readonly access: OriginAccess
  /**
   * The bytes as they come; resumed by Range after a cut, within the attempts and deadlines of the client, unseen by the reader.
   * Chunks are the socket's: copy what you keep. Ending the iteration frees the connection, and so does the signal:
   * one or the other must happen. It can be iterated once.
   */
  readonly body: AsyncIterable<Uint8Array>
}

/**
 * Registries, asked as a polite client. When the caller's signal ends, its reason is thrown; all other errors are `OriginError`s: `ORIGIN_NOT_FOUND`, `ORIGIN_DENIED`,
 * `ORIGIN_RATE_LIMITED` (`retryAfterMs`), `ORIGIN_UNAVAILABLE` (no connection, 5xx, cut), `ORIGIN_TIMEOUT`,
 * `ORIGIN_FORBIDDEN` (a host or realm the rules do not allow), `ORIGIN_INVALID` (an answer that cannot be right).
 */
export interface Origin {
  /** HEAD of a tag (GET where HEAD is not answered). */
  resolve (repository: Repository, tag: string, options?: OriginOptions): Promise<ResolvedManifest>
  /** GET of a manifest by digest (checked against it) or tag. At most 4 MiB; schema1 refused. */
  manifest (repository: Repository, reference: string, options?: OriginOptions): Promise<OriginManifest>
  /**
   * A blob from a byte on. Many parts of one blob may be asked for: connections and the redirect to where it lies are used again.
   * @throws RangeError when `end` is not beyond `start`
   */
  blob (repository: Repository, digest: Digest, start: number, options?: BlobOptions): Promise<OriginBlob>
  /** Size of a blob, without its bytes. */
  statBlob (repository: Repository, digest: Digest, options?: OriginOptions): Promise<{ size: number, access: OriginAccess }>
  /** All pages, in lexical order. */
  tags (repository: Repository, options?: OriginOptions): Promise<string[]>
  /** The origin's own index of referrers. `ORIGIN_NOT_FOUND` where it does not know the endpoint. */
  referrers (repository: Repository, digest: Digest, options?: OriginOptions): Promise<Uint8Array>
  close (): Promise<void>
}
