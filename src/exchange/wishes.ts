import type { ContentKind, SharedReader } from '../net/peers.ts'
import type { SwarmLink } from '../net/swarm-link.ts'
import type { JoinMessage, MissingMessage, PiecesMessage } from '../net/swarm-message.ts'
import type { Digest } from '../oci/digest.ts'
import { tellHolding, type Inquiries } from './inquiries.ts'
import { Wish, type WishInit } from './wish.ts'

/** Standing questions kept on one link: who asks more hears only what is so now. */
const MAX_KEPT = 64

export interface WishesParts {
  readonly inquiries: Inquiries
  /** A new channel of ours on the link. */
  readonly channel: (link: SwarmLink) => number
  /** What is stored and may be given. */
  readonly open: (kind: ContentKind, digest: Digest) => Promise<SharedReader | undefined>
  readonly isWelcome: (peer: string) => boolean
  readonly isLeech: boolean
}

/** What another agent lacks, until it leaves the channel. */
interface Kept {
  readonly link: SwarmLink
  readonly channel: number
  readonly key: string
  /** Others may wait for it. */
  readonly isCandidate: boolean
}

/** What we wish for and what others do, so that those who want the same document at once read it from the origin once. */
export class Wishes {
  readonly #parts: WishesParts
  readonly #ours = new Map<string, Wish>()
  readonly #kept = new Map<SwarmLink, Map<number, Kept>>()
  readonly #byKey = new Map<string, Set<Kept>>()

  constructor (parts: WishesParts) {
    this.#parts = parts
  }

  /** Undefined: we wish for it already. */
  begin (init: WishInit): Wish | undefined {
    const key = keyOf(init)
    if (this.#ours.has(key)) return undefined
    const { inquiries, channel, isLeech } = this.#parts
    const wish = new Wish({
      inquiries,
      channel,
      others: () => [...this.#byKey.get(key) ?? []].map(({ link }) => link),
      isLeech,
      ended: async (wish, isRead) => this.#ended(key, wish, isRead)
    }, init)
    this.#ours.set(key, wish)
    for (const { link, isCandidate } of this.#byKey.get(key) ?? []) wish.joined(link, { isCandidate })
    return wish
  }

  ours (kind: ContentKind, digest: Digest): Wish | undefined {
    return this.#ours.get(keyOf({ kind, digest }))
  }

  /** A question that stands. */
  heard (link: SwarmLink, join: JoinMessage): void {
    const { channel, leech, readsOrigin } = join
    const kept = this.#kept.get(link) ?? new Map<number, Kept>()
    if (kept.size === MAX_KEPT) return
    const key = keyOf(join)
    const isCandidate = readsOrigin && !leech
    const one: Kept = { link, channel, key, isCandidate }
    kept.set(channel, one)
    this.#kept.set(link, kept)
    const same = this.#byKey.get(key) ?? new Set<Kept>()
    same.add(one)
    this.#byKey.set(key, same)
    this.#ours.get(key)?.joined(link, { isCandidate })
  }

  /** Somebody holds the whole. @returns whether we wish for it */
  told (link: SwarmLink, join: JoinMessage): boolean {
    const wish = join.complete ? this.#ours.get(keyOf(join)) : undefined
    wish?.told({ peer: link.peer, size: join.size, restricted: join.restricted })
    return wish !== undefined
  }

  /** @returns whether it is about something that its sender waits for */
  received (link: SwarmLink, { type, channel }: PiecesMessage): boolean {
    const kept = this.#kept.get(link)?.get(channel)
    if (kept === undefined) return false
    const wish = this.#ours.get(kept.key)
    if (type === 'take') wish?.took(link.peer)
    else if (type === 'release') wish?.released(link.peer)
    return true
  }

  /** @returns whether it is about a wish of ours */
  missing (link: SwarmLink, { of, reason }: MissingMessage): boolean {
    for (const wish of this.#ours.values()) {
      if (!wish.isAbout(link, of)) continue
      if (reason === 'denied') wish.denied(link.peer)
      return true
    }
    return false
  }

  /** @returns whether its sender has waited for something on the channel */
  left (link: SwarmLink, channel: number): boolean {
    const kept = this.#kept.get(link)?.get(channel)
    if (kept === undefined) return false
    this.#forget(kept)
    const isStillWaiting = [...this.#byKey.get(kept.key) ?? []].some(other => other.link === link)
    if (!isStillWaiting) this.#ours.get(kept.key)?.left(link)
    return true
  }

  /** Nothing more comes over the link. */
  closed (link: SwarmLink): void {
    for (const kept of [...this.#kept.get(link)?.values() ?? []]) this.#forget(kept)
    for (const wish of this.#ours.values()) wish.closed(link)
  }

  async #ended (key: string, wish: Wish, isRead: boolean): Promise<void> {
    if (this.#ours.get(key) === wish) this.#ours.delete(key)
    if (isRead && !this.#parts.isLeech) await this.#give(key, wish)
  }

  /** Tells those who wait that we have it, or that they may not. */
  async #give (key: string, { kind, digest }: Wish): Promise<void> {
    if (!this.#byKey.has(key)) return
    const { open, channel, isWelcome } = this.#parts
    const reader = await open(kind, digest).catch(() => undefined)
    for (const kept of [...this.#byKey.get(key) ?? []]) {
      const { link } = kept
      if (reader === undefined || !isWelcome(link.peer)) link.send({ type: 'missing', of: kept.channel, reason: 'denied' })
      else tellHolding(link, channel(link), kept.channel, { kind, digest, size: reader.size, restricted: reader.restricted })
    }
    await reader?.close()
  }

  #forget (kept: Kept): void {
    const { link, channel, key } = kept
    const ofLink = this.#kept.get(link)
    ofLink?.delete(channel)
    if (ofLink?.size === 0) this.#kept.delete(link)
    const same = this.#byKey.get(key)
    same?.delete(kept)
    if (same?.size === 0) this.#byKey.delete(key)
  }
}

function keyOf ({ kind, digest }: { readonly kind: ContentKind, readonly digest: Digest }): string {
  return `${kind} ${digest}`
}
