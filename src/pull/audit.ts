import type { Digest } from '../oci/digest.ts'
import type { Repository } from '../oci/repository.ts'
import { createHash } from 'node:crypto'
import { attestedHash } from '../net/swarm-attestation.ts'
import { OwnershipSeed } from '../swarm/ownership.ts'
import { pieceSpan } from '../swarm/pieces.ts'
import type { Download, DownloadComponents } from './download.ts'
import { WrongContentError } from './errors.ts'
import { allPieces } from './origin-runs.ts'

/** Whole blobs that did not match before the fetch gives up. */
const MAX_MISMATCHES = 8
/** Of these, at the most so many that came from origins alone. */
const MAX_ORIGIN_MISMATCHES = 2

export interface AuditInit {
  readonly digest: Digest
  readonly size: number
  readonly download: Download
  readonly repositories: ReadonlyMap<string, Repository>
  readonly ban: (peer: string, reason: string) => void
}

/**
 * Finds out who lied when a whole does not match its digest, though each piece has the hash that somebody signed. Pieces are
 * read again from the origin, one of each signer before a second of any, until one differs: its signer is banned, all it vouched
 * for is fetched again, and the others are told. Each agent begins with another signer, so that together they are quick.
 */
export class Audit {
  readonly #components: DownloadComponents
  readonly #init: AuditInit
  /** Pieces compared with the origin's and found right. */
  readonly #right = new Set<number>()
  #count = 0
  #originCount = 0

  constructor (components: DownloadComponents, init: AuditInit) {
    this.#components = components
    this.#init = init
  }

  /**
   * @param given - pieces that readers were given bytes of, which must not change
   * @returns the pieces to fetch again
   * @throws WrongContentError when nothing is left to try, or readers have wrong bytes
   */
  async settle (cause: Error, given: ReadonlySet<number>, options: { signal?: AbortSignal }): Promise<number[]> {
    const { digest, size, download } = this.#init
    this.#count++
    const authors = this.#suspects()
    if (authors.length === 0) this.#originCount++
    if (this.#count >= MAX_MISMATCHES || this.#originCount >= MAX_ORIGIN_MISMATCHES) throw new WrongContentError(digest, { cause })
    const wrong = authors.length === 0 ? allPieces(size) : await this.#findLies(authors, options)
    if (wrong.length === 0 || wrong.some(piece => given.has(piece))) throw new WrongContentError(digest, { cause })
    return wrong.filter(piece => download.session.held.has(piece))
  }

  /** The whole is right: whoever signed another hash of one of its pieces has lied. */
  convict (): void {
    const { digest, size, download } = this.#init
    const { vouchers } = download.participation
    const liars = new Set<string>()
    for (const piece of allPieces(size)) {
      const right = vouchers.settled(piece)
      const hash = right === undefined ? undefined : attestedHash(right, piece)
      if (hash === undefined) continue
      for (const other of vouchers.of(piece)) {
        if (Buffer.compare(attestedHash(other, piece) ?? hash, hash) !== 0) liars.add(other.author)
      }
    }
    for (const liar of liars) this.#init.ban(liar, `signed a wrong hash of a piece of ${digest}`)
  }

  /** Signers other than us, in an order of our own. */
  #suspects (): string[] {
    const { download, digest } = this.#init
    const self = this.#components.self()
    const rank = (author: string): number => new OwnershipSeed(`${digest} ${self}`, author).rank(0)
    return download.participation.vouchers.authors().filter(author => author !== self).sort((a, b) => rank(b) - rank(a))
  }

  /** @returns all pieces that the first liar found vouched for */
  async #findLies (authors: readonly string[], options: { signal?: AbortSignal }): Promise<number[]> {
    const { vouchers } = this.#init.download.participation
    const left = new Map(authors.map(author => [author, vouchers.piecesOf(author).filter(piece => !this.#right.has(piece))]))
    while ([...left.values()].some(pieces => pieces.length > 0)) {
      for (const [author, pieces] of left) {
        const piece = pieces.shift()
        if (piece === undefined) continue
        const hash = await this.#originHash(piece, options)
        if (hash === undefined) return authors.length === 1 ? this.#accuse(author) : []
        const signed = vouchers.settled(piece)
        const claimed = signed === undefined ? undefined : attestedHash(signed, piece)
        if (claimed !== undefined && Buffer.compare(claimed, hash) !== 0) return this.#accuse(author)
        this.#right.add(piece)
      }
    }
    return []
  }

  #accuse (author: string): number[] {
    const { download, digest, ban } = this.#init
    const { vouchers } = download.participation
    const pieces = vouchers.piecesOf(author)
    vouchers.forget(author)
    ban(author, `signed wrong hashes of pieces of ${digest}`)
    return pieces
  }

  /** sha256 of the origin's bytes; undefined when no origin gives them. */
  async #originHash (piece: number, { signal }: { signal?: AbortSignal }): Promise<Uint8Array | undefined> {
    const { originSlots } = this.#components
    const { digest, size, repositories } = this.#init
    const { start, end } = pieceSpan(size, piece)
    for (const repository of repositories.values()) {
      const stop = new AbortController()
      const free = await originSlots.enter(end - start, { signal: signal ?? stop.signal })
      try {
        const blob = await this.#components.origin.blob(repository, digest, start, { end, signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]) })
        if (blob.start !== start) continue
        const hash = createHash('sha256')
        let bytes = 0
        for await (const chunk of blob.body) {
          hash.update(chunk)
          bytes += chunk.length
        }
        this.#components.events.emit({ type: 'fetch:received', digest, source: 'origin', bytes })
        if (bytes === end - start) return hash.digest()
      } catch {
        signal?.throwIfAborted()
        // the next repository may answer
      } finally {
        stop.abort()
        free()
      }
    }
    return undefined
  }
}
