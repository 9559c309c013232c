import { ShoalError } from '../errors.ts'
import type { EventSink } from '../events.ts'
import type { Attestation, AttestedPieces } from '../net/swarm-attestation.ts'
import type { Pace } from '../net/pace.ts'
import type { ContentKind, Holding, SharedPieces } from '../net/peers.ts'
import type { LinkHandlers, SwarmLink } from '../net/swarm-link.ts'
import { MAX_MEMBER_ADDRESSES } from '../net/swarm-limits.ts'
import { SwarmMessageError, type HelloMessage, type JoinMessage, type MissingReason, type PieceMessage, type SwarmMessage } from '../net/swarm-message.ts'
import type { Digest } from '../oci/digest.ts'
import type { PeerScore } from '../swarm/peer-score.ts'
import { whomToName } from '../swarm/naming.ts'
import { isSameZone, Nearness } from '../swarm/nearness.ts'
import { Session } from '../swarm/session.ts'
import { answerInquiry, Inquiries, isInquiry } from './inquiries.ts'
import { Introductions } from './introductions.ts'
import { LinkChannels, type Channel } from './link-channels.ts'
import { Membership } from './membership.ts'
import { Participation, type Attendee, type ParticipationInit } from './participation.ts'
import { SelfCheck } from './self-check.ts'
import { storedSource } from './stored-source.ts'
import { SMALL_BYTES, Uploads } from './uploads.ts'
import type { Wish, WishInit } from './wish.ts'
import { Wishes } from './wishes.ts'

/** A blob from this size on is worth a direct lane. */
const DIRECT_BYTES = 256 * 1024
/** Agents told of in one message. */
const MAX_MEMBERS_TOLD = 32
/** Stored blobs served at a time; of more, those nobody is served of are closed. */
const MAX_SEEDS = 64
/** A stored blob that nobody asks for any more is closed after so many milliseconds. */
const SEED_IDLE_MS = 60_000
/** Joins of one peer for which the store is looked into at a time. */
const MAX_OPENING = 64
/** Agents that take part in one blob with us, at the most: who else comes is told of these. */
const MAX_ATTENDEES = 256

/** The links to other agents. */
export interface ExchangeLinks {
  use (handlers: LinkHandlers, hello: Omit<HelloMessage, 'type'>): void
  open (): SwarmLink[]
  of (peer: string): SwarmLink | undefined
  connect (peer: string, options?: { signal?: AbortSignal, addresses?: readonly string[] }): Promise<SwarmLink>
  /** Where others reach a peer, as far as we know. */
  addressesOf (peer: string): readonly string[]
}

export interface ExchangeComponents {
  readonly links: ExchangeLinks
  /** What is stored and may be given; undefined: not here, or not for others. */
  readonly share: { open (kind: ContentKind, digest: Digest): Promise<SharedPieces | undefined> }
  readonly self: () => string
  readonly sign: (pieces: AttestedPieces) => Attestation
  readonly score: PeerScore
  readonly events: EventSink
  readonly pace: Pace
  /** A stored blob was found damaged, and is gone. @default nothing is done about it */
  readonly onDamaged?: (digest: Digest) => void
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export interface ExchangeInit {
  /** Every member was let in with a key: all are trusted. @default false */
  readonly isKeyed?: boolean
  /** Peer ids whose signed pieces clients may have before the whole blob is verified. @default none */
  readonly trust?: readonly string[]
  /** Take and give nothing. @default false */
  readonly isLeech?: boolean
  /** @default none */
  readonly zone?: string
  /** Pieces sent at a time. @default 6 */
  readonly uploadSlots?: number
  /** Members of one blob at the most. @default 32 */
  readonly maxMembers?: number
}

/** A blob that we fetch, and who hears what members say of it. */
export type FetchInit = ParticipationInit & Required<Pick<ParticipationInit, 'listener'>>

/** A stored blob that is served. */
interface Seed {
  readonly close: () => Promise<void>
  /** Somebody has asked for a piece of it. */
  isUsed: boolean
  timer: NodeJS.Timeout | undefined
}

/**
 * The swarm at work: takes what comes over the links to the blobs it is about, gives what is stored or on its way here, and
 * remembers who wants what we have not, so that those who ask for the same find each other. Fetching is the business of
 * `Download`, which joins by `fetch`.
 */
export class Exchange implements LinkHandlers {
  readonly #components: ExchangeComponents
  readonly #init: ExchangeInit
  readonly #trusted: ReadonlySet<string>
  readonly #uploads: Uploads
  readonly #links = new Map<SwarmLink, LinkChannels>()
  readonly #inquiries = new Inquiries()
  readonly #wishes: Wishes
  readonly #participations = new Map<string, Participation>()
  readonly #opening = new Map<string, Promise<Participation | undefined>>()
  /** Stored blobs that are served, the longest unused first. */
  readonly #seeds = new Map<Participation, Seed>()
  /** Who wants what we have not: links by blob. */
  readonly #interest = new Map<string, Map<SwarmLink, Channel>>()
  readonly #introductions: Introductions<SwarmLink>
  readonly #nearness: Nearness
  /** Of blobs that are fetched. */
  readonly #memberships = new Map<Participation, Membership>()
  readonly #selfCheck: SelfCheck
  #isStopped = false

