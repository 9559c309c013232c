import type { Readable } from 'node:stream'
import type { Digest } from '../oci/digest.ts'

/** A manifest is never served under `/blobs/` and a blob never under `/manifests/`. */
export type BlobKind = 'blob' | 'manifest'

/**
 * How the content came here, which decides who may have it (sharing rule).
 * `public`: its origin gave it without credentials. `seeded`: a person put it here to be shared.
 * `restricted`: got with credentials, or from a member of a swarm with a key who marked it so.
 */
export type Access = 'public' | 'seeded' | 'restricted'

export interface BlobFacts {
  readonly kind: BlobKind
  readonly access: Access
  /** Known for manifests; a blob's type belongs to the descriptor that names it. */
  readonly mediaType?: string
}

export interface BlobRecord extends BlobFacts {
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  /** Milliseconds since the epoch. */
  readonly committedAt: number
}

/** Bytes `start` (inclusive) to `end` (exclusive). */
export interface ByteSpan {
  readonly start: number
  readonly end: number
}

/** Where a span of a partial blob came from: `origin`, or `peer:<peer id>`. */
export type SpanSource = 'origin' | `peer:${string}`

export interface SourcedSpan extends ByteSpan {
  readonly source: SpanSource
}

/** A span of a partial blob whose bytes have been checked: they hash to `sha256`. */
export interface ConfirmedSpan extends ByteSpan {
  /** In hex. */
  readonly sha256: string
  /** The caller's, kept with it, e.g. who vouches for the bytes. At most 4 KiB of UTF-8. */
  readonly note?: string
}

/** An open, verified blob. Stays readable when the blob is removed meanwhile; close it. */
export interface BlobReader {
  readonly record: BlobRecord
  /** Up to `buffer.length` bytes from `position`, at least one; 0 at the end. For callers who reuse their buffers. @throws BlobReadError */
  read (buffer: Uint8Array, position: number): Promise<number>
  /**
   * A stream of the span (default: all), read in large chunks. The reader stays open when it ends. It fails with BlobReadError when the
   * file cannot be read to its end.
   * @throws RangeError when the span is not within the blob
   */
  stream (span?: ByteSpan, options?: { signal?: AbortSignal }): Readable
  /** SHA-256, in hex, of a span, as its bytes are now; in a thread of its own. @throws HashFailedError; RangeError when the span is not within the blob */
  hash (span: ByteSpan): Promise<string>
  /** Hashes the whole file again, whatever it looks like. False: it is not right, and has been moved to quarantine. */
  verify (): Promise<boolean>
  /** The whole content; for manifests and other small blobs. Hashed each time it is read. @throws DigestMismatchError, BlobReadError */
  bytes (options?: { signal?: AbortSignal }): Promise<Uint8Array>
  /** Ends streams that still run. */
  close (): Promise<void>
}

/**
 * A blob on its way in: bytes in any order, each with its source. One open handle a digest.
 * Survives `kill -9` and is found again by `Store.openPartial`: the bytes without a gap from 0, and the confirmed spans
 * wherever they lie; other bytes beyond a gap are forgotten by `close` as well as by a kill.
 */
export interface PartialBlob {
  readonly digest: Digest
  /** Bytes in all, once known. */
  readonly size: number | undefined
  /** Bytes [0, edge) can be read; the byte at `edge` is not here yet. */
  readonly edge: number
  /** Where the bytes that can be read came from: sorted, disjoint, perhaps with gaps; neighbours of one source are merged. Never changes, a later call gives another. */
  readonly spans: readonly SourcedSpan[]
  /** What has been confirmed, also before it was opened this time; sorted and disjoint. Never changes, a later call gives another. */
  readonly confirmed: readonly ConfirmedSpan[]
  /** Who may have the bytes that are here, as was noted last, also before it was opened this time; undefined: nobody has noted it. */
  readonly access: Access | undefined
  /** Remembers who may have the bytes: a kill that keeps a byte written from now on keeps this too. */
  noteAccess (access: Access): void
  /** Whether all bytes of the span can be read. */
  has (span: ByteSpan): boolean
  /** Sets the size once known. @throws PartialSizeError when another size was set or bytes are past it. */
  setSize (size: number): Promise<void>
  /**
   * Appends at the first byte that was not given before. Resolves when there is room for more (back-pressure); bytes become
   * readable later: `onReadable` and `onEdge` say when. The chunk may be reused by the caller after the promise resolves.
   * @throws PartialSizeError past `size`, RangeError when it meets bytes that are here, StoreFullError: what could not be read yet is
   * lost, and nothing more is taken before `truncate`
   */
  append (chunk: Uint8Array, source: SpanSource): Promise<void>
  /**
   * As `append`, at `position`. Many spans may grow at the same time, each in order and by one writer. Bytes at `edge` are written at once,
   * others gather until `hash` or `flush` asks for them, 1 MiB is there, or 100 ms are over.
   * @throws RangeError when a byte was given before, and what `append` throws
   */
  write (position: number, chunk: Uint8Array, source: SpanSource): Promise<void>
  /** As `write`, but takes the chunk only if all of it finds room at once. @returns whether it did. @throws what `write` throws */
  tryWrite (position: number, chunk: Uint8Array, source: SpanSource): boolean
  /** Resolves when all that was given is readable. */
  flush (): Promise<void>
  /**
   * SHA-256 in hex of a span all of whose bytes were given; they are made readable first. Many may be under way: another thread reads them
   * from the page cache.
   * @throws RangeError when bytes are missing, HashFailedError, also when some are cut or erased meanwhile, StoreFullError
   */
  hash (span: ByteSpan, options?: { signal?: AbortSignal }): Promise<string>
  /**
   * Remembers that the readable bytes of the span hash to `sha256` (hex), soon also beyond a kill (`flush` and `close` make that certain).
   * Takes the place of what was confirmed of these bytes before.
   * @throws RangeError when a byte can't be read, or the note is too long
   */
  confirm (span: ByteSpan, sha256: string, note?: string): void
  /** Forgets the bytes of the span, and every confirmation of one of them: they may be given again. */
  erase (span: ByteSpan): Promise<void>
  /** Drops what lies at and beyond `edge`, and what made an `append` or `write` fail: `truncate(size)` does only that. */
  truncate (edge: number): Promise<void>
  /** Called after every advance of `edge`; one listener. */
  onEdge: ((edge: number) => void) | undefined
  /** Called when bytes have become readable, wherever they lie, before `onEdge`; one listener. */
  onReadable: ((start: number, end: number) => void) | undefined
  /** Up to `buffer.length` bytes from `position`, before the next gap; 0 when the byte at `position` is not here. */
  read (buffer: Uint8Array, position: number): Promise<number>
  /**
   * Flushes and compares length and digest of all bytes; hashing has run alongside in a worker, so this is quick.
   * @throws DigestMismatchError; PartialSizeError, also when there is a gap
   */
  verify (options?: { signal?: AbortSignal }): Promise<void>
  /**
   * After `verify`: fsync, rename into place, record. The partial is closed by it; reads through an
   * already open handle keep working until `close`, which is to be called then too.
   * @throws NotVerifiedError, StoreFullError
   */
  commit (facts: BlobFacts): Promise<BlobRecord>
  /** Keeps a copy of the bytes under another name and returns a reader for it, to compare later with the right ones. Deleted on close. */
  setAside (): Promise<Evidence>
  /** Lets go and keeps the bytes for a later `openPartial`. */
  close (): Promise<void>
  /** Lets go and deletes the bytes. */
  discard (): Promise<void>
}

