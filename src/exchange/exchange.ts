import { ShoalError } from '../errors.ts'
import type { EventSink } from '../events.ts'
import type { Attestation, AttestedPieces } from '../net/swarm-attestation.ts'
import type { Pace } from '../net/pace.ts'
import type { ContentKind, Holding, SharedPieces } from '../net/peers.ts'
import type { LinkHandlers, SwarmLink } from '../net/swarm-link.ts'
import type { PieceMessage, SwarmMessage } from '../net/swarm-message.ts'
import type { Digest } from '../oci/digest.ts'
import { Nearness } from '../swarm/nearness.ts'
import type { PeerScore } from '../swarm/peer-score.ts'
import { blobKey } from './blob-key.ts'
import type { ExchangeLinks } from './exchange-links.ts'
import { Expulsion } from './expulsion.ts'
import { Gatherings } from './gatherings.ts'
import { Inquiries } from './inquiries.ts'
import { Interest } from './interest.ts'
import { LinkChannels } from './link-channels.ts'
import { Participation, type Attendee, type ParticipationInit } from './participation.ts'
import { Reception } from './reception.ts'
import { Seeds } from './seeds.ts'
import { SelfCheck } from './self-check.ts'
import { storedSource } from './stored-source.ts'
import { SMALL_BYTES, Uploads } from './uploads.ts'
import type { Wish, WishInit } from './wish.ts'
import { Wishes } from './wishes.ts'

