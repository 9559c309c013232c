import { shortDigest, type Digest } from '../oci/digest.ts'
import type { Attestation, PieceHash } from '../net/swarm-attestation.ts'
import type { ContentKind } from '../net/peers.ts'
import { MAX_LISTED_PIECES } from '../net/swarm-limits.ts'
import type { SwarmLink } from '../net/swarm-link.ts'
import type { AccuseMessage, JoinMessage, PieceMessage, SwarmMessage } from '../net/swarm-message.ts'
import type { RejectReason, Session } from '../swarm/session.ts'
import type { HeardAccusation } from './accusations.ts'
import { Offers } from './offers.ts'
import { OriginPromises } from './origin-promises.ts'
import type { ParticipationListener } from './participation-listener.ts'
import type { PieceSource } from './piece-source.ts'
import { checkedPieces, heldBy } from './stated-pieces.ts'
import { Testimony, type Charge } from './testimony.ts'
import type { Vouchers } from './vouchers.ts'

/** Who lacks a part and has said nothing for so long has got it elsewhere, or is in no hurry: those who have all are not told. Milliseconds. */
const NEED_MS = 5_000

/** What a participation asks of the exchange. */
export interface ParticipationParts {
  /** Our own peer id. */
  readonly self: string
  readonly sign: (hashes: readonly PieceHash[]) => Attestation
  readonly isTrusted: (author: string) => boolean
  /** Not every member is trusted: signatures are checked as they come. */
  readonly isOpen: boolean
  readonly isLeech: boolean
  readonly isNear: (link: SwarmLink) => boolean
  /** Requests that wait for us, of all blobs. */
  readonly queue: () => number
  readonly now: () => number
  /** A new channel on the link, for what we say about this blob. */
  readonly openChannel: (link: SwarmLink) => number
  readonly closeChannel: (link: SwarmLink, channel: number) => void
  readonly upload: (attendee: Attendee, piece: number) => void
  readonly cancelUpload: (attendee: Attendee, piece: number) => void
  readonly left: (attendee: Attendee) => void
  /** Somebody, perhaps we, is said to have signed wrong hashes. */
  readonly accused: (accusation: HeardAccusation) => void
  /** The whole is here: it says who of accuser and accused has lied. */
  readonly judge: (accusation: HeardAccusation) => void
}

/** Another agent and this blob. */
export interface Attendee {
  readonly peer: string
  readonly link: SwarmLink
  readonly participation: Participation
  /** Our channel on the link, if we have joined. */
  ours: number | undefined
  /** The peer has joined. */
  isMember: boolean
  isComplete: boolean
  /** The peer has answered our join by `missing`, or has left, so it has not kept what we said since. */
  hasRefused: boolean
  /** When we last said what we have or read, in milliseconds. */
  saidAtMs: number
  /** When it last said something of this blob, in milliseconds. */
  heardAtMs: number
  readonly told: Set<Attestation>
}

export interface ParticipationInit {
  readonly digest: Digest
  readonly kind: ContentKind
  readonly size: number
  readonly session: Session
  readonly source: PieceSource
  readonly restricted: boolean
  /** Members may have it, as far as is known. */
  readonly isShared: boolean
  readonly readsOrigin: boolean
  /** Held pieces that members gave in an earlier fetch, and who vouches for them, if that is known. We do not. */
  readonly vouched?: ReadonlyMap<number, Attestation | undefined>
  readonly listener?: ParticipationListener
}

/**
 * We and one blob, as the others see us: who takes part, what we have told whom, who vouches for what. Holds the session, to
 * which it tells what the members say; bytes are read from its source. Owned by the exchange.
 */
export class Participation {
  readonly digest: Digest
  readonly kind: ContentKind
  readonly size: number
  readonly session: Session
  readonly attendees = new Map<string, Attendee>()
  readonly #parts: ParticipationParts
  #source: PieceSource
  #listener: ParticipationListener | undefined
  readonly #offers: Offers<Attendee>
  readonly #testimony: Testimony
  readonly #promises: OriginPromises<Attendee>
  /** A piece that is held back for a while. */
  #doubt: { readonly piece: number, readonly untilMs: number } | undefined
  #isOver = false

