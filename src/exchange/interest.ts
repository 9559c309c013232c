import type { SwarmLink } from '../net/swarm-link.ts'
import type { Channel } from './link-channels.ts'

interface Wanted {
  readonly channel: Channel
  readonly sinceMs: number
}

/** Who wants what we have not, so that those who ask for the same are told of each other: links by blob, and the channel of each. */
export class Interest {
  readonly #now: () => number
  readonly #byBlob = new Map<string, Map<SwarmLink, Wanted>>()

  /** @param now - milliseconds of any clock */
  constructor (now: () => number) {
    this.#now = now
  }

  /** A peer wants the channel's blob, and does not take part in it with us. */
  note (link: SwarmLink, channel: Channel): void {
    const interest = this.#byBlob.get(channel.key) ?? new Map<SwarmLink, Wanted>()
    interest.set(link, { channel, sinceMs: this.#now() })
    this.#byBlob.set(channel.key, interest)
  }

  /** It takes part now, or has left the channel. */
  forget (link: SwarmLink, channel: Channel): void {
    const interest = this.#byBlob.get(channel.key)
    if (interest?.get(link)?.channel === channel) interest.delete(link)
    if (interest?.size === 0) this.#byBlob.delete(channel.key)
  }

  /** Open links to those who want a blob. @param key - as `blobKey` makes it */
  in (key: string): SwarmLink[] {
    return [...this.#byBlob.get(key)?.keys() ?? []].filter(({ isOpen }) => isOpen)
  }

  /** For how long somebody has wanted a blob, in milliseconds; undefined: it does not. */
  ageMs (key: string, link: SwarmLink): number | undefined {
    const wanted = this.#byBlob.get(key)?.get(link)
    return wanted === undefined ? undefined : this.#now() - wanted.sinceMs
  }
}
