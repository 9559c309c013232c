import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Accusation } from '../exchange/accusations.ts'
import type { Charge } from '../exchange/testimony.ts'
import { attestedHash, isSameHash, saysTheSame, verifyAttestation, type Attestation } from '../net/swarm-attestation.ts'
import type { Digest } from '../oci/digest.ts'
import type { Repository } from '../oci/repository.ts'
import { OwnershipSeed } from '../swarm/ownership.ts'
import { pieceSpan } from '../swarm/pieces.ts'
import { waitForTurnMs } from './audit-turn.ts'
import type { Download, DownloadComponents } from './download.ts'
import { WrongContentError } from './errors.ts'
import { allPieces } from './origin-runs.ts'

/** Whole blobs that did not match before members are asked for nothing any more. */
const MAX_MISMATCHES = 8
/** Whole blobs that came from origins alone and did not match, before the fetch gives up. */
const MAX_ORIGIN_MISMATCHES = 2

/** Signers that are not believed on others' word alone, at the most. */
const MAX_DOUBTED = 4
/** Signers accused over other blobs that are remembered, at the most. */
const MAX_SUSPECTED = 32
/** Pieces read again at the same time: a round over the signers of a blob takes so much less long. */
const READS_AT_A_TIME = 4
/** Accusations for which the origin is read before the blob is here whole: of us, or when more are accused than are doubted. */
const MAX_CHECKS = 4

export interface AuditInit {
  readonly digest: Digest
  readonly size: number
  readonly download: Download
  readonly repositories: ReadonlyMap<string, Repository>
  /** Whether the origin may be read at all. */
  readonly mayAskOrigin: boolean
  /** Pieces that readers were given bytes of, which must not change. */
  readonly given: ReadonlySet<number>
  readonly ban: (peer: string, reason: string) => void
}

/**
 * Finds out who lied when a whole does not match its digest, though each piece has the hash that somebody signed. Pieces are
 * read again from the origin, one of each signer before a second of any, until some differ: their signers are banned, all they vouched
 * for is fetched again, and the others are told. Few do so at a time, those that stand highest first, each beginning with another
 * signer. The rest hear who has lied, whether their whole is here or still coming, and fetch what that one signed anew without asking
 * the origin: the right whole will say whether the accused lied or the accuser.
 */
export class Audit {
  readonly #components: DownloadComponents
  readonly #init: AuditInit
  /** Pieces compared with the origin's and found right. */
  readonly #right = new Set<number>()
  /** What members said of each accused, the latest. */
  readonly #hints = new Map<string, Charge>()
  /** Signers that are accused over another blob, and who answers for that. */
  readonly #suspected = new Map<string, string>()
  /** Signers whose word is taken no more, though nothing is proved: what they signed the whole will judge. */
  readonly #doubted = new Set<string>()
  /** Somebody was accused, or found out: fulfilled then, while that is waited for. */
  #onNews: (() => void) | undefined
  /** They are believed again, as nobody else has what they signed: from now on only the whole judges. */
  #hasRelented = false
  #checks = 0
  #checking: Promise<void> = Promise.resolve()
  #count = 0
  #originCount = 0

  constructor (components: DownloadComponents, init: AuditInit) {
    this.#components = components
    this.#init = init
  }

