import type { Accusation } from '../exchange/accusations.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Participation } from '../exchange/participation.ts'
import type { ParticipationListener } from '../exchange/participation-listener.ts'
import type { EventSink } from '../events.ts'
import type { Attestation } from '../net/swarm-attestation.ts'
import type { JoinMessage, PieceMessage } from '../net/swarm-message.ts'
import type { ContentKind } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'
import { repositoryKey, type Repository } from '../oci/repository.ts'
import type { Origin, OriginAccess } from '../origin/origin.ts'
import type { Router } from '../routing/router.ts'
import type { PartialBlob } from '../store/store.ts'
import type { OriginPolicy } from '../swarm/origin-plan.ts'
import type { PeerScore } from '../swarm/peer-score.ts'
import { pieceSpan } from '../swarm/pieces.ts'
import { Session, type Decision } from '../swarm/session.ts'
import type { AccessFacts } from './access-facts.ts'
import type { DownloadBudget } from './download-budget.ts'
import { ContentUnavailableError, SizeDisagreementError } from './errors.ts'
import { heldPieces, vouchedPieces } from './kept-pieces.ts'
import { MemberPieces } from './member-pieces.ts'
import { MemberSearch } from './member-search.ts'
import { allPieces, OriginRuns, range } from './origin-runs.ts'
import type { OriginAsker, OriginSlots } from './origin-slots.ts'
import { Patience, type PatienceInit } from './patience.ts'
import { SizeClaims } from './size-claims.ts'

/** How often the session is asked what to do when nothing happens, in milliseconds. */
const TICK_MS = 100
/** Who decides so much later than that had no processor, in milliseconds: what members have sent meanwhile is not read yet. */
const STALL_MS = 100
/** So much earlier than asked for a timer may run, in milliseconds. */
const TIMER_EARLY_MS = 1
/** The same after facts, at the most. */
const DECIDE_INTERVAL_MS = 4
/** One read from the origin, while other blobs wait for a place there. */
const SHARED_RUN_BYTES = 16 * 1024 * 1024
/** When the origin may be read again within so long, we still count as one that reads it, in milliseconds. */
const SOON_MS = 500
/** How long members may take to answer before the origin is asked, in milliseconds. */
const DEFAULT_GRACE_MS = 100

export interface DownloadComponents {
  readonly exchange: Exchange
  readonly origin: Origin
  readonly originSlots: OriginSlots
  readonly router: Router
  readonly score: PeerScore
  readonly events: EventSink
  readonly budget: DownloadBudget
  /** Whether members may have what its origin gave so. */
  readonly mayShare: (access: OriginAccess) => boolean
  readonly self: () => string
  readonly now: () => number
}

export interface DownloadTimes extends PatienceInit {
  /** How long members may take to answer before the origin is asked, in milliseconds. @default 100 */
  readonly graceMs?: number
}

export interface DownloadInit extends DownloadTimes {
  readonly digest: Digest
  readonly kind: ContentKind
  readonly size: number
  readonly partial: PartialBlob
  readonly access: AccessFacts
  readonly policy?: OriginPolicy
  readonly signal: AbortSignal
  /** Something has come, or has become certain: readers may go on. */
  readonly onChange: () => void
  /** The origin has given bytes up to here: how long to wait for the readers, if at all. */
  readonly onOriginBytes: (position: number) => Promise<void> | undefined
  /** A member has lied. */
  readonly onLie: (peer: string, reason: string) => void
  /** A member says that somebody signed wrong hashes. */
  readonly onAccused: (accusation: Accusation) => void
  /** The same, over another blob. */
  readonly onSuspect: (signer: string, accuser: string) => void
  /** Nobody helps any more. Returns whether somebody may after all. */
  readonly onHelpless: () => boolean
  /** Somebody was found out, perhaps over another blob. */
  readonly onLiar: (peer: string) => void
}

