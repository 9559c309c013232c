import type { Digest } from '../oci/digest.ts'
import type { Repository } from '../oci/repository.ts'
import type { Origin, OriginAccess } from '../origin/origin.ts'
import type { Access, SpanSource } from '../store/store.ts'

/**
 * What is known of who may have a blob, while it comes. An origin that gives it without credentials makes it public. A
 * peer's word counts only for the bytes that peer gave: otherwise anybody could make our private content public by
 * claiming to hold it.
 */
export class AccessFacts {
  #isPublicAtOrigin = false
  #isRestricted = false
  #hasUnknownBytes = false
  #hasPeerBytes = false

  /** Bytes kept from an earlier fetch: how an origin or a peer gave them then is not known any more. */
  resumed (sources: readonly SpanSource[]): void {
    this.#hasUnknownBytes = sources.length > 0
  }

  /** An origin answered for it. */
  originAnswered (access: OriginAccess): void {
    if (access === 'public') this.#isPublicAtOrigin = true
    else this.#isRestricted = true
  }

  /** A peer gave bytes of it. */
  peerGave (isRestricted: boolean): void {
    this.#hasPeerBytes = true
    if (isRestricted) this.#isRestricted = true
  }

  get isRestricted (): boolean {
    return this.#isRestricted && !this.#isPublicAtOrigin
  }

  /** What can be said by now. */
  get known (): OriginAccess | undefined {
    if (this.#isPublicAtOrigin) return 'public'
    if (this.#isRestricted) return 'restricted'
    return this.#hasPeerBytes && !this.#hasUnknownBytes ? 'public' : undefined
  }

  /** The verdict for the store; asks an origin when nothing else can tell. */
  async settle (origin: Origin, repositories: Iterable<Repository>, digest: Digest, options: { signal?: AbortSignal }): Promise<Access> {
    if (this.#isPublicAtOrigin) return 'public'
    if (this.#isRestricted) return 'restricted'
    if (!this.#hasUnknownBytes) return 'public'
    await this.ask(origin, repositories, digest, options)
    return this.known ?? 'restricted'
  }

  /** Asks the first origin that answers. */
  async ask (origin: Origin, repositories: Iterable<Repository>, digest: Digest, options: { signal?: AbortSignal }): Promise<void> {
    for (const repository of repositories) {
      try {
        this.originAnswered((await origin.statBlob(repository, digest, options)).access)
        return
      } catch {
        // nobody says that it is public
      }
    }
  }
}
