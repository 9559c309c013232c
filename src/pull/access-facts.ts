import type { Digest } from '../oci/digest.ts'
import type { Repository } from '../oci/repository.ts'
import type { Origin, OriginAccess } from '../origin/origin.ts'
import type { Access, PartialBlob } from '../store/store.ts'

/** Where it is kept with the bytes, so that a restart does not forget it. */
export type AccessMemory = Pick<PartialBlob, 'access' | 'noteAccess' | 'spans'>

/**
 * What is known of who may have a blob, while it comes. An origin that gives it without credentials makes it public. A
 * peer's word counts only for the bytes that peer gave: otherwise anybody could make our private content public by
 * claiming to hold it. What is known is kept with the bytes, and that they are restricted before any of them comes.
 */
export class AccessFacts {
  #isPublicAtOrigin = false
  #isRestricted = false
  #hasUnknownBytes = false
  #hasPeerBytes = false
  #mayGetRestricted = false
  #memory: Pick<AccessMemory, 'noteAccess'> | undefined

  /**
   * Takes up what was noted of bytes kept from an earlier fetch, and notes from now on what becomes known. That an origin said public
   * counts no more than a peer's bytes then: who gives more of it may still say otherwise.
   */
  resumed (memory: AccessMemory): void {
    this.#memory = memory
    if (memory.spans.length === 0) return
    if (memory.access === undefined) this.#hasUnknownBytes = true
    else this.peerGave(memory.access === 'restricted')
  }

  /** An origin answered for it. */
  originAnswered (access: OriginAccess): void {
    if (access === 'public') this.#isPublicAtOrigin = true
    else this.#isRestricted = true
    this.#note()
  }

  /** A peer that got it with credentials was asked for bytes: what comes of them is not kept without the mark. */
  askedRestricted (): void {
    this.#mayGetRestricted = true
    this.#note()
  }

  /** A peer gave bytes of it. */
  peerGave (isRestricted: boolean): void {
    this.#hasPeerBytes = true
    if (isRestricted) this.#isRestricted = true
    this.#note()
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

  #note (): void {
    const access = this.#mayGetRestricted && !this.#isPublicAtOrigin ? 'restricted' : this.known
    if (access !== undefined) this.#memory?.noteAccess(access)
  }
}