  constructor (components: ExchangeComponents, init: ExchangeInit = {}) {
    this.#components = components
    this.#init = init
    this.#trusted = new Set(init.trust)
    this.#nearness = new Nearness(init.zone)
    this.#introductions = new Introductions({ connect: async (peer, options) => components.links.connect(peer, options), now: () => performance.now() })
    this.#uploads = new Uploads(components, { slots: init.uploadSlots })
    this.#wishes = new Wishes({
      inquiries: this.#inquiries,
      channel: link => this.#links.get(link)?.next() ?? 0,
      open: async (kind, digest) => components.share.open(kind, digest),
      isWelcome: peer => this.isWelcome(peer),
      isLeech: this.isLeech
    })
    this.#selfCheck = new SelfCheck({
      onDamaged: participation => {
        this.end(participation)
        components.onDamaged?.(participation.digest)
      },
      onLiar: (peer, reason) => { this.#expelPeer(peer, reason) },
      now: components.now
    })
    components.links.use(this, { leech: init.isLeech ?? false, ...(init.zone === undefined ? {} : { zone: init.zone }) })
  }

  get isLeech (): boolean {
    return this.#init.isLeech ?? false
  }

  isTrusted (author: string): boolean {
    return this.#init.isKeyed === true || author === this.#components.self() || this.#trusted.has(author)
  }

  /** Begins to fetch a blob with others: `Participation.join` tells them. */
  fetch (init: FetchInit): Participation {
    const key = keyOf(init.kind, init.digest)
    const known = this.#participations.get(key)
    if (known !== undefined) this.end(known)
    const participation = this.#participate(init)
    this.#participations.set(key, participation)
    this.#memberships.set(participation, this.#gather(participation))
    return participation
  }

  /** Asks neighbours to take part, and keeps members from now on. @returns who was asked */
  gather (participation: Participation): SwarmLink[] {
    return this.#memberships.get(participation)?.start() ?? []
  }

  /** Whether somebody fetches what we hold or fetch too. */
  get isNeeded (): boolean {
    for (const participation of this.#participations.values()) if (participation.isNeeded) return true
    return false
  }

  /** All that can be asked to take part in something without a new connection. */
  linked (): string[] {
    return this.#components.links.open().map(({ peer }) => peer)
  }

  /** Whether more members are wanted. */
  hasRoom (participation: Participation): boolean {
    return this.#memberships.get(participation)?.hasRoom ?? false
  }

  /** Whether somebody who was asked to take part has not answered. */
  isAsking (participation: Participation): boolean {
    return this.#memberships.get(participation)?.isAsking ?? false
  }

  /** Somebody was found who may take part. */
  found (participation: Participation, link: SwarmLink): void {
    this.#memberships.get(participation)?.met(link)
  }

  isWelcome (peer: string): boolean {
    const { score, self, now } = this.#components
    return peer !== self() && !score.isBanned(peer, now())
  }

  /** @throws PeerError */
  async connect (peer: string, options: { signal?: AbortSignal, addresses?: readonly string[] } = {}): Promise<SwarmLink> {
    return this.#components.links.connect(peer, options)
  }

  /** Asks a peer over its link whether it holds something. Undefined: there is no link. The promise rejects with PeerError. */
  inquire (peer: string, kind: ContentKind, digest: Digest, options: { signal?: AbortSignal } = {}): Promise<Holding | undefined> | undefined {
    const link = this.#components.links.of(peer)
    const channels = link === undefined ? undefined : this.#links.get(link)
    if (channels === undefined) return undefined
    return this.#wishes.ours(kind, digest)?.ask(channels.link, options) ?? this.#inquiries.ask(channels.link, channels.next(), { kind, digest }, options)
  }

  /** Something small that we lack: who is asked for it from now on hears that we do. Undefined: we wish for it already. */
  wish (init: WishInit): Wish | undefined {
    return this.#wishes.begin(init)
  }

  /** The blob is stored: it is read there from now on. */
  async stored (participation: Participation): Promise<void> {
    const { share } = this.#components
    const reader = await share.open(participation.kind, participation.digest)
    if (reader === undefined || participation.isOver) {
      await reader?.close()
      this.end(participation)
      return
    }
    participation.completed(storedSource(reader))
    this.#scatter(participation)
    this.#seed(participation, async () => reader.close())
  }

  /** Leaves a blob. */
  end (participation: Participation): void {
    const key = keyOf(participation.kind, participation.digest)
    this.#scatter(participation)
    participation.end()
    if (this.#participations.get(key) === participation) this.#participations.delete(key)
    const seed = this.#seeds.get(participation)
    this.#seeds.delete(participation)
    clearTimeout(seed?.timer)
    seed?.close().catch(() => {})
    // who takes part in it elsewhere may still want it
    for (const channels of this.#links.values()) {
      for (const channel of channels.theirs.values()) {
        if (channel.participation !== participation) continue
        channel.participation = undefined
        this.#note(channels.link, channel)
      }
    }
  }

  /** Ends the link to a peer that broke the rules. */
  cut (peer: string, reason: Error): void {
    this.#components.links.of(peer)?.abort(reason)
  }

  /** The same, when all has gone out that was said to it. */
  dismiss (peer: string): void {
    this.#components.links.of(peer)?.close()
  }

  /** A peer has lied about a blob: what it signed of others is believed no more. */
  disbelieve (peer: string): void {
    for (const participation of [...this.#participations.values()]) participation.disbelieve(peer)
  }

  stop (): void {
    this.#isStopped = true
    this.#introductions.stop()
    for (const participation of [...this.#participations.values()]) this.end(participation)
  }

  onOpen (link: SwarmLink): void {
    const { score, now } = this.#components
    if (this.#isStopped || score.isBanned(link.peer, now())) {
      link.close()
      return
    }
    this.#links.set(link, new LinkChannels(link))
    for (const membership of this.#memberships.values()) membership.met(link)
  }

  onMessage (link: SwarmLink, message: SwarmMessage): void {
    const channels = this.#links.get(link)
    if (channels === undefined) return
    switch (message.type) {
      case 'join':
        this.#joined(channels, message)
        break
      case 'missing': {
        const isAnswer = this.#inquiries.missing(link, message)
        if (this.#wishes.missing(link, message) || isAnswer) break
        channels.ours.get(message.of)?.missing(link.peer)
        this.#membershipOf(channels.ours.get(message.of))?.left(link.peer, { isFull: message.reason === 'busy' })
        break
      }
      case 'members':
        this.#membershipOf(channels.ours.get(message.of))?.told(link.peer, message.members)
        break
      case 'take':
      case 'release':
        if (!this.#wishes.received(link, message)) channels.theirs.get(message.channel)?.participation?.receive(link.peer, message)
        break
      case 'leave': {
        if (this.#wishes.left(link, message.channel)) break
        const channel = channels.theirs.get(message.channel)
        channels.theirs.delete(message.channel)
        if (channel === undefined) break
        channels.joined.delete(channel.key)
        this.#left(link, channel)
        break
      }
      default:
        if ('channel' in message) channels.theirs.get(message.channel)?.participation?.receive(link.peer, message)
    }
  }

  onBody (link: SwarmLink, message: PieceMessage, bytes: Uint8Array, offset: number, isLast: boolean): void {
    this.#links.get(link)?.theirs.get(message.channel)?.participation?.body(link.peer, message, bytes, offset, isLast)
  }

  onClosed (link: SwarmLink, error?: Error): void {
    if (error instanceof ShoalError && error.blamesPeer) this.#ban(link.peer, error.message)
    this.#inquiries.closed(link)
    this.#wishes.closed(link)
    const channels = this.#links.get(link)
    this.#nearness.gone(link.peer)
    this.#links.delete(link)
    if (channels === undefined) return
    for (const channel of channels.theirs.values()) this.#left(link, channel)
    for (const participation of new Set(channels.ours.values())) {
      if (participation.attendees.get(link.peer)?.link !== link) continue
      participation.gone(link.peer)
      this.#memberships.get(participation)?.gone(link.peer)
    }
  }

  isUsed (link: SwarmLink): boolean {
    const channels = this.#links.get(link)
    return channels !== undefined && (channels.theirs.size > 0 || channels.ours.size > 0)
  }

  isUrgent (link: SwarmLink): boolean {
    for (const participation of this.#links.get(link)?.ours.values() ?? []) {
      if (participation.isFetching && participation.size <= SMALL_BYTES && participation.session.isAsked(link.peer)) return true
    }
    return false
  }

  onMeasured (link: SwarmLink): void {
    if (link.rttMs !== undefined) this.#nearness.measured(link.peer, link.rttMs)
  }

  #isNear ({ peer, hello }: SwarmLink): boolean {
    return this.#nearness.isNear(peer, hello?.zone)
  }

  #expel (link: SwarmLink, reason: string): void {
    this.#ban(link.peer, reason)
    link.abort(new Error(reason))
  }

  #expelPeer (peer: string, reason: string): void {
    this.#ban(peer, reason)
    this.cut(peer, new Error(reason))
  }

  /** It broke the protocol; whoever does so once does it again. */
  #ban (peer: string, reason: string): void {
    const { score, events, now } = this.#components
    if (score.isBanned(peer, now())) return
    const { untilMs } = score.ban(peer, reason, now())
    events.emit({ type: 'peer:banned', peer, reason, untilMs })
  }

  #participate (init: ParticipationInit): Participation {
    const { self, sign, events, now } = this.#components
    const { digest, size } = init
    const participation: Participation = new Participation({
      self: self(),
      sign: hashes => sign({ digest, size, hashes }),
      isTrusted: author => this.isTrusted(author),
      isOpen: this.#init.isKeyed !== true,
      isLeech: this.isLeech,
      isNear: link => this.#nearness.isInZone(link.hello?.zone),
      queue: () => this.#uploads.length,
      now,
      openChannel: link => this.#links.get(link)?.open(this.#participations.get(keyOf(init.kind, digest)) as Participation) ?? 0,
      closeChannel: (link, channel) => { this.#links.get(link)?.ours.delete(channel) },
      upload: (attendee, piece) => { this.#upload(attendee, piece) },
      cancelUpload: (attendee, piece) => { this.#uploads.cancel(attendee, piece) },
      left: attendee => { this.#uploads.left(attendee) },
      accused: accusation => {
        const { of, by, pieces, isRepeated } = accusation
        events.emit({ type: 'peer:accused', peer: of, by, digest, pieces, repeated: isRepeated })
        if (!participation.isFetching) this.#selfCheck.hear(participation, accusation)
      }
    }, init)
    return participation
  }

  #gather (participation: Participation): Membership {
    const { links, now } = this.#components
    return new Membership(participation, {
      limit: this.#init.maxMembers ?? 32,
      candidates: () => links.open().filter(({ peer }) => this.isWelcome(peer)),
      interested: () => [...this.#interest.get(keyOf(participation.kind, participation.digest))?.keys() ?? []].filter(link => link.isOpen),
      linkOf: peer => links.of(peer),
      isWelcome: peer => this.isWelcome(peer),
      isNear: link => this.#isNear(link),
      isHome: link => isSameZone(this.#init.zone, link.hello?.zone),
      isServing: peer => {
        const attendee = participation.attendees.get(peer)
        return attendee !== undefined && this.#uploads.isServing(attendee)
      },
      call: (sender, named, wish) => { this.#introductions.add(sender, named, wish) },
      introduce: (peer, others) => { this.#tellOthers(participation, peer, others) },
      leave: peer => { this.#leave(participation, peer) },
      now
    })
  }

  #scatter (participation: Participation): void {
    this.#memberships.get(participation)?.stop()
    this.#memberships.delete(participation)
  }

  /** We have no room for it any more: it is told of others, and we remember that it wants the blob. */
  #leave (participation: Participation, peer: string): void {
    this.#tellOthers(participation, peer, participation.lacking())
    const link = participation.attendees.get(peer)?.link
    participation.drop(peer)
    const channel = link === undefined ? undefined : this.#links.get(link)?.of(participation)
    if (link === undefined || channel === undefined) return
    channel.participation = undefined
    this.#note(link, channel)
  }

  #tellOthers (participation: Participation, peer: string, others: readonly string[]): void {
    const link = participation.attendees.get(peer)?.link
    const channel = link === undefined ? undefined : this.#links.get(link)?.of(participation)
    if (link !== undefined && channel !== undefined) this.#introduce(link, channel.number, others, participation)
  }

  #upload (attendee: Attendee, piece: number): void {
    this.#keepSeed(attendee.participation, { isUsed: true })
    // the one who receives comes to the other's lane: it reads at half the cost
    if (attendee.participation.size >= DIRECT_BYTES) attendee.link.wantDirect()
    this.#uploads.add(attendee, piece)
  }

  #joined (channels: LinkChannels, join: JoinMessage): void {
    const { link, theirs, joined } = channels
    const isAnswer = this.#inquiries.joined(link, join)
    if (this.#wishes.told(link, join) || isAnswer) return
    const key = keyOf(join.kind, join.digest)
    const participation = this.#participations.get(key)
    if (participation === undefined && join.complete && join.kind === 'manifest') {
      // manifests are taken whole, by who asks: the answer has come too late
      link.send({ type: 'missing', of: join.channel, reason: 'missing' })
      return
    }
    if (participation === undefined && isInquiry(join)) {
      this.#answer(channels, join)
      return
    }
    if (joined.has(key)) throw new SwarmMessageError(`a second channel of ${key}`)
    joined.add(key)
    const channel: Channel = { number: join.channel, key, participation: undefined }
    theirs.set(join.channel, channel)
    if (participation !== undefined) {
      this.#meet(participation, link, channel, join)
      return
    }
    this.#note(link, channel)
    if (!this.isWelcome(link.peer) || this.isLeech) {
      link.send({ type: 'missing', of: join.channel, reason: 'denied' })
      return
    }
    if (channels.opening === MAX_OPENING) {
      link.send({ type: 'missing', of: join.channel, reason: 'busy' })
      return
    }
    channels.opening++
    this.#openSeed(join.kind, join.digest).finally(() => { channels.opening-- }).then(seed => {
      // it may have left or another may have opened meanwhile
      if (theirs.get(join.channel) !== channel || channel.participation !== undefined) return
      if (seed === undefined) this.#refuse(link, channel, 'missing', [...this.#interest.get(key)?.keys() ?? []].filter(({ isOpen }) => isOpen).map(({ peer }) => peer))
      else this.#meet(seed, link, channel, join)
    }, () => { link.send({ type: 'missing', of: join.channel, reason: 'busy' }) }).catch((error: unknown) => { link.abort(error as Error) })
  }

  /** Of who only asks. */
  #answer (channels: LinkChannels, join: JoinMessage): void {
    const { share } = this.#components
    const { link } = channels
    if (join.waits === true && this.isWelcome(link.peer)) this.#wishes.heard(link, join)
    const refusal: MissingReason | undefined = !this.isWelcome(link.peer) || this.isLeech ? 'denied' : channels.opening === MAX_OPENING ? 'busy' : undefined
    if (refusal !== undefined) {
      link.send({ type: 'missing', of: join.channel, reason: refusal })
      return
    }
    channels.opening++
    answerInquiry(link, join, { channel: () => channels.next(), open: async (kind, digest) => share.open(kind, digest) })
      .finally(() => { channels.opening-- })
      .catch((error: unknown) => { link.abort(error as Error) })
  }

  /** What a peer does not get from us it may get from others. */
  #refuse (link: SwarmLink, { number: of }: Channel, reason: MissingReason, others: readonly string[], participation?: Participation): void {
    link.send({ type: 'missing', of, reason })
    this.#introduce(link, of, others, participation)
  }

  /** Tells a peer who else there is. */
  #introduce (link: SwarmLink, of: number, others: readonly string[], participation?: Participation): void {
    const { links } = this.#components
    const isOther = (peer: string): boolean => peer !== link.peer
    const isHome = (peer: string): boolean => isSameZone(link.hello?.zone, links.of(peer)?.hello?.zone)
    const named = whomToName({ foremost: (participation?.session.foremost ?? []).filter(isOther), others: others.filter(isOther), isHome, most: MAX_MEMBERS_TOLD, random: Math.random })
    const members = named.map(peer => ({ peer, addresses: this.#addressesOf(peer, participation).slice(0, MAX_MEMBER_ADDRESSES), home: isHome(peer) }))
    if (members.length > 0) link.send({ type: 'members', of, members })
  }

  /** Of one that is not linked to us, as it was named to us. */
  #addressesOf (peer: string, participation: Participation | undefined): readonly string[] {
    const addresses = this.#components.links.addressesOf(peer)
    return addresses.length > 0 ? addresses : this.#membershipOf(participation)?.addressesOf(peer) ?? []
  }

  #meet (participation: Participation, link: SwarmLink, channel: Channel, join: JoinMessage): void {
    const { size, attendees } = participation
    if (join.size !== 0 && join.size !== size) {
      link.send({ type: 'missing', of: channel.number, reason: 'missing' })
      participation.sizeDiffers(link.peer, join)
      // of what is stored the size is certain
      if (join.complete && !participation.isFetching) this.#expel(link, `said that it holds ${join.digest} with ${join.size} bytes, it has ${size}`)
      return
    }
    const others = participation.lacking()
    const membership = this.#memberships.get(participation)
    const isAdmitted = membership === undefined ? participation.memberCount < MAX_ATTENDEES || attendees.has(link.peer) : membership.admits(link)
    if (!isAdmitted) {
      participation.drop(link.peer)
      this.#note(link, channel)
      this.#refuse(link, channel, 'busy', others, participation)
      return
    }
    channel.participation = participation
    this.#interest.get(channel.key)?.delete(link)
    participation.joined(link, join)
    if (!join.complete) this.#introduce(link, channel.number, others, participation)
  }

  #left (link: SwarmLink, channel: Channel): void {
    const { key, participation } = channel
    const interest = this.#interest.get(key)
    if (interest?.get(link) === channel) interest.delete(link)
    if (interest?.size === 0) this.#interest.delete(key)
    participation?.leftBy(link.peer)
    this.#membershipOf(participation)?.left(link.peer, { isFull: true })
  }

  #note (link: SwarmLink, channel: Channel): void {
    const interest = this.#interest.get(channel.key) ?? new Map<SwarmLink, Channel>()
    interest.set(link, channel)
    this.#interest.set(channel.key, interest)
  }

  #membershipOf (participation: Participation | undefined): Membership | undefined {
    return participation === undefined ? undefined : this.#memberships.get(participation)
  }

  async #openSeed (kind: ContentKind, digest: Digest): Promise<Participation | undefined> {
    const key = keyOf(kind, digest)
    let opening = this.#opening.get(key)
    if (opening === undefined) {
      opening = this.#openStored(kind, digest).finally(() => { this.#opening.delete(key) })
      this.#opening.set(key, opening)
    }
    return opening
  }

  async #openStored (kind: ContentKind, digest: Digest): Promise<Participation | undefined> {
    const { share, self } = this.#components
    const reader = await share.open(kind, digest).catch(() => undefined)
    const key = keyOf(kind, digest)
    // we may have begun to fetch it meanwhile
    const known = this.#participations.get(key)
    if (reader === undefined || known !== undefined || this.#isStopped) {
      await reader?.close()
      return known
    }
    const { size, restricted } = reader
    const session = new Session({ self: self(), digest, size, isSeed: true })
    const participation = this.#participate({ digest, kind, size, session, source: storedSource(reader), restricted, isShared: true, readsOrigin: false })
    this.#participations.set(key, participation)
    this.#seed(participation, async () => reader.close())
    return participation
  }

  #seed (participation: Participation, close: () => Promise<void>): void {
    this.#seeds.set(participation, { close, isUsed: false, timer: undefined })
    this.#keepSeed(participation)
    if (this.#seeds.size <= MAX_SEEDS) return
    // who joins many blobs and asks for nothing takes none from those who do
    const idle = [...this.#seeds].find(([, { isUsed }]) => !isUsed)?.[0]
    const [oldest] = this.#seeds.keys()
    this.end(idle === undefined || idle === participation ? oldest as Participation : idle)
  }

  /** Starts its time to live anew. */
  #keepSeed (participation: Participation, { isUsed = false }: { isUsed?: boolean } = {}): void {
    const seed = this.#seeds.get(participation)
    if (seed === undefined) return
    seed.isUsed ||= isUsed
    clearTimeout(seed.timer)
    seed.timer = setTimeout(() => { this.end(participation) }, SEED_IDLE_MS)
    seed.timer.unref()
    this.#seeds.delete(participation)
    this.#seeds.set(participation, seed)
  }
}

function keyOf (kind: ContentKind, digest: Digest): string {
  return `${kind} ${digest}`
}
