import { Bitfield } from '../swarm/bitfield.ts'
import { News, type NewsParts } from '../swarm/news.ts'
import type { Session } from '../swarm/session.ts'

export interface OffersParts<Member> extends Pick<NewsParts<Member>, 'members' | 'longest' | 'tell' | 'now'> {
  readonly session: Session
  /** We give nothing. */
  readonly isLeech: boolean
}

/** Pieces of one blob that members may ask for, as long as the blob may be shared, and who has heard of them. */
export class Offers<Member> {
  readonly #parts: OffersParts<Member>
  readonly #pieces: Bitfield
  readonly #news: News<Member>
  #isShared: boolean

  constructor (parts: OffersParts<Member>, isShared: boolean) {
    this.#parts = parts
    this.#isShared = isShared
    this.#pieces = new Bitfield(parts.session.pieces)
    this.#news = new News({
      ...parts,
      isHere: piece => this.#isShared && parts.session.held.has(piece),
      after: (delayMs, run) => {
        const timer = setTimeout(run, delayMs)
        return () => { clearTimeout(timer) }
      }
    })
  }

  /** Members may have the blob, as far as is known. */
  get isShared (): boolean {
    return this.#isShared
  }

  /** The pieces, in the form of a `join`; undefined: none. */
  get bitfield (): Uint8Array | undefined {
    return this.#isShared && this.#pieces.count > 0 ? this.#pieces.toBytes() : undefined
  }

  has (piece: number): boolean {
    return this.#pieces.has(piece)
  }

  /** The piece was offered in an earlier fetch: nobody waits for the news. */
  resume (piece: number): void {
    this.#pieces.add(piece)
  }

  /** Others may have these, of which somebody vouches for each. */
  add (pieces: readonly number[]): void {
    const fresh = pieces.filter(piece => this.#parts.session.held.has(piece) && this.#pieces.add(piece))
    if (this.#isShared) this.#announce(fresh)
  }

  remove (piece: number): void {
    this.#pieces.remove(piece)
  }

  /** Who may have the blob has become known: what is offered is told from now on, or is no longer. */
  share (isShared: boolean): void {
    if (this.#isShared === isShared) return
    this.#isShared = isShared
    if (isShared) this.#announce([...this.#pieces])
  }

  /** What there is now the member is told otherwise, and what comes later by the news. */
  know (member: Member): void {
    this.#news.know(member)
  }

  /** Tells a member what it has not heard yet. */
  tell (member: Member): void {
    this.#news.tell(member)
  }

  stop (): void {
    this.#news.stop()
  }

  #announce (pieces: readonly number[]): void {
    if (!this.#parts.isLeech) this.#news.add(pieces, { isRare: pieces.some(piece => this.#parts.session.isRare(piece)) })
  }
}
