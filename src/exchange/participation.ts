import { shortDigest, type Digest } from '../oci/digest.ts'
import type { Attestation, PieceHash } from '../net/swarm-attestation.ts'
import { decodeAttestation, verifyAttestation } from '../net/swarm-attestation.ts'
import type { ContentKind } from '../net/peers.ts'
import { MAX_LISTED_PIECES } from '../net/swarm-limits.ts'
import type { SwarmLink } from '../net/swarm-link.ts'
import { SwarmMessageError, type AccuseMessage, type JoinMessage, type PieceMessage, type SwarmMessage } from '../net/swarm-message.ts'
import { Bitfield } from '../swarm/bitfield.ts'
import { News } from '../swarm/news.ts'
import type { RejectReason, Session } from '../swarm/session.ts'
import { Accusations, type Accusation, type HeardAccusation } from './accusations.ts'
import { Vouchers } from './vouchers.ts'

/** Who has heard of us so lately knows that we are at it, in milliseconds. */
const RECENT_MS = 200
/** Who lacks a part and has said nothing for so long has got it elsewhere, or is in no hurry: those who have all are not told. Milliseconds. */
const NEED_MS = 5_000
/** Hashes signed together at the most. */
const MAX_SIGNED_TOGETHER = 256

/** Where the bytes of held pieces are read. */
export interface PieceSource {
  /** Up to `buffer.length` bytes from `position` of the blob, at least one. */
  read (buffer: Uint8Array, position: number): Promise<number>
  /** sha256 of a held piece. */
  hash (piece: number): Promise<Uint8Array>
  /** Hashes the whole again. False: it is not right, and is not there any more. */
  verify? (): Promise<boolean>
}

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
}

/** What somebody who fetches the blob hears. */
export interface ParticipationListener {
  /** Something changed: it is time to decide. */
  onFacts (): void
  /** Bytes of a piece from a member, lent. */
  onBody (member: string, message: PieceMessage, bytes: Uint8Array, offset: number, isLast: boolean): void
  /** A member said whether it takes part: `facts` undefined when it does not, or no longer. */
  onAnswer (member: string, facts: JoinMessage | undefined): void
  /** It will not send these, or not the rest of them. */
  onReject (member: string, pieces: readonly number[]): void
  /** It breaks the rules of this blob. */
  onLie (member: string, reason: string): void
  /** What it gives from now on was got with credentials. */
  onRestricted (member: string): void
  /** Somebody is said to have signed wrong hashes. */
  onAccused (accusation: Accusation): void
  /** Somebody was found out, perhaps over another blob. */
  onLiar (peer: string): void
  /** It says that the blob has another size; `isHolder`: and that it holds it. */
  onOtherSize (member: string, size: number, isHolder: boolean): void
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
  readonly vouchers: Vouchers
  readonly #accusations: Accusations
  readonly attendees = new Map<string, Attendee>()
  readonly #parts: ParticipationParts
  #source: PieceSource
  #listener: ParticipationListener | undefined
  #restricted: boolean
  #isShared: boolean
  /** Known to be not for others: nobody need wait for what we read. */
  #isHidden = false
  #readsOrigin: boolean
  /** Pieces that members may ask for. */
  readonly #offered: Bitfield
  readonly #news: News<Attendee>
  /** Held pieces that nobody vouches for yet. */
  readonly #unvouched = new Set<number>()
  /** Those of them that are being hashed. */
  readonly #hashing = new Set<number>()
  #vouching: Promise<void> | undefined
  /** A piece that is held back for a while. */
  #doubt: { readonly piece: number, readonly untilMs: number } | undefined
  #isOver = false