  /** Takes what a member says of a signer. */
  hear ({ of, pieces, attestation, claim }: Accusation, options: { signal?: AbortSignal }): void {
    const { session, participation: { vouchers } } = this.#init.download
    const claimOf = (piece: number): Attestation | undefined => {
      const settled = vouchers.settled(piece)
      return settled?.author === of ? settled : undefined
    }
    const piece = pieces.find(piece => {
      const claim = claimOf(piece)
      return claim !== undefined && !saysTheSame(claim, attestation, piece)
    })
    const [first = 0] = pieces
    this.#hints.set(of, { of, piece: piece ?? first, attestation, claim })
    this.#onNews?.()
    // where nothing is here on its word nothing is lost, and a whole is about to say who is right
    if (piece === undefined || session.isComplete || this.#doubted.has(of)) return
    const doubted = of === this.#components.self() || !this.#init.mayAskOrigin ? undefined : this.#onAccusedWord([of])
    if (doubted !== undefined) {
      this.#fetchAgain(doubted)
      return
    }
    if (this.#checks === MAX_CHECKS) return
    this.#checks++
    this.#checking = this.#checking.then(async () => {
      const claim = claimOf(piece)
      if (claim !== undefined) await this.#check(piece, claim, attestation, options)
    }).catch((error: unknown) => { this.#init.download.fail(error) })
  }

  /** A signer is accused over another blob: if the whole turns out to be wrong, what is here on its word comes first. */
  suspect (signer: string, accuser: string): void {
    if (this.#suspected.size === MAX_SUSPECTED || signer === this.#components.self()) return
    this.#suspected.set(signer, accuser)
    this.#onNews?.()
  }

  /** A signer was found out over another blob: what is here on its word, and readers have not, is fetched again. */
  disbelieve (signer: string): void {
    const { download, given } = this.#init
    this.#onNews?.()
    // a whole is about to say who is right
    if (download.session.isComplete) return
    const anew = download.participation.vouchers.piecesOf(signer).filter(piece => !given.has(piece))
    this.#discredit(signer, anew)
    this.#fetchAgain(anew)
  }

  /** Nobody helps any more: those that are accused are believed again, once, and the whole will judge. @returns whether anybody is */
  relent (): boolean {
    if (this.#hasRelented) return false
    this.#hasRelented = true
    const { session, participation: { vouchers } } = this.#init.download
    for (const author of this.#doubted) if (!this.#isBanned(author)) vouchers.credit(author)
    return session.relent(this.#components.now())
  }

  /** Its word counts no more, nor do others' copies of these pieces, which are on the same word; but without an origin they may be the only ones. */
  #discredit (signer: string, pieces: readonly number[]): void {
    const { download, mayAskOrigin } = this.#init
    download.participation.vouchers.discredit(signer)
    if (mayAskOrigin) download.session.doubt(signer, pieces)
  }

  #fetchAgain (pieces: readonly number[]): void {
    const { download } = this.#init
    this.#checking = this.#checking.then(async () => {
      await download.lost(pieces.filter(piece => download.session.held.has(piece)))
    }).catch((error: unknown) => { download.fail(error) })
  }

  /** Resolves when nothing is being looked into. */
  async idle (): Promise<void> {
    await this.#checking
  }

  /**
   * @returns the pieces to fetch again
   * @throws WrongContentError when nothing is left to try, or readers have wrong bytes
   */
  async settle (cause: Error, options: { signal?: AbortSignal }): Promise<number[]> {
    const { digest, size } = this.#init
    this.#count++
    const authors = this.#suspects()
    if (authors.length === 0 && ++this.#originCount >= MAX_ORIGIN_MISMATCHES) throw new WrongContentError(digest, { cause })
    const isHopeless = this.#count >= MAX_MISMATCHES
    const wrong = authors.length === 0 ? allPieces(size) : isHopeless ? [] : this.#onOthersWord(authors) ?? await this.#findOut(options)
    return this.#lost(wrong.length > 0 ? wrong : await this.#goAlone(cause, options), cause)
  }

  /** The whole is right: whoever signed another hash of one of its pieces has lied. */
  convict (): void {
    const { digest, size, download } = this.#init
    const { vouchers } = download.participation
    const liars = new Map<string, { claim: Attestation, piece: number, hash: Uint8Array }>()
    for (const piece of allPieces(size)) {
      const right = vouchers.settled(piece)
      const hash = right === undefined ? undefined : attestedHash(right, piece)
      if (hash === undefined) continue
      for (const other of vouchers.of(piece)) {
        if (!liars.has(other.author) && !isSameHash(attestedHash(other, piece), hash) && verifyAttestation(other)) liars.set(other.author, { claim: other, piece, hash })
      }
    }
    for (const { piece, attestation } of this.#hints.values()) {
      const right = vouchers.settled(piece)
      const hash = right === undefined ? undefined : attestedHash(right, piece)
      if (hash !== undefined && !isSameHash(attestedHash(attestation, piece), hash)) liars.set(attestation.author, { claim: attestation, piece, hash })
    }
    for (const [liar, { claim, piece, hash }] of liars) {
      if (!this.#isBanned(liar)) this.#convict(claim, piece, hash, `signed a wrong hash of piece ${piece} of ${digest}, which is whole and right with another`)
    }
  }

  /**
   * Too many have lied, or nobody is found out: from now on only the origin is believed.
   * @returns what others gave, but for what readers have, which the whole will judge
   */
  async #goAlone (cause: Error, options: { signal?: AbortSignal }): Promise<number[]> {
    const { digest, size, download, given } = this.#init
    const others = allPieces(size).filter(piece => !given.has(piece) && !download.isOurs(piece))
    const [first] = others
    if (first === undefined || download.session.isOriginOnly || await this.#originHash(first, options) === undefined) throw new WrongContentError(digest, { cause })
    download.session.useOriginOnly()
    return others
  }

  /** Signers other than us, those accused first, and else in an order of our own. */
  #suspects (): string[] {
    const { download, digest } = this.#init
    const self = this.#components.self()
    const rank = (author: string): number => this.#hints.has(author) || this.#suspected.has(author) ? Infinity : new OwnershipSeed(`${digest} ${self}`, author).rank(0)
    return download.participation.vouchers.authors().filter(author => author !== self).map(author => ({ author, rank: rank(author) })).sort((a, b) => b.rank > a.rank ? 1 : -1).map(({ author }) => author)
  }

  /** Whoever was banned meanwhile, over whatever, is believed by nobody: no origin need say so. */
  #onBannedWord (authors: readonly string[]): number[] | undefined {
    const { vouchers } = this.#init.download.participation
    const banned = authors.filter(author => this.#isBanned(author))
    const pieces = banned.flatMap(author => vouchers.piecesOf(author))
    for (const author of banned) vouchers.discredit(author)
    return pieces.length === 0 ? undefined : pieces
  }

  /** When it is our turn. */
  async #findOut (options: { signal?: AbortSignal }): Promise<number[]> {
    const { mayAskOrigin, download: { session } } = this.#init
    const { now } = this.#components
    const sinceMs = now()
    const leftMs = (): number => mayAskOrigin ? waitForTurnMs(session, now() - sinceMs) : 0
    for (let waitMs = leftMs(); waitMs > 0; waitMs = leftMs()) {
      await this.#news(waitMs, options)
      const wrong = this.#onOthersWord(this.#suspects())
      if (wrong !== undefined) return wrong
    }
    return this.#findLies(this.#suspects(), options)
  }

  /** Waits until somebody is accused or found out, so many milliseconds at the most. */
  async #news (withinMs: number, { signal }: { signal?: AbortSignal }): Promise<void> {
    const stop = new AbortController()
    this.#onNews = () => { stop.abort() }
    await delay(withinMs, undefined, { signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]) }).catch(() => {})
    this.#onNews = undefined
    signal?.throwIfAborted()
  }

  /** @returns what is here on the word of who was found out or is accused; undefined: nobody is, or it was tried */
  #onOthersWord (authors: readonly string[]): number[] | undefined {
    return this.#onBannedWord(authors) ?? this.#onAccusedWord(authors)
  }

  /**
   * What the accused have signed is fetched anew: whether it was wrong the whole will say, and no origin is asked. The others hear of it,
   * unless it is over another blob that they are accused.
   */
  #onAccusedWord (authors: readonly string[]): number[] | undefined {
    const { download: { participation }, given } = this.#init
    const { vouchers } = participation
    const anew: number[] = []
    for (const author of authors) {
      const hint = this.#hints.get(author)
      if (this.#hasRelented || this.#doubted.size === MAX_DOUBTED || this.#doubted.has(author)) continue
      const isAccused = this.#isAccused(author)
      if (!isAccused && !this.#isSuspected(author)) continue
      const pieces = vouchers.piecesOf(author)
      if (pieces.some(piece => given.has(piece))) continue
      this.#doubted.add(author)
      this.#discredit(author, pieces)
      if (isAccused && hint !== undefined) participation.passOn(hint)
      anew.push(...pieces)
    }
    return anew.length === 0 ? undefined : anew
  }

  /** Whether somebody that is believed says that a piece, which is here on this signer's word, has another hash. */
  #isAccused (author: string): boolean {
    const hint = this.#hints.get(author)
    if (hint === undefined || this.#isBanned(hint.attestation.author)) return false
    const claim = this.#init.download.participation.vouchers.settled(hint.piece)
    return claim?.author === author && !saysTheSame(claim, hint.attestation, hint.piece)
  }

  /** Whether somebody that is believed says that it has lied about another blob, and it may have done so here too. */
  #isSuspected (author: string): boolean {
    const accuser = this.#suspected.get(author)
    return accuser !== undefined && !this.#isBanned(accuser)
  }

  /** Round by round, one piece of each signer: of several liars a second would be found only after another wrong whole. @returns all pieces that those found vouched for */
  async #findLies (authors: readonly string[], options: { signal?: AbortSignal }): Promise<number[]> {
    const left = authors.map(author => this.#open(author))
    for (;;) {
      const round = left.flatMap(pieces => pieces.shift() ?? [])
      const { wrong, isAnswered } = await this.#compare(round, options)
      if (wrong.length > 0 || round.length === 0) return wrong
      if (!isAnswered) return this.#withoutOrigin(authors)
    }
  }

  /** Some at a time, up to the first that no origin gives. @returns all that those have vouched for whose piece is another there, and whether each was given */
  async #compare (pieces: readonly number[], options: { signal?: AbortSignal }): Promise<{ wrong: number[], isAnswered: boolean }> {
    const { vouchers } = this.#init.download.participation
    const wrong: number[] = []
    const left = pieces.values()
    let isAnswered = true
    const read = async (): Promise<void> => {
      for (const piece of left) {
        const hash = await this.#originHash(piece, options)
        const signed = vouchers.settled(piece)
        if (hash === undefined) isAnswered = false
        else if (signed !== undefined && isSameHash(attestedHash(signed, piece), hash)) this.#right.add(piece)
        else if (signed !== undefined) wrong.push(...this.#proved(signed, piece, hash))
        if (!isAnswered) return
      }
    }
    await Promise.all(Array.from({ length: READS_AT_A_TIME }, read))
    return { wrong, isAnswered }
  }

  /** Pieces on this author's word that are not known to be right; the one it is accused of first. */
  #open (author: string): number[] {
    const hint = this.#hints.get(author)?.piece
    return this.#init.download.participation.vouchers.piecesOf(author).filter(piece => !this.#right.has(piece)).sort((a, b) => Number(b === hint) - Number(a === hint))
  }

  /**
   * Only one signer beside us: it is he. Else all that one of them vouched for is fetched anew of others, without blame: the one that most others
   * contradict or somebody accuses. Once the whole is right it tells who lied.
   */
  #withoutOrigin (authors: readonly string[]): number[] {
    const { download, digest, ban } = this.#init
    const { vouchers } = download.participation
    const forged = vouchers.dropForged()
    if (forged.length > 0) return forged
    const [first = ''] = authors
    if (authors.length > 1) {
      const doubts = new Map(authors.map(author => [author, this.#contradictions(author) + Number(this.#hints.has(author))]))
      const most = authors.reduce((worst, author) => (doubts.get(author) ?? 0) > (doubts.get(worst) ?? 0) ? author : worst, first)
      const pieces = (doubts.get(most) ?? 0) > 0 ? vouchers.piecesOf(most) : []
      if (pieces.length > 0) vouchers.discredit(most)
      return pieces
    }
    const pieces = vouchers.piecesOf(first)
    vouchers.discredit(first)
    ban(first, `signed hashes of pieces of ${digest}, and the whole is wrong`)
    return pieces
  }

  /** Others who signed other hashes of pieces that are here on this author's word. */
  #contradictions (author: string): number {
    const { vouchers } = this.#init.download.participation
    const others = new Set<string>()
    for (const piece of vouchers.piecesOf(author)) {
      const settled = vouchers.settled(piece)
      const hash = settled && attestedHash(settled, piece)
      for (const other of vouchers.of(piece)) if (hash !== undefined && !isSameHash(attestedHash(other, piece), hash)) others.add(other.author)
    }
    return others.size
  }

  /** Somebody is accused: the origin says who is right. */
  async #check (piece: number, claim: Attestation, attestation: Attestation, options: { signal?: AbortSignal }): Promise<void> {
    const { download, digest } = this.#init
    const hash = await this.#originHash(piece, options)
    if (hash === undefined) return
    const wrong: number[] = []
    if (!isSameHash(attestedHash(claim, piece), hash)) wrong.push(...claim.author === this.#components.self() ? [piece] : this.#proved(claim, piece, hash))
    else this.#right.add(piece)
    if (!isSameHash(attestedHash(attestation, piece), hash)) wrong.push(...this.#proved(attestation, piece, hash))
    await download.lost(this.#lost(wrong, new Error(`piece ${piece} of ${digest} is another one at the origin`)))
  }

  #lost (wrong: readonly number[], cause: Error): number[] {
    const { digest, given, download } = this.#init
    if (wrong.some(piece => given.has(piece))) {
      download.distrust(wrong)
      throw new WrongContentError(digest, { cause })
    }
    return wrong.filter(piece => download.session.held.has(piece))
  }

  /** A list says something wrong of a piece. @returns all that its author vouched for; if it has not signed it, what is here on such lists */
  #proved (attestation: Attestation, piece: number, hash: Uint8Array): number[] {
    const { download, digest } = this.#init
    const { vouchers } = download.participation
    const { author } = attestation
    if (!verifyAttestation(attestation)) return vouchers.dropForged()
    const pieces = vouchers.piecesOf(author)
    vouchers.discredit(author)
    this.#convict(attestation, piece, hash, `signed a wrong hash of piece ${piece} of ${digest}: the origin has another`)
    return pieces
  }

  #convict (claim: Attestation, piece: number, hash: Uint8Array, reason: string): void {
    this.#init.download.participation.accuse(claim, piece, hash)
    this.#init.ban(claim.author, reason)
  }

  #isBanned (peer: string): boolean {
    const { score, now } = this.#components
    return score.isBanned(peer, now())
  }

  /** sha256 of the origin's bytes; undefined when no origin gives them. */
  async #originHash (piece: number, { signal }: { signal?: AbortSignal }): Promise<Uint8Array | undefined> {
    const { originSlots } = this.#components
    const { digest, size, repositories, mayAskOrigin } = this.#init
    if (!mayAskOrigin) return undefined
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
