import type { SwarmLink } from '../net/swarm-link.ts'
import type { Channel } from './link-channels.ts'

/** Who wants what we have not, so that those who ask for the same are told of each other: links by blob, and the channel of each. */
export class Interest {
  readonly #byBlob = new Map<string, Map<SwarmLink, Channel>>()

  /** A peer wants the channel's blob, and does not take part in it with us. */
  note (link: SwarmLink, channel: Channel): void {
    const interest = this.#byBlob.get(channel.key) ?? new Map<SwarmLink, Channel>()
    interest.set(link, channel)
    this.#byBlob.set(channel.key, interest)
  }

  /** It takes part now, or has left the channel. */
  forget (link: SwarmLink, channel: Channel): void {
    const interest = this.#byBlob.get(channel.key)
    if (interest?.get(link) === channel) interest.delete(link)
    if (interest?.size === 0) this.#byBlob.delete(channel.key)
  }

  /** Open links to those who want a blob. @param key - as `blobKey` makes it */
  in (key: string): SwarmLink[] {
    return [...this.#byBlob.get(key)?.keys() ?? []].filter(({ isOpen }) => isOpen)
  }
}