  constructor (parts: ParticipationParts, init: ParticipationInit) {
    this.digest = init.digest
    this.kind = init.kind
    this.size = init.size
    this.session = init.session
    this.#offers = new Offers({
      session: init.session,
      isLeech: parts.isLeech,
      // who has refused keeps nothing of what we say, and hears all anew when it comes
      members: () => [...this.attendees.values()].filter(({ isComplete, hasRefused }) => !isComplete && !hasRefused),
      longest: MAX_LISTED_PIECES,
      tell: (attendee, pieces) => { this.#tellHave(attendee, pieces) },
      now: parts.now
    }, init.isShared)
    this.#testimony = new Testimony({
      sign: parts.sign,
      hash: async piece => this.#source.hash(piece),
      onOwnWord: pieces => { this.#offers.add(pieces) }
    }, { digest: init.digest, size: init.size, isTrusted: parts.isTrusted, isEager: parts.isOpen, self: parts.self })
    this.#promises = new OriginPromises({
      members: () => this.attendees.values(),
      say: ({ peer }, message) => { this.#say(peer, message) },
      taking: () => this.session.taking,
      unsigned: () => this.#offers.isShared ? this.#testimony.unsigned : [],
      isLeech: parts.isLeech,
      now: parts.now
    }, { reads: init.readsOrigin, isRestricted: init.restricted })
    this.#parts = parts
    this.#source = init.source
    this.#listener = init.listener
    for (const piece of init.session.held) this.#resume(piece, init.vouched)
  }

  get vouchers (): Vouchers {
    return this.#testimony.vouchers
  }

  get isOver (): boolean {
    return this.#isOver
  }

  get isFetching (): boolean {
    return this.#listener !== undefined
  }

  /** Agents that take part, we not counted. */
  get memberCount (): number {
    return this.session.members.size
  }

  /** We have read pieces that others cannot have before their hashes are signed. */
  get isSigning (): boolean {
    return this.#offers.isShared && !this.#testimony.isIdle
  }

  /** Whether somebody who takes part lacks a part of it, and has said something lately. */
  get isNeeded (): boolean {
    const sinceMs = this.#parts.now() - NEED_MS
    for (const { isMember, isComplete, heardAtMs } of this.attendees.values()) if (isMember && !isComplete && heardAtMs > sinceMs) return true
    return false
  }

  /** Members that lack a part. */
  lacking (): string[] {
    return [...this.attendees.values()].filter(({ isMember, isComplete }) => isMember && !isComplete).map(({ peer }) => peer)
  }

  /** Takes part towards this agent: says what we hold, and hears what it holds. */
  join (link: SwarmLink): void {
    if (this.#isOver || !link.isOpen) return
    const attendee = this.#attendee(link)
    if (attendee.ours !== undefined) return
    attendee.ours = this.#parts.openChannel(link)
    this.#offers.know(attendee)
    // what is offered now is said here, and what comes later by `have`
    const isComplete = this.session.isComplete && this.#offers.isShared && !this.#parts.isLeech && !this.isFetching
    const bitfield = isComplete ? undefined : this.#offers.bitfield
    link.send({
      type: 'join',
      channel: attendee.ours,
      kind: this.kind,
      digest: this.digest,
      size: this.size,
      restricted: this.#promises.isRestricted,
      complete: isComplete,
      ...(bitfield === undefined ? {} : { bitfield }),
      leech: this.#parts.isLeech,
      readsOrigin: this.#promises.reads,
      taking: this.#promises.pieces
    })
    if (this.isFetching) this.#testimony.begin()
  }

  /** Takes part towards this agent, also if it has refused before. */
  invite (link: SwarmLink): void {
    const attendee = this.attendees.get(link.peer)
    if (attendee?.hasRefused === true) this.#leave(attendee)
    this.join(link)
  }

  /** Takes part with this agent no longer. */
  drop (peer: string): void {
    const attendee = this.attendees.get(peer)
    if (attendee === undefined) return
    this.#parts.left(attendee)
    this.#leave(attendee)
    this.gone(peer, { goesOn: !attendee.isComplete })
  }

  /** A peer takes part. @throws SwarmMessageError */
  joined (link: SwarmLink, message: JoinMessage): void {
    const attendee = this.#attendee(link)
    const held = heldBy(message, this.session.pieces)
    attendee.isMember = true
    if (attendee.hasRefused) this.#leave(attendee)
    const hasHeardOfUs = attendee.ours !== undefined
    attendee.isComplete = held.isFull
    const now = this.#parts.now()
    attendee.heardAtMs = now
    this.session.joined(link.peer, { held, isLeech: message.leech, readsOrigin: message.readsOrigin, isNear: this.#parts.isNear(link) }, now)
    this.session.takes(link.peer, this.#checked(message.taking ?? []), now)
    // what we have begun to read since then only members were told
    if (hasHeardOfUs) this.#promises.tellOne(attendee)
    else this.join(link)
    if (this.isFetching) this.#testimony.begin()
    this.#listener?.onAnswer(link.peer, message)
    this.#listener?.onFacts()
  }

  /** A peer says that it does not take part. */
  missing (peer: string): void {
    const attendee = this.attendees.get(peer)
    if (attendee !== undefined) attendee.hasRefused = true
    this.#listener?.onAnswer(peer, undefined)
  }

  /** A message on this peer's channel of this blob. @throws SwarmMessageError */
  receive (peer: string, message: SwarmMessage): void {
    const attendee = this.attendees.get(peer)
    if (attendee?.isMember !== true) return
    const now = this.#parts.now()
    attendee.heardAtMs = now
    switch (message.type) {
      case 'have':
        this.session.queued(peer, message.queue)
        this.session.has(peer, this.#checked(message.pieces), now)
        if (this.session.members.get(peer)?.held.isFull === true) attendee.isComplete = true
        break
      case 'take':
        this.session.takes(peer, this.#checked(message.pieces), now)
        break
      case 'release':
        this.session.releases(peer, this.#checked(message.pieces), now)
        break
      case 'origin':
        this.session.readsOrigin(peer, message.reads, now)
        if (message.restricted) this.#listener?.onRestricted(peer)
        break
      case 'reject':
        this.session.queued(peer, message.queue)
        for (const piece of this.#checked(message.pieces)) this.session.rejected(peer, piece, message.reason, now)
        this.#listener?.onReject(peer, message.pieces)
        break
      case 'attest':
        this.#attested(peer, message.attestation)
        return
      case 'accuse':
        this.#heard(peer, message)
        return
      case 'request':
        for (const piece of this.#checked(message.pieces)) this.#requested(attendee, piece)
        return
      case 'cancel':
        for (const piece of this.#checked(message.pieces)) this.#parts.cancelUpload(attendee, piece)
        return
      default:
        return
    }
    this.#listener?.onFacts()
  }

  /** The peer believes in another size. */
  sizeDiffers (peer: string, { size, complete }: JoinMessage): void {
    this.#listener?.onOtherSize(peer, size, complete)
    this.#listener?.onAnswer(peer, undefined)
  }

  body (peer: string, message: PieceMessage, bytes: Uint8Array, offset: number, isLast: boolean): void {
    if (isLast) this.session.queued(peer, message.queue)
    this.#listener?.onBody(peer, message, bytes, offset, isLast)
  }

  /** The peer has left this blob, or its link is gone. @param goesOn - it fetches the blob with others */
  gone (peer: string, { goesOn = false }: { readonly goesOn?: boolean } = {}): void {
    const attendee = this.attendees.get(peer)
    if (attendee === undefined) return
    this.attendees.delete(peer)
    this.session.gone(peer, { goesOn })
    this.#parts.left(attendee)
    this.#listener?.onAnswer(peer, undefined)
    this.#listener?.onFacts()
  }

  /** Has left, but the link stays: it may join again. */
  leftBy (peer: string): void {
    const attendee = this.attendees.get(peer)
    if (attendee === undefined) return
    attendee.isMember = false
    attendee.hasRefused = true
    this.session.gone(peer, { goesOn: !attendee.isComplete })
    this.#parts.left(attendee)
    this.#listener?.onAnswer(peer, undefined)
    this.#listener?.onFacts()
  }

  /** More is about to be sent to this member: what it has not heard yet goes along. */
  tellNews (attendee: Attendee): void {
    if (attendee.isMember && !attendee.isComplete && !attendee.hasRefused) this.#offers.tell(attendee)
  }

  request (peer: string, piece: number): void {
    this.#say(peer, channel => ({ type: 'request', channel, pieces: [piece] }))
  }

  cancel (peer: string, piece: number): void {
    this.#say(peer, channel => ({ type: 'cancel', channel, pieces: [piece] }))
  }

  reject ({ link, ours }: Attendee, piece: number, reason: RejectReason): void {
    if (ours !== undefined) link.send({ type: 'reject', channel: ours, pieces: [piece], reason, queue: this.#parts.queue() })
  }

  /** Tells all that the author of this list signed a wrong hash of the piece, of which we know the right one. */
  accuse (claim: Attestation, piece: number, sha256: Uint8Array): void {
    this.#tellCharge(this.#testimony.charge(claim, piece, sha256))
  }

  /** Tells all what somebody else says of an author, who answers for it. */
  passOn (charge: Charge): void {
    this.#tellCharge(this.#testimony.passOn(charge))
  }

  /** Tells all that we read these pieces from the origin, or no longer do. */
  tellTaking (type: 'take' | 'release', pieces: readonly number[]): void {
    this.#promises.tell(type, pieces)
  }

  /** Tells again of one piece that we read or have read to those who have heard nothing of us for so long that they might think we no longer do. */
  repeatPromise (): void {
    this.#promises.repeat()
  }

  /** Whether we go on reading from the origin has changed. */
  setReadsOrigin (readsOrigin: boolean): void {
    this.#promises.setReads(readsOrigin)
  }

  /** Who may have it has become known. */
  setShared (isShared: boolean, isRestricted: boolean): void {
    this.#promises.setAccess({ isShared, isRestricted })
    this.#offers.share(isShared)
  }

  /** What this peer signed may be wrong: somebody accuses it over another blob. */
  suspect (peer: string, accuser: string): void {
    this.#listener?.onSuspect(peer, accuser)
  }

  /** What this peer signed is believed no more. */
  disbelieve (peer: string): void {
    this.#listener?.onLiar(peer)
  }

  /** A piece is here and right; `attestation` says so, or nobody but the origin. */
  gained (piece: number, attestation: Attestation | undefined): void {
    if (attestation === undefined) {
      this.#testimony.needs(piece)
      if (this.attendees.size > 0) this.#testimony.begin()
      return
    }
    this.#testimony.relies(piece, attestation)
    this.#offers.add([piece])
  }

  /** A piece is not here after all. */
  lost (piece: number): void {
    this.#testimony.lost(piece)
    this.#offers.remove(piece)
    this.session.lost(piece)
  }

  /** The list that covers a piece we hold, signed by us if it is the origin's. @throws RangeError when nobody may vouch for it */
  async vouch (piece: number): Promise<Attestation> {
    return this.#testimony.vouch(piece)
  }

  async read (buffer: Uint8Array, position: number): Promise<number> {
    return this.#source.read(buffer, position)
  }

  /** sha256 of a held piece, as its bytes are now. */
  async hash (piece: number): Promise<Uint8Array> {
    return this.#source.hash(piece)
  }

  /** The piece may be wrong: who asks for it until then is to ask again later, or elsewhere. Milliseconds of our clock. */
  doubt (piece: number, untilMs: number): void {
    this.#doubt = { piece, untilMs }
  }

  /** Hashes the whole again, if it is stored. False: it was not right, and is gone. */
  async verify (): Promise<boolean> {
    return await this.#source.verify?.() ?? true
  }

  /** The blob is in the store and may be given: its bytes are read there from now on, and nobody here waits for more. */
  completed (source: PieceSource): void {
    this.#source = source
    this.#listener = undefined
    this.vouchers.allRight()
    this.setReadsOrigin(false)
    this.setShared(true, this.#promises.isRestricted)
    // what nobody vouched for yet, or could not be hashed any more where it was, is waited for by those who joined before
    for (const piece of this.session.held) if (!this.#offers.has(piece)) this.#testimony.needs(piece)
    if (this.attendees.size > 0) this.#testimony.begin()
    for (const accusation of this.#testimony.provable) this.#parts.judge(accusation)
  }

  /** Leaves, everywhere. */
  end (): void {
    this.#isOver = true
    this.#offers.stop()
    this.#testimony.stop()
    for (const attendee of this.attendees.values()) {
      this.#parts.left(attendee)
      this.#leave(attendee)
    }
    this.attendees.clear()
  }

  #tellCharge (charge: Charge | undefined): void {
    if (charge === undefined) return
    const { of, piece, attestation, claim } = charge
    for (const { peer, isMember } of this.attendees.values()) {
      if (isMember) this.#say(peer, channel => ({ type: 'accuse', channel, of, pieces: [piece], attestation: attestation.bytes, claim: claim?.bytes }))
    }
  }

  #resume (piece: number, vouched: ParticipationInit['vouched']): void {
    if (vouched?.has(piece) !== true) this.#testimony.needs(piece)
    else if (this.#testimony.resumes(piece, vouched.get(piece))) this.#offers.resume(piece)
  }

  #tellHave (attendee: Attendee, pieces: readonly number[]): void {
    const { link, ours: channel } = attendee
    if (channel === undefined) return
    link.send({ type: 'have', channel, pieces, queue: this.#parts.queue() })
    attendee.saidAtMs = this.#parts.now()
  }

  #leave (attendee: Attendee): void {
    attendee.hasRefused = false
    if (attendee.ours === undefined) return
    attendee.link.send({ type: 'leave', channel: attendee.ours })
    this.#parts.closeChannel(attendee.link, attendee.ours)
    attendee.ours = undefined
    attendee.told.clear()
  }

  #attendee (link: SwarmLink): Attendee {
    const known = this.attendees.get(link.peer)
    if (known?.link === link) return known
    if (known !== undefined) this.gone(link.peer)
    const attendee: Attendee = { peer: link.peer, link, participation: this, ours: undefined, isMember: false, isComplete: false, hasRefused: false, saidAtMs: 0, heardAtMs: 0, told: new Set() }
    this.attendees.set(link.peer, attendee)
    return attendee
  }

  #requested (attendee: Attendee, piece: number): void {
    if (this.#parts.isLeech || !this.#offers.isShared) this.reject(attendee, piece, 'denied')
    else if (!this.session.held.has(piece) || this.vouchers.isOrphan(piece)) this.reject(attendee, piece, 'missing')
    else if (this.#isDoubted(piece)) this.reject(attendee, piece, 'busy')
    else this.#parts.upload(attendee, piece)
  }

  #isDoubted (piece: number): boolean {
    return piece === this.#doubt?.piece && this.#parts.now() < this.#doubt.untilMs
  }

  #attested (peer: string, bytes: Uint8Array): void {
    // who has the whole needs nobody's word
    if (!this.isFetching) return
    if (this.#testimony.came(peer, bytes) === 'wrong') this.#listener?.onLie(peer, `passed on an attestation about ${shortDigest(this.digest)} that does not hold`)
  }

  #heard (peer: string, message: AccuseMessage): void {
    this.#checked(message.pieces)
    const accusation = this.#testimony.heard(peer, message)
    if (accusation === undefined) return
    this.#parts.accused(accusation)
    if (this.isFetching) this.#listener?.onAccused(accusation)
    else this.#parts.judge(accusation)
  }

  #say (peer: string, message: (channel: number) => SwarmMessage): void {
    const attendee = this.attendees.get(peer)
    if (attendee?.ours === undefined) return
    this.tellNews(attendee)
    attendee.link.send(message(attendee.ours))
  }

  #checked (pieces: readonly number[]): readonly number[] {
    return checkedPieces(pieces, this.session.pieces)
  }
}