/** A wrong copy of a blob, kept only until it has told which spans are wrong. */
export interface Evidence {
  readonly spans: readonly SourcedSpan[]
  /** Sources that gave at least one byte that differs from the right blob (or lies beyond its end). */
  compare (right: BlobReader, options?: { signal?: AbortSignal }): Promise<SpanSource[]>
  discard (): Promise<void>
}

export interface TagRecord {
  readonly digest: Digest
  readonly mediaType: string
  readonly size: number
  /** Milliseconds since the epoch, when the origin last said so. */
  readonly resolvedAt: number
}

/** What is known of a blob before it is here, from a manifest that names it. */
export interface KnownDescriptor {
  readonly digest: Digest
  readonly size: number
  readonly mediaType: string
  readonly kind: BlobKind
}

/** What belongs to which repository. A repository is written `<registry>/<name>`, e.g. `docker.io/library/alpine`. */
export interface Links {
  link (repository: string, digests: readonly Digest[]): Promise<void>
  isLinked (repository: string, digest: Digest): Promise<boolean>
  linked (repository: string): Promise<Digest[]>
  repositories (): Promise<string[]>
  setTag (repository: string, tag: string, record: TagRecord): Promise<void>
  tag (repository: string, tag: string): Promise<TagRecord | undefined>
  removeTag (repository: string, tag: string): Promise<void>
  /** In lexical order. */
  tags (repository: string): Promise<string[]>
  /** What the repository's own manifests say of digests. The word of one repository counts in no other. */
  describe (repository: string, descriptors: readonly KnownDescriptor[]): Promise<void>
  descriptor (repository: string, digest: Digest): Promise<KnownDescriptor | undefined>
}

export interface StoreUsage {
  readonly blobs: number
  readonly bytes: number
  readonly partials: number
  /** Gaps take no room. */
  readonly partialBytes: number
}

/** What a store tells the one who made it. */
export type StoreEvent =
  | { readonly type: 'blob:committed', readonly record: BlobRecord }
  | { readonly type: 'blob:removed', readonly record: BlobRecord }
  | { readonly type: 'blob:quarantined', readonly digest: Digest, readonly reason: string }

/** Content by digest, and what it belongs to. Nothing unverified is ever opened. */
export interface Store {
  readonly links: Links
  /** What the record says, without a look at the file; a file without a record is verified first and is `restricted`. */
  stat (digest: Digest): Promise<BlobRecord | undefined>
  /**
   * Opens a committed blob. One whose file changed since its commit is verified again first; a wrong one is moved
   * to quarantine, told by an event, and reported as absent.
   */
  open (digest: Digest, options?: { signal?: AbortSignal }): Promise<BlobReader | undefined>
  /** Commits bytes at hand (manifests). What is here already gets the new facts. @throws DigestMismatchError, StoreFullError */
  put (digest: Digest, bytes: Uint8Array, facts: BlobFacts): Promise<BlobRecord>
  /** Changes how the blob may be shared, e.g. when its origin also gives it without credentials. Nothing happens to a blob that is not here. */
  setAccess (digest: Digest, access: Access): Promise<void>
  remove (digest: Digest): Promise<boolean>
  records (): AsyncIterable<BlobRecord>
  /**
   * What is kept of it is hashed first, which takes its time for many bytes; until the signal fires.
   * @throws PartialInUseError when it is open already
   */
  openPartial (digest: Digest, options?: { signal?: AbortSignal }): Promise<PartialBlob>
  usage (): Promise<StoreUsage>
  close (): Promise<void>
}
