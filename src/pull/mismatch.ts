import type { ShoalError } from '../errors.ts'
import type { EventSink } from '../events.ts'
import type { Blame } from './blame.ts'
import type { BlobIntake } from './blob-intake.ts'
import { WrongContentError } from './errors.ts'
import type { IncomingBlob } from './incoming-blob.ts'
import type { SourceOrder } from './source-order.ts'

/** Whole blobs that did not match before the fetch gives up. */
const MAX_MISMATCHES = 8
/** Of these, at the most so many that came from origins alone. */
const MAX_ORIGIN_MISMATCHES = 2

export interface MismatchParts {
  readonly blob: IncomingBlob
  readonly intake: BlobIntake
  readonly order: SourceOrder
  readonly blame: Blame
  readonly events: EventSink
}

/**
 * What to do with a whole that does not match. With one author the liar is known; with several the wrong bytes are kept
 * as evidence, and who lied shows when the right ones are here. Bytes that clients may have already are never changed.
 */
export class Mismatches {
  readonly #parts: MismatchParts
  /** Peers not asked again because the whole was wrong with their bytes behind the origin's. */
  readonly #suspects = new Set<string>()
  #count = 0
  #originCount = 0

  constructor (parts: MismatchParts) {
    this.#parts = parts
  }

  /** Whether bytes of this fetch were part of a wrong whole. */
  get hasAny (): boolean {
    return this.#count > 0
  }

  /** Makes the intake ready to read again what may be wrong. @throws WrongContentError when nothing is left to try */
  async settle (cause: ShoalError): Promise<void> {
    const { blob, intake, order, events } = this.#parts
    const { digest, sources } = blob
    events.emit({ type: 'fetch:mismatch', digest, sources })
    this.#count += 1
    const peers = this.#authors()
    if (peers.length === 0) this.#originCount += 1
    else await this.#accuse(peers)
    const edge = await this.#edgeToKeep(peers)
    if (this.#count >= MAX_MISMATCHES || this.#originCount >= MAX_ORIGIN_MISMATCHES || edge < blob.released) throw new WrongContentError(digest, { cause })
    await intake.restart(edge)
    if (edge === 0) this.#readmitSuspects()
    // what the origin alone got wrong, peers may get right
    order.restart({ originFirst: peers.length > 0 })
  }

  /** Peers that gave bytes of it, or on whose word it ends where it ends. */
  #authors (): string[] {
    const { blob, intake } = this.#parts
    const authors = new Set(blob.sources.flatMap(source => source === 'origin' ? [] : [source.slice('peer:'.length)]))
    if (intake.claimant !== undefined) authors.add(intake.claimant)
    return [...authors]
  }

  async #accuse (peers: readonly string[]): Promise<void> {
    const { blob, order, blame } = this.#parts
    const [author, ...others] = peers
    const isSole = author !== undefined && others.length === 0
    const saidSo = isSole && blame.claimOf(author) === blob.edge
    if (saidSo && await blob.trusted() === 0) {
      order.exclude(author)
      blame.ban(author, `sent bytes that do not match ${blob.digest}`)
      return
    }
    blame.addEvidence(await blob.setAside())
    if (!saidSo) return
    order.exclude(author)
    this.#suspects.add(author)
  }

  /** They went on from bytes that are gone now, and may have been the wrong ones. */
  #readmitSuspects (): void {
    for (const peer of this.#suspects) this.#parts.order.readmit(peer)
    this.#suspects.clear()
  }

  /** The origin's bytes, unless they are suspect themselves: nothing else in it, or wrong again with another peer's bytes. */
  async #edgeToKeep (peers: readonly string[]): Promise<number> {
    const { blob } = this.#parts
    if (peers.length === 0) return 0
    const isSuspect = this.#count > 1 && peers.length === 1
    return isSuspect && blob.released === 0 ? 0 : blob.trusted()
  }
}