/**
 * Fills a partial blob from members and the origin, piece by piece, as its session decides. Owns the session and its timers, and
 * carries out what it decides. It is done when every piece is here and none is known to be wrong; whether the whole is right
 * is its owner's to find out.
 */
export class Download implements ParticipationListener {
  readonly session: Session
  readonly participation: Participation
  readonly #components: DownloadComponents
  readonly #init: DownloadInit
  readonly #pieces: MemberPieces
  readonly #runs: OriginRuns
  readonly #search: MemberSearch
  readonly #asker: OriginAsker
  /** Gives back our place at the origin. */
  #freeOrigin: () => void = () => {}
  readonly #torn = new Map<number, number>()
  #done = Promise.withResolvers<void>()
  /** `done` has been fulfilled. */
  #isDone = false
  #isStopped = false
  /** The origin sends all of it now, so members need not. */
  #isWhole = false
  #timer: NodeJS.Timeout | undefined
  /** Decides when the session has said that something is due, and when that is. */
  #dueTimer: NodeJS.Timeout | undefined
  /** When we last thought about what to do, in milliseconds. */
  #decidedAtMs = 0
  #dueMs: number | undefined
  #soon: NodeJS.Timeout | undefined
  readonly #patience: Patience
  #heads = new Map<object, number>()
  /** Members that got it with credentials. */
  readonly #restricted = new Set<string>()
  readonly #sizeClaims = new SizeClaims()