  constructor (parts: ParticipationParts, init: ParticipationInit) {
    this.digest = init.digest
    this.kind = init.kind
    this.size = init.size
    this.session = init.session
    this.vouchers = new Vouchers({ digest: init.digest, size: init.size, isTrusted: parts.isTrusted, isEager: parts.isOpen, self: parts.self })
    this.#accusations = new Accusations(init)
    this.#news = new News({
      // who has refused keeps nothing of what we say, and hears all anew when it comes
      members: () => [...this.attendees.values()].filter(({ isComplete, hasRefused }) => !isComplete && !hasRefused),
      longest: MAX_LISTED_PIECES,
      tell: (attendee, pieces) => {
        const { link, ours: channel } = attendee
        if (channel === undefined) return
        link.send({ type: 'have', channel, pieces, queue: parts.queue() })
        attendee.saidAtMs = parts.now()
      },
      isHere: piece => this.#isShared && this.session.held.has(piece),
      now: parts.now,
      after: (delayMs, run) => {
        const timer = setTimeout(run, delayMs)
        return () => { clearTimeout(timer) }
      }
    })
    this.#parts = parts
    this.#source = init.source
    this.#listener = init.listener
    this.#restricted = init.restricted
    this.#isShared = init.isShared
    this.#readsOrigin = init.readsOrigin
    this.#offered = new Bitfield(init.session.pieces)
    for (const piece of init.session.held) this.#resume(piece, init.vouched)
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
    return this.#isShared && (this.#hashing.size > 0 || this.#unvouched.size > 0)
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
    this.#news.know(attendee)
    // what is offered now is said here, and what comes later by `have`
    const isComplete = this.session.isComplete && this.#isShared && !this.#parts.isLeech && !this.isFetching
    const offers = this.#isShared && !isComplete && this.#offered.count > 0
    link.send({
      type: 'join',
      channel: attendee.ours,
      kind: this.kind,
      digest: this.digest,
      size: this.size,
      restricted: this.#restricted,
      complete: isComplete,
      ...(offers ? { bitfield: this.#offered.toBytes() } : {}),
      leech: this.#parts.isLeech,
      readsOrigin: this.#readsOrigin && !this.#isHidden,
      taking: this.#promised()
    })
    if (this.#unvouched.size > 0 && this.isFetching) this.#vouchSoon()
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
    if (hasHeardOfUs) this.#tellTaking(attendee, 'take', this.#promised())
    else this.join(link)
    if (this.#unvouched.size > 0 && this.isFetching) this.#vouchSoon()
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
    if (attendee.isMember && !attendee.isComplete && !attendee.hasRefused) this.#news.tell(attendee)
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

  /** Tells all that this author signed a wrong hash of the piece, of which we know the right one. */
  accuse (author: string, piece: number, sha256: Uint8Array): void {
    if (!this.#accusations.make(author)) return
    const { bytes } = this.#parts.sign([{ piece, sha256 }])
    for (const { peer, isMember } of this.attendees.values()) {
      if (isMember) this.#say(peer, channel => ({ type: 'accuse', channel, of: author, pieces: [piece], attestation: bytes }))
    }
  }

  /** Tells all that we read these pieces from the origin, or no longer do. */
  tellTaking (type: 'take' | 'release', pieces: readonly number[]): void {
    for (const attendee of this.attendees.values()) if (attendee.isMember) this.#tellTaking(attendee, type, pieces)
  }

  /** Tells again of one piece that we read or have read to those who have heard nothing of us for so long that they might think we no longer do. */
  repeatPromise (): void {
    const now = this.#parts.now()
    const pieces = this.#promised().slice(0, 1)
    for (const attendee of this.attendees.values()) {
      if (attendee.isMember && now - attendee.saidAtMs >= RECENT_MS) this.#tellTaking(attendee, 'take', pieces)
    }
  }

  /** Whether we go on reading from the origin has changed. */
  setReadsOrigin (readsOrigin: boolean): void {
    if (this.#readsOrigin === readsOrigin || (readsOrigin && this.#isHidden)) return
    this.#readsOrigin = readsOrigin
    this.#tellOrigin()
  }

  /** Who may have it has become known. */
  setShared (isShared: boolean, restricted: boolean): void {
    const isMarkNew = restricted && !this.#restricted
    this.#restricted = restricted
    this.#isHidden = !isShared
    if (this.#isHidden) this.setReadsOrigin(false)
    else if (isMarkNew) this.#tellOrigin()
    if (this.#isShared === isShared) return
    this.#isShared = isShared
    if (isShared) this.#announce([...this.#offered])
  }

  /** What this peer signed is believed no more. */
  disbelieve (peer: string): void {
    this.#listener?.onLiar(peer)
  }

  /** A piece is here and right; `attestation` says so, or nobody but the origin. */
  gained (piece: number, attestation: Attestation | undefined): void {
    if (attestation === undefined) {
      this.#unvouched.add(piece)
      if (this.attendees.size > 0) this.#vouchSoon()
      return
    }
    this.vouchers.settle(piece, attestation)
    this.#offer([piece])
  }

  /** A piece is not here after all. */
  lost (piece: number): void {
    this.vouchers.unsettle(piece)
    this.#unvouched.delete(piece)
    this.#offered.remove(piece)
    this.session.lost(piece)
  }

  /** The list that covers a piece we hold, signed by us if by nobody else. */
  async vouch (piece: number): Promise<Attestation> {
    const known = this.vouchers.settled(piece)
    if (known !== undefined) return known
    const attestation = this.#parts.sign([{ piece, sha256: await this.#source.hash(piece) }])
    this.#ownWord(attestation)
    return attestation
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
    this.setShared(true, this.#restricted)
    // what nobody vouched for yet, or could not be hashed any more where it was, is waited for by those who joined before
    for (const piece of this.session.held) if (!this.#offered.has(piece)) this.#unvouched.add(piece)
    if (this.attendees.size > 0) this.#vouchSoon()
  }

  /** Leaves, everywhere. */
  end (): void {
    this.#isOver = true
    this.#news.stop()
    for (const attendee of this.attendees.values()) {
      this.#parts.left(attendee)
      this.#leave(attendee)
    }
    this.attendees.clear()
  }

  #resume (piece: number, vouched: ParticipationInit['vouched']): void {
    const attestation = vouched?.get(piece)
    if (attestation !== undefined && this.vouchers.add(attestation) === 'kept') {
      this.vouchers.settle(piece, attestation)
      this.#offered.add(piece)
    } else if (vouched?.has(piece) !== true) this.#unvouched.add(piece)
  }

  /** Pieces that others may wait for: we read them, or have read them and will offer them when their hashes are signed. */
  #promised (): number[] {
    if (this.#isHidden || this.#parts.isLeech) return []
    const signed = this.#isShared ? [...this.#hashing, ...this.#unvouched] : []
    return [...new Set([...this.session.taking, ...signed])].sort((a, b) => a - b)
  }

  #tellTaking (attendee: Attendee, type: 'take' | 'release', pieces: readonly number[]): void {
    if (attendee.isComplete || pieces.length === 0 || this.#isHidden || this.#parts.isLeech) return
    attendee.saidAtMs = this.#parts.now()
    this.#say(attendee.peer, channel => ({ type, channel, pieces }))
  }

  #tellOrigin (): void {
    const [reads, restricted] = [this.#readsOrigin, this.#restricted]
    for (const peer of this.attendees.keys()) this.#say(peer, channel => ({ type: 'origin', channel, reads, restricted }))
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
    if (this.#parts.isLeech || !this.#isShared) this.reject(attendee, piece, 'denied')
    else if (!this.session.held.has(piece)) this.reject(attendee, piece, 'missing')
    else if (this.#isDoubted(piece)) this.reject(attendee, piece, 'busy')
    else this.#parts.upload(attendee, piece)
  }

  #isDoubted (piece: number): boolean {
    return piece === this.#doubt?.piece && this.#parts.now() < this.#doubt.untilMs
  }

  #attested (peer: string, bytes: Uint8Array): void {
    // who has the whole needs nobody's word
    if (!this.isFetching) return
    const attestation = decodeAttestation(bytes)
    // one of an earlier life of ours is as good as another's; a forged one is nobody's
    if (attestation.author === this.#parts.self && !verifyAttestation(attestation)) return
    if (this.vouchers.add(attestation, peer) === 'wrong') this.#listener?.onLie(peer, `passed on an attestation about ${shortDigest(this.digest)} that does not hold`)
  }

  #heard (peer: string, message: AccuseMessage): void {
    this.#checked(message.pieces)
    const accusation = this.#accusations.hear(peer, message)
    if (accusation === undefined) return
    this.#parts.accused(accusation)
    this.#listener?.onAccused(accusation)
  }

  #offer (pieces: readonly number[]): void {
    const fresh = pieces.filter(piece => this.session.held.has(piece) && this.#offered.add(piece))
    if (this.#isShared) this.#announce(fresh)
  }

  #announce (pieces: readonly number[]): void {
    if (!this.#parts.isLeech) this.#news.add(pieces, { isRare: pieces.some(piece => this.session.isRare(piece)) })
  }

  #vouchSoon (): void {
    this.#vouching ??= this.#vouchAll().finally(() => { this.#vouching = undefined })
  }

  /** Hashes and signs what nobody vouches for yet, some at a time, so that members can have it. */
  async #vouchAll (): Promise<void> {
    while (this.#unvouched.size > 0 && !this.#isOver) {
      const pieces = [...this.#unvouched].slice(0, MAX_SIGNED_TOGETHER).sort((a, b) => a - b)
      for (const piece of pieces) {
        this.#unvouched.delete(piece)
        this.#hashing.add(piece)
      }
      const hashed = await Promise.allSettled(pieces.map(async piece => ({ piece, sha256: await this.#source.hash(piece) })))
      const hashes = hashed.flatMap(result => result.status === 'fulfilled' && this.session.held.has(result.value.piece) ? [result.value] : [])
      this.#hashing.clear()
      if (hashes.length > 0) this.#ownWord(this.#parts.sign(hashes))
    }
  }

  #ownWord (attestation: Attestation): void {
    this.vouchers.add(attestation)
    for (const piece of attestation.pieces) {
      this.#unvouched.delete(piece)
      this.vouchers.settle(piece, attestation)
    }
    this.#offer(attestation.pieces)
  }

  #say (peer: string, message: (channel: number) => SwarmMessage): void {
    const attendee = this.attendees.get(peer)
    if (attendee?.ours === undefined) return
    this.tellNews(attendee)
    attendee.link.send(message(attendee.ours))
  }

  #checked (pieces: readonly number[]): readonly number[] {
    const last = pieces.at(-1)
    if (last !== undefined && last >= this.session.pieces) throw new SwarmMessageError(`piece ${last} of ${this.session.pieces}`)
    return pieces
  }
}

function heldBy ({ complete, bitfield }: JoinMessage, pieces: number): Bitfield {
  if (complete) return Bitfield.full(pieces)
  if (bitfield === undefined) return new Bitfield(pieces)
  const held = Bitfield.fromBytes(bitfield, pieces)
  if (held === undefined) throw new SwarmMessageError(`a bitfield that is not of ${pieces} pieces`)
  return held
}