/** A blob from this size on is worth a direct lane. */
const DIRECT_BYTES = 256 * 1024
const DEFAULT_MAX_MEMBERS = 32

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
  readonly #seeds: Seeds
  readonly #interest: Interest
  readonly #nearness: Nearness
  readonly #gatherings: Gatherings
  readonly #reception: Reception
  readonly #expulsion: Expulsion
  readonly #selfCheck: SelfCheck
  #isStopped = false
  /** Another agent has opened a link to us, or we to it. */
  #hasLinked = false

  constructor (components: ExchangeComponents, init: ExchangeInit = {}) {
    this.#components = components
    this.#init = init
    this.#trusted = new Set(init.trust)
    this.#nearness = new Nearness(init.zone)
    this.#expulsion = new Expulsion(components)
    this.#uploads = new Uploads(components, { slots: init.uploadSlots })
    const { links, share, self, onDamaged, now } = components
    this.#interest = new Interest(now)
    const { isLeech } = this
    const isWelcome = (peer: string): boolean => this.isWelcome(peer)
    const known = (kind: ContentKind, digest: Digest): Participation | undefined => this.#participations.get(blobKey(kind, digest))
    this.#wishes = new Wishes({
      inquiries: this.#inquiries,
      channel: link => this.#links.get(link)?.next() ?? 0,
      open: async (kind, digest) => share.open(kind, digest),
      isWelcome,
      isLeech
    })
    this.#selfCheck = new SelfCheck({
      onDamaged: participation => {
        this.end(participation)
        onDamaged?.(participation.digest)
      },
      onLiar: (peer, reason) => {
        this.#expulsion.expel(peer, reason)
        this.disbelieve(peer)
      },
      now
    })
    this.#seeds = new Seeds({
      share,
      self,
      known,
      begin: seed => this.#begin(seed),
      end: participation => { this.end(participation) },
      isStopped: () => this.#isStopped
    })
    this.#gatherings = new Gatherings({
      links,
      interest: this.#interest,
      limit: init.maxMembers ?? DEFAULT_MAX_MEMBERS,
      isWelcome,
      isNear: ({ peer, hello }) => this.#nearness.isNear(peer, hello?.zone),
      zone: init.zone,
      isServing: attendee => this.#uploads.isServing(attendee),
      channelOf: (link, participation) => this.#links.get(link)?.of(participation),
      now
    })
    this.#reception = new Reception({
      share,
      inquiries: this.#inquiries,
      wishes: this.#wishes,
      interest: this.#interest,
      gatherings: this.#gatherings,
      seeds: this.#seeds,
      known,
      isWelcome,
      isLeech,
      expel: (link, reason) => { this.#expulsion.expel(link.peer, reason, link) }
    })
    links.use(this, { leech: isLeech, ...(init.zone === undefined ? {} : { zone: init.zone }) })
  }

  get isLeech (): boolean {
    return this.#init.isLeech ?? false
  }

  /** No other agent has ever been linked to us: nobody takes part in anything. Who had a link may have another soon. */
  get isAlone (): boolean {
    return !this.#hasLinked
  }

  isTrusted (author: string): boolean {
    return this.#init.isKeyed === true || author === this.#components.self() || this.#trusted.has(author)
  }

  /** Begins to fetch a blob with others: `Participation.join` tells them. */
  fetch (init: FetchInit): Participation {
    const known = this.#participations.get(blobKey(init.kind, init.digest))
    if (known !== undefined) this.end(known)
    const participation = this.#begin(init)
    this.#gatherings.begin(participation)
    return participation
  }

  /** Asks neighbours to take part, and keeps members from now on. @returns who was asked */
  gather (participation: Participation): SwarmLink[] {
    return this.#gatherings.of(participation)?.start() ?? []
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
    return this.#gatherings.of(participation)?.hasRoom ?? false
  }

  /** For how long a peer that does not take part with us has wanted the blob, in milliseconds; undefined: it has not. */
  wantedForMs ({ kind, digest }: Participation, peer: string): number | undefined {
    const link = this.#components.links.of(peer)
    return link === undefined ? undefined : this.#interest.ageMs(blobKey(kind, digest), link)
  }

  /** Whether somebody who was asked to take part has not answered. */
  isAsking (participation: Participation): boolean {
    return this.#gatherings.of(participation)?.isAsking ?? false
  }

  /** Somebody was found who may take part. */
  found (participation: Participation, link: SwarmLink): void {
    this.#gatherings.of(participation)?.met(link)
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
    this.#gatherings.end(participation)
    this.#seeds.hold(participation, reader)
  }

  /** Leaves a blob. */
  end (participation: Participation): void {
    const key = blobKey(participation.kind, participation.digest)
    this.#gatherings.end(participation)
    participation.end()
    if (this.#participations.get(key) === participation) this.#participations.delete(key)
    this.#seeds.release(participation)
    // who takes part in it elsewhere may still want it
    for (const channels of this.#links.values()) {
      for (const channel of channels.theirs.values()) {
        if (channel.participation !== participation) continue
        channel.participation = undefined
        this.#interest.note(channels.link, channel)
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
    this.#gatherings.stop()
    for (const participation of [...this.#participations.values()]) this.end(participation)
  }

  onOpen (link: SwarmLink): void {
    this.#hasLinked = true
    const { score, now } = this.#components
    if (this.#isStopped || score.isBanned(link.peer, now())) {
      link.close()
      return
    }
    this.#links.set(link, new LinkChannels(link))
    this.#gatherings.met(link)
  }

  onMessage (link: SwarmLink, message: SwarmMessage): void {
    const channels = this.#links.get(link)
    if (channels === undefined) return
    switch (message.type) {
      case 'join':
        this.#reception.joined(channels, message)
        break
      case 'missing': {
        const isAnswer = this.#inquiries.missing(link, message)
        if (this.#wishes.missing(link, message) || isAnswer) break
        channels.ours.get(message.of)?.missing(link.peer)
        this.#gatherings.of(channels.ours.get(message.of))?.left(link.peer, { isFull: message.reason === 'busy' })
        break
      }
      case 'members':
        this.#gatherings.of(channels.ours.get(message.of))?.told(link.peer, message.members)
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
        this.#reception.left(link, channel)
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
    if (error instanceof ShoalError && error.blamesPeer) this.#expulsion.ban(link.peer, error.message)
    this.#inquiries.closed(link)
    this.#wishes.closed(link)
    const channels = this.#links.get(link)
    this.#nearness.gone(link.peer)
    this.#links.delete(link)
    if (channels === undefined) return
    for (const channel of channels.theirs.values()) this.#interest.forget(link, channel)
    for (const participation of channels.participations) {
      if (participation.attendees.get(link.peer)?.link !== link) continue
      participation.gone(link.peer)
      this.#gatherings.of(participation)?.gone(link.peer)
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

  /** Takes part in a blob from now on. */
  #begin (init: ParticipationInit): Participation {
    const { self, sign, events, now } = this.#components
    const { digest, size } = init
    const participation: Participation = new Participation({
      self: self(),
      sign: hashes => sign({ digest, size, hashes }),
      isTrusted: author => this.isTrusted(author),
      isOpen: this.#init.isKeyed !== true,
      isLeech: this.isLeech,
      isNear: link => this.#nearness.isInZone(link.hello?.zone),
      queue: () => this.#uploads.ahead(size),
      now,
      openChannel: link => this.#links.get(link)?.open(participation) ?? 0,
      closeChannel: (link, channel) => { this.#links.get(link)?.ours.delete(channel) },
      upload: (attendee, piece) => { this.#upload(attendee, piece) },
      cancelUpload: (attendee, piece) => { this.#uploads.cancel(attendee, piece) },
      left: attendee => { this.#uploads.left(attendee) },
      accused: accusation => {
        const { of, by, pieces, attestation, isRepeated } = accusation
        events.emit({ type: 'peer:accused', peer: of, by, digest, pieces, repeated: isRepeated })
        for (const other of this.#participations.values()) if (other !== participation) other.suspect(of, attestation.author)
      },
      judge: accusation => { this.#selfCheck.hear(participation, accusation) }
    }, init)
    this.#participations.set(blobKey(init.kind, digest), participation)
    return participation
  }

  #upload (attendee: Attendee, piece: number): void {
    this.#seeds.used(attendee.participation)
    // the one who receives comes to the other's lane: it reads at half the cost
    if (attendee.participation.size >= DIRECT_BYTES) attendee.link.wantDirect()
    this.#uploads.add(attendee, piece)
  }
}
