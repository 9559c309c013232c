import type { Vouchers } from '../exchange/vouchers.ts'
import type { Attestation } from '../net/swarm-attestation.ts'
import { SwarmMessageError, type PieceMessage } from '../net/swarm-message.ts'
import type { Digest } from '../oci/digest.ts'
import type { PartialBlob } from '../store/store.ts'
import { pieceSpan } from '../swarm/pieces.ts'
import type { Session } from '../swarm/session.ts'
import type { DownloadBudget } from './download-budget.ts'
import { noteOf } from './kept-pieces.ts'
import { PieceInbox } from './piece-inbox.ts'

/** Bytes from a member that count as progress: who sends fewer within its patience sends nothing. */
const PROGRESS_BYTES = 16 * 1024

export interface MemberPiecesParts {
  readonly digest: Digest
  readonly size: number
  readonly partial: PartialBlob
  readonly session: Session
  readonly vouchers: Vouchers
  readonly budget: DownloadBudget
  /** Leading bytes of pieces that are here from the origin: they stay. A piece that has come whole is taken out. */
  readonly torn: Map<number, number>
  readonly now: () => number
}

/** What comes of the bytes that members send. */
export interface MemberPiecesListener {
  /** A member has sent enough to count. */
  onProgress (nowMs: number): void
  /** Something changed: it is time to decide. */
  onFacts (): void
  /** A piece is here and as somebody attested; the session knows. */
  onPiece (member: string, piece: number, attestation: Attestation): void
  /** A check has ended, whatever came of it. */
  onChecked (): void
  /** A member sent other bytes than it attested. */
  onLie (member: string, reason: string): void
  /** The store has failed: nothing can mend that. */
  onFailure (error: unknown): void
}

/** Pieces on their way from members: takes what was asked for, checks it against what is attested, and passes by what is of no use any more. */
export class MemberPieces {
  readonly #parts: MemberPiecesParts
  readonly #listener: MemberPiecesListener
  readonly #inbox: PieceInbox
  /** What members send although it is of no use, by `member piece`: why it is not taken. */
  readonly #passed = new Map<string, 'cancelled' | 'missing'>()
  /** Bytes that came from members and are no progress yet. */
  readonly #uncounted = new Map<string, number>()
  /** Pieces whose bytes are being checked. */
  #checking = 0
  #isClosed = false

  constructor (parts: MemberPiecesParts, listener: MemberPiecesListener) {
    this.#parts = parts
    this.#listener = listener
    this.#inbox = new PieceInbox(parts.partial, parts.size, parts.torn)
  }

  /** Whether bytes that have come are not known to be right or wrong yet. */
  get isChecking (): boolean {
    return this.#checking > 0
  }

  /** Bytes of a piece from a member, lent. @throws SwarmMessageError */
  take (member: string, message: PieceMessage, bytes: Uint8Array, offset: number, isLast: boolean): void {
    const { session, vouchers, size, budget, now } = this.#parts
    const { piece } = message
    const expected = session.expects(member, piece)
    if (expected === undefined) throw new SwarmMessageError(`piece ${piece}, which was not asked for`)
    const nowMs = now()
    this.#noteProgress(member, bytes.length, nowMs)
    const key = `${member} ${piece}`
    if (this.#isClosed) this.#passed.set(key, 'cancelled')
    else if (expected === 'asked' && vouchers.of(piece).length === 0) this.#unattested(member, piece)
    const passed = this.#passed.get(key)
    if (expected === 'called-off' || passed !== undefined) {
      const { start, end } = pieceSpan(size, piece)
      if (isLast && message.offset + message.length === end - start) {
        this.#passed.delete(key)
        session.rejected(member, piece, passed ?? 'cancelled', nowMs)
      }
      return
    }
    const taken = this.#inbox.take(member, message, bytes, offset)
    if (taken === 'refused') throw new SwarmMessageError(`a chunk of piece ${piece} that does not follow on the one before`)
    budget.received(bytes.length)
    if (taken === 'complete') this.#check(member, piece).catch((error: unknown) => { this.#listener.onFailure(error) })
  }

  /** The member will not send these, or not the rest of them. */
  rejected (member: string, pieces: readonly number[]): void {
    for (const piece of pieces) {
      this.#inbox.drop(member, piece)
      this.#passed.delete(`${member} ${piece}`)
    }
  }

  /** The piece is not wanted of the member any more; the rest of it may still come. */
  cancel (member: string, piece: number): void {
    this.#inbox.drop(member, piece)
  }

  /** Nothing more comes of what the member was asked for. */
  forget (member: string): void {
    this.#inbox.drop(member)
    for (const key of this.#passed.keys()) if (key.startsWith(`${member} `)) this.#passed.delete(key)
  }

  /** Nothing is taken of members until `reopen`: all of it comes from elsewhere. */
  close (): void {
    this.#isClosed = true
    for (const { member, piece } of this.#inbox.dropAll()) this.#passed.set(`${member} ${piece}`, 'cancelled')
  }

  reopen (): void {
    this.#isClosed = false
  }

  /** Takes a piece off the disk again. */
  async erase (piece: number): Promise<void> {
    await this.#inbox.erase(piece)
  }

  /** Resolves when nothing is being taken off the disk any more. */
  async erased (): Promise<void> {
    await this.#inbox.erased()
  }

  /** Without anybody's word for it a piece is of no use. */
  #unattested (member: string, piece: number): void {
    // its list may have found no room
    if (this.#parts.vouchers.isJudgeable(member)) throw new SwarmMessageError(`piece ${piece}, which nobody attests`)
    this.#inbox.drop(member, piece)
    this.#passed.set(`${member} ${piece}`, 'missing')
  }

  #noteProgress (member: string, bytes: number, nowMs: number): void {
    const sum = (this.#uncounted.get(member) ?? 0) + bytes
    this.#uncounted.set(member, sum % PROGRESS_BYTES)
    if (sum < PROGRESS_BYTES) return
    this.#parts.session.progressed(member, nowMs)
    this.#listener.onProgress(nowMs)
  }

  /** All of a piece has come from a member: is it what was attested? */
  async #check (member: string, piece: number): Promise<void> {
    const { session, vouchers, partial, size, torn, now } = this.#parts
    this.#checking++
    session.arrived(piece, member, now())
    this.#listener.onFacts()
    try {
      await this.#inbox.finish(member, piece)
      const hex = await partial.hash(pieceSpan(size, piece))
      const sha256 = Buffer.from(hex, 'hex')
      const attestation = vouchers.match(piece, sha256)
      if (attestation === undefined) {
        await this.#wrong(member, piece, { isAttested: vouchers.isAttested(piece, sha256) })
        return
      }
      torn.delete(piece)
      partial.confirm(pieceSpan(size, piece), hex, noteOf(attestation))
      session.verified(piece)
      this.#listener.onPiece(member, piece, attestation)
    } finally {
      this.#checking--
      this.#listener.onChecked()
    }
  }

  async #wrong (member: string, piece: number, { isAttested }: { readonly isAttested: boolean }): Promise<void> {
    const { session, vouchers, torn, digest } = this.#parts
    const isOurs = torn.has(piece)
    // it may have passed on what somebody signed whom we no longer believe
    const isLie = !isOurs && !isAttested && vouchers.isJudgeable(member)
    await this.#inbox.erase(piece)
    session.lost(piece)
    // behind bytes of the origin it may be they that are wrong
    if (!isOurs) session.useless(member, piece)
    if (isLie) this.#listener.onLie(member, `sent piece ${piece} of ${digest} with other bytes than attested`)
    this.#listener.onFacts()
  }
}