  constructor (components: DownloadComponents, init: DownloadInit) {
    this.#components = components
    this.#init = init
    const { digest, kind, size, partial, policy, access } = init
    this.session = new Session({ self: components.self(), digest, size, held: heldPieces(partial, size), originPolicy: policy, isLeech: components.exchange.isLeech })
    this.#asker = { size, onFree: () => { this.#decide() } }
    this.#patience = new Patience(init)
    this.#runs = new OriginRuns(components, {
      onPiece: piece => { this.#originGave(piece) },
      onAccess: access => { this.accessTold(access) },
      onWhole: async () => this.#takeWhole(),
      onEnded: (start, end, retryAtMs) => { this.#runEnded(start, end, retryAtMs) },
      onBytes: (position, bytes) => {
        const now = components.now()
        this.#patience.progressed(now)
        this.session.originProgressed(now)
        init.onChange()
        return components.budget.read(bytes, size) ?? init.onOriginBytes(position)
      }
    }, { ...init, torn: this.#torn, hasOthers: () => this.session.members.size > 0 })
    this.participation = components.exchange.fetch({
      digest,
      kind,
      size,
      session: this.session,
      source: { read: (buffer, position) => partial.read(buffer, position), hash: async piece => this.#hashOurs(piece) },
      restricted: access.isRestricted,
      isShared: access.known !== undefined && components.mayShare(access.known),
      readsOrigin: this.#canReadOrigin,
      vouched: vouchedPieces(partial, size, this.session.held),
      listener: this
    })
    this.#pieces = new MemberPieces({
      digest, size, partial, session: this.session, vouchers: this.participation.vouchers, budget: components.budget, torn: this.#torn, now: components.now
    }, {
      onProgress: nowMs => { this.#patience.progressed(nowMs) },
      onFacts: () => { this.onFacts() },
      onPiece: (member, piece, attestation) => { this.#memberGave(member, piece, attestation) },
      onChecked: () => { this.#decideIfComplete() },
      onLie: (member, reason) => { init.onLie(member, reason) },
      onFailure: error => { this.fail(error) }
    })
    this.#search = new MemberSearch(components, {
      digest,
      participation: this.participation,
      graceMs: init.graceMs ?? DEFAULT_GRACE_MS,
      onGrace: () => {
        this.session.originReady(true)
        this.onFacts()
      }
    })
  }

  /** Fulfilled when every piece is here, until `lost`; rejected when nobody helps any more, or the store fails. */
  get done (): Promise<void> {
    return this.#done.promise
  }

  /** Bytes that are here. */
  get received (): number {
    let bytes = 0
    for (const piece of this.session.held) bytes += bytesOf(this.#init.size, piece)
    return bytes
  }

  /** Now that the whole is right: those who said that they hold it in another size. */
  get sizeLiars (): string[] {
    return this.#sizeClaims.holders
  }

  /** Another place the blob may be read from. */
  addRepository (repository: Repository): void {
    this.#runs.add(repositoryKey(repository), repository)
    this.participation.setReadsOrigin(this.#canReadOrigin)
    this.onFacts()
  }

  start (): void {
    const { now } = this.#components
    this.#patience.start(now())
    this.#decidedAtMs = now()
    this.#done.promise.catch(() => {})
    this.#components.budget.add(this.session)
    this.#search.start()
    this.#timer = setInterval(() => { this.#decide() }, TICK_MS)
    this.#decide()
  }

  /** Ends all that is under way; what has come stays with the partial. */
  async stop (): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    clearInterval(this.#timer)
    clearTimeout(this.#dueTimer)
    clearTimeout(this.#soon)
    this.#search.stop()
    this.#components.budget.remove(this.session)
    await this.#runs.settled()
    this.#components.originSlots.leave(this.#asker)
    this.#freeOrigin()
  }

  /** The origin says who may have it. */
  accessTold (access: OriginAccess): void {
    this.#init.access.originAnswered(access)
    this.participation.setShared(this.#components.mayShare(access), access === 'restricted')
  }

  /** A reader waits at this byte; undefined: no longer. */
  wanted (reader: object, position: number | undefined): void {
    if (position === undefined) this.#heads.delete(reader)
    else this.#heads.set(reader, Math.floor(position / this.session.pieceLength))
    this.session.wanted([...new Set(this.#heads.values())].sort((a, b) => a - b).slice(0, 8))
  }

  /** Whether clients may have the piece before the whole blob is verified. */
  isTrusted (piece: number): boolean {
    return this.session.held.has(piece) && this.participation.vouchers.isBy(piece, author => this.#components.exchange.isTrusted(author))
  }

  /** Whether we read it from the origin now: what there is of it may be given out. */
  isFromOrigin (piece: number): boolean {
    return this.#torn.has(piece) || this.session.isTaking(piece)
  }

  /** These pieces are wrong: they are fetched again. */
  async lost (pieces: readonly number[]): Promise<void> {
    for (const piece of pieces) this.participation.lost(piece)
    // while it is not done somebody waits for it
    if (this.#isDone) {
      this.#isDone = false
      this.#done = Promise.withResolvers()
      this.#done.promise.catch(() => {})
    }
    // all at once: what is asked for from now on waits for it
    await Promise.all(pieces.map(async piece => this.#pieces.erase(piece)))
    this.#patience.progressed(this.#components.now())
    this.onFacts()
  }

  /** Whether the piece came from the origin, or is not here. */
  isOurs (piece: number): boolean {
    return this.participation.vouchers.isBy(piece, author => author === this.#components.self())
  }

  /** Nobody's word for these pieces counts: clients get nothing more of them. */
  distrust (pieces: readonly number[]): void {
    for (const piece of pieces) this.participation.vouchers.orphan(piece)
  }

  /** Ends it: it cannot come right any more. */
  fail (error: unknown): void {
    if (this.#isStopped) return
    this.#done.reject(error)
  }

  onFacts (): void {
    if (this.#isStopped || this.#soon !== undefined) return
    this.#soon = setTimeout(() => {
      this.#soon = undefined
      this.#decide()
    }, DECIDE_INTERVAL_MS)
  }

  onAnswer (member: string, facts: JoinMessage | undefined): void {
    if (facts?.restricted === true) this.#restricted.add(member)
    if (facts === undefined) this.#pieces.forget(member)
    // of many neighbours some are asked when others have answered
    if (!this.#search.hasEnded) this.#patience.answered(this.#components.now())
    this.#search.answered(member)
  }

  onRestricted (member: string): void {
    this.#restricted.add(member)
    if (this.session.isAsked(member)) this.#init.access.askedRestricted()
  }

  onReject (member: string, pieces: readonly number[]): void {
    this.#pieces.rejected(member, pieces)
  }

  onBody (member: string, message: PieceMessage, bytes: Uint8Array, offset: number, isLast: boolean): void {
    this.#pieces.take(member, message, bytes, offset, isLast)
  }

  onAccused (accusation: Accusation): void {
    this.#init.onAccused(accusation)
  }

  onSuspect (peer: string, accuser: string): void {
    this.#init.onSuspect(peer, accuser)
  }

  onLiar (peer: string): void {
    this.#init.onLiar(peer)
  }

  onLie (member: string, reason: string): void {
    this.#init.onLie(member, reason)
  }

  /** Which size is right nobody knows yet: ours is a manifest's word. Who names another is of no use to us, and no more than that. */
  onOtherSize (member: string, size: number, isHolder: boolean): void {
    this.#sizeClaims.add({ member, size, isHolder })
  }

  get #canReadOrigin (): boolean {
    return this.#init.policy !== 'never' && this.#runs.isUsable
  }

  /** A place at the origin that is not used at once is left to others. */
  get #mayBeginRun (): boolean {
    const { originSlots } = this.#components
    if (this.#canReadOrigin && this.#runs.count === 0) return originSlots.isFree(this.#asker)
    originSlots.leave(this.#asker)
    return false
  }

  #decide (): void {
    if (this.#isStopped) return
    const now = this.#components.now()
    const stalledMs = now - this.#decidedAtMs - TICK_MS
    this.#decidedAtMs = now
    if (stalledMs > STALL_MS) this.session.stalled(stalledMs, now)
    if (this.session.isComplete) {
      this.#complete()
      return
    }
    if (this.#components.budget.isLimited) this.#excuse(now)
    const { room, window } = this.#components.budget.roomFor(this.session, now)
    const runs = this.#mayBeginRun ? 1 : 0
    const longestRun = this.#components.originSlots.isContended ? Math.ceil(SHARED_RUN_BYTES / this.session.pieceLength) : undefined
    const { isAlone } = this.#components.exchange
    for (const decision of this.session.decide(now, { room: this.#isWhole ? 0 : room, window, runs, longestRun, isAlone })) this.#do(decision)
    this.#decideAt(this.session.dueMs, now)
    if (this.session.isPromiseDue(now, { isSigning: this.participation.isSigning })) this.participation.repeatPromise()
    this.#giveUp(now)
  }

  /** What is to be decided then is not left until something happens. */
  #decideAt (dueMs: number | undefined, now: number): void {
    if (dueMs === this.#dueMs) return
    this.#dueMs = dueMs
    clearTimeout(this.#dueTimer)
    if (dueMs !== undefined) this.#dueTimer = setTimeout(() => { this.#decide() }, Math.ceil(dueMs - now) + TIMER_EARLY_MS)
  }

  /** What came of these members, if anything, was not read: that is our own doing. */
  #excuse (now: number): void {
    for (const { peer, link } of this.participation.attendees.values()) {
      const { heldMsAgo } = link
      if (heldMsAgo !== undefined) this.session.heldUp(peer, now - heldMsAgo)
    }
  }

  #do (decision: Decision): void {
    switch (decision.type) {
      case 'request':
        if (this.#restricted.has(decision.member)) this.#init.access.askedRestricted()
        this.participation.request(decision.member, decision.piece)
        break
      case 'cancel':
        this.#pieces.cancel(decision.member, decision.piece)
        this.participation.cancel(decision.member, decision.piece)
        break
      case 'take':
        this.#freeOrigin = this.#components.originSlots.take(this.#asker)
        // what gives the place back comes before anything that others are told
        this.#runs.begin(decision.start, decision.end, this.#pieces.erased())
        this.participation.tellTaking('take', range(decision.start, decision.end))
        break
      case 'release':
        this.#runs.shorten(decision.start)
        this.participation.tellTaking('release', range(decision.start, decision.end))
        break
      case 'yield':
        this.#runs.stop()
        break
      default:
        decision satisfies never
    }
  }

  #memberGave (member: string, piece: number, attestation: Attestation): void {
    const { events, score, now } = this.#components
    const { digest, size } = this.#init
    const bytes = bytesOf(size, piece)
    this.participation.gained(piece, attestation)
    this.#shareAsGiven(member)
    events.emit({ type: 'fetch:received', digest, source: `peer:${member}`, bytes })
    score.delivered(member, bytes, this.session.members.get(member)?.serviceMs ?? 1)
    this.#patience.progressed(now())
    this.#init.onChange()
  }

  #originGave (piece: number): void {
    const now = this.#components.now()
    this.session.arrived(piece, 'origin', now)
    this.session.verified(piece)
    this.participation.gained(piece, undefined)
    this.#patience.progressed(now)
    this.#init.onChange()
    this.#decideIfComplete()
  }

  /** Who gave it tells who may have it of us. */
  #shareAsGiven (member: string): void {
    const { access } = this.#init
    access.peerGave(this.#restricted.has(member))
    if (access.known !== undefined) this.participation.setShared(this.#components.mayShare(access.known), access.isRestricted)
  }

  /** The origin sends all of it whatever is asked: nobody else need read it too. */
  async #takeWhole (): Promise<void> {
    this.#isWhole = true
    this.#pieces.close()
    this.participation.tellTaking('take', this.session.wholeComes())
    this.onFacts()
    await this.#pieces.erased()
  }

  #runEnded (start: number, end: number, retryAtMs: number): void {
    const missing = (this.#isWhole ? allPieces(this.#init.size) : range(start, end)).filter(piece => !this.session.held.has(piece))
    this.#isWhole = false
    this.#pieces.reopen()
    this.session.originEnded(start, end, retryAtMs)
    this.#freeOrigin()
    this.participation.tellTaking('release', missing)
    this.participation.setReadsOrigin(this.#canReadOrigin && this.session.originOpen(this.#components.now() + SOON_MS))
    if (this.#runs.fatal !== undefined) this.fail(this.#runs.fatal)
    this.onFacts()
  }

  #decideIfComplete (): void {
    if (this.session.isComplete && !this.#pieces.isChecking) this.#complete()
  }

  #complete (): void {
    this.#isDone = true
    this.#done.resolve()
  }

  /** Ends it when nobody is left who might help. */
  #giveUp (now: number): void {
    const { digest } = this.#init
    if (this.#pieces.isChecking || this.#runs.count > 0 || this.#components.originSlots.isWaiting(this.#asker)) return
    const isHelped = this.session.isHelped(now)
    if (!this.#patience.isOver(now, {
      isHelped: isHelped || (this.#canReadOrigin && (this.session.originOpen(now) || this.#runs.isBackSoon(now))),
      // a member that holds something of it may have to sign it before it says so
      maySearch: this.participation.memberCount > 0 || !this.#search.hasEnded,
      hurry: () => this.#search.hurry()
    }) || this.#init.onHelpless()) return
    // all who have it may be right about its size, and we wrong
    const doubt = this.#sizeClaims.first
    if (doubt !== undefined) this.fail(new SizeDisagreementError(digest, `peer ${doubt.member}`, this.#init.size, doubt.size))
    else this.fail(new ContentUnavailableError(digest, { isUnknown: this.#runs.isUnknown && !isHelped, cause: this.#runs.error }))
  }

  /** Of a piece that we are to sign; noted, so that a kill does not lose it beyond a gap. */
  async #hashOurs (piece: number): Promise<Uint8Array> {
    const { partial, size } = this.#init
    const span = pieceSpan(size, piece)
    const hex = await partial.hash(span)
    partial.confirm(span, hex)
    return Buffer.from(hex, 'hex')
  }
}

function bytesOf (size: number, piece: number): number {
  const { start, end } = pieceSpan(size, piece)
  return end - start
}
