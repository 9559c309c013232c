import type { ContentKind, SharedPieces } from '../net/peers.ts'
import type { SwarmLink } from '../net/swarm-link.ts'
import { SwarmMessageError, type JoinMessage, type MissingReason } from '../net/swarm-message.ts'
import type { Digest } from '../oci/digest.ts'
import { blobKey } from './blob-key.ts'
import type { Gatherings } from './gatherings.ts'
import { answerInquiry, isInquiry, type Inquiries } from './inquiries.ts'
import type { Interest } from './interest.ts'
import type { Channel, LinkChannels } from './link-channels.ts'
import type { Participation } from './participation.ts'
import type { Seeds } from './seeds.ts'
import type { Wishes } from './wishes.ts'

/** Joins of one peer for which the store is looked into at a time. */
const MAX_OPENING = 64
/** Agents that take part in one blob with us, at the most: who else comes is told of these. */
const MAX_ATTENDEES = 256

export interface ReceptionParts {
  readonly share: { open (kind: ContentKind, digest: Digest): Promise<SharedPieces | undefined> }
  readonly inquiries: Inquiries
  readonly wishes: Wishes
  readonly interest: Interest
  readonly gatherings: Gatherings
  readonly seeds: Seeds
  /** The blob as we take part in it already. */
  readonly known: (kind: ContentKind, digest: Digest) => Participation | undefined
  readonly isWelcome: (peer: string) => boolean
  readonly isLeech: boolean
  /** A peer has broken the rules. */
  readonly expel: (link: SwarmLink, reason: string) => void
}

/**
 * What becomes of a `join`: it answers something of ours, is answered at once, or its sender takes part with us, or is refused and told of
 * others. Owns nothing of its own.
 */
export class Reception {
  readonly #parts: ReceptionParts

  constructor (parts: ReceptionParts) {
    this.#parts = parts
  }

  /** A peer joins a blob. @throws SwarmMessageError */
  joined (channels: LinkChannels, join: JoinMessage): void {
    const { inquiries, wishes, interest, known } = this.#parts
    const { link, theirs, joined } = channels
    const isAnswer = inquiries.joined(link, join)
    if (wishes.told(link, join) || join.of !== undefined) return
    const key = blobKey(join.kind, join.digest)
    const participation = known(join.kind, join.digest)
    // who comes to a blob that we fetch takes part, whatever we have asked besides
    if (isAnswer && participation === undefined) return
    if (participation === undefined && join.complete && join.kind === 'manifest') {
      // manifests are taken whole, by who asks: the answer has come too late
      link.send({ type: 'missing', of: join.channel, reason: 'missing' })
      return
    }
    if (isInquiry(join)) {
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
    interest.note(link, channel)
    this.#lookInStore(channels, channel, join)
  }

  /** A peer leaves a blob, or its link has ended. */
  left (link: SwarmLink, channel: Channel): void {
    const { participation } = channel
    this.#parts.interest.forget(link, channel)
    participation?.leftBy(link.peer)
    this.#parts.gatherings.of(participation)?.left(link.peer, { isFull: true })
  }

  /** We take no part in the blob yet; if it is stored we do from now on. */
  #lookInStore (channels: LinkChannels, channel: Channel, join: JoinMessage): void {
    const { interest, seeds } = this.#parts
    const { link, theirs } = channels
    const refusal = this.#refusalOf(channels)
    if (refusal !== undefined) {
      link.send({ type: 'missing', of: join.channel, reason: refusal })
      return
    }
    channels.opening++
    seeds.open(join.kind, join.digest).finally(() => { channels.opening-- }).then(seed => {
      // it may have left or another may have opened meanwhile
      if (theirs.get(join.channel) !== channel || channel.participation !== undefined) return
      if (seed === undefined) this.#refuse(link, channel, 'missing', interest.in(channel.key).map(({ peer }) => peer))
      else this.#meet(seed, link, channel, join)
    }, () => { link.send({ type: 'missing', of: join.channel, reason: 'busy' }) }).catch((error: unknown) => { link.abort(error as Error) })
  }

  /** Of who only asks. */
  #answer (channels: LinkChannels, join: JoinMessage): void {
    const { share, wishes, isWelcome } = this.#parts
    const { link } = channels
    if (join.waits === true && isWelcome(link.peer)) wishes.heard(link, join)
    const refusal = this.#refusalOf(channels)
    if (refusal !== undefined) {
      link.send({ type: 'missing', of: join.channel, reason: refusal })
      return
    }
    channels.opening++
    answerInquiry(link, join, { channel: () => channels.next(), open: async (kind, digest) => share.open(kind, digest) })
      .finally(() => { channels.opening-- })
      .catch((error: unknown) => { link.abort(error as Error) })
  }

  /** Why the store is not looked into for a peer, if so. */
  #refusalOf ({ link, opening }: LinkChannels): MissingReason | undefined {
    if (!this.#parts.isWelcome(link.peer) || this.#parts.isLeech) return 'denied'
    return opening === MAX_OPENING ? 'busy' : undefined
  }

  /** What a peer does not get from us it may get from others. */
  #refuse (link: SwarmLink, { number: of }: Channel, reason: MissingReason, others: readonly string[], participation?: Participation): void {
    link.send({ type: 'missing', of, reason })
    this.#parts.gatherings.introduce(link, of, others, participation)
  }

  /** A peer comes to a blob in which we take part. */
  #meet (participation: Participation, link: SwarmLink, channel: Channel, join: JoinMessage): void {
    const { interest, gatherings, expel } = this.#parts
    const { size, attendees } = participation
    if (join.size !== 0 && join.size !== size) {
      link.send({ type: 'missing', of: channel.number, reason: 'missing' })
      participation.sizeDiffers(link.peer, join)
      // of what is stored the size is certain
      if (join.complete && !participation.isFetching) expel(link, `said that it holds ${join.digest} with ${join.size} bytes, it has ${size}`)
      return
    }
    const others = participation.lacking()
    const membership = gatherings.of(participation)
    const isAdmitted = membership === undefined ? participation.memberCount < MAX_ATTENDEES || attendees.has(link.peer) : membership.admits(link)
    if (!isAdmitted) {
      participation.drop(link.peer)
      interest.note(link, channel)
      this.#refuse(link, channel, 'busy', others, participation)
      return
    }
    channel.participation = participation
    interest.forget(link, channel)
    participation.joined(link, join)
    if (!join.complete) gatherings.introduce(link, channel.number, others, participation)
  }
}
