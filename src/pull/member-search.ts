import { setTimeout as sleep } from 'node:timers/promises'
import type { Exchange } from '../exchange/exchange.ts'
import type { Participation } from '../exchange/participation.ts'
import { ListeningTimer } from '../listening-timer.ts'
import type { Digest } from '../oci/digest.ts'
import type { Router } from '../routing/router.ts'
import { Unanswered } from '../swarm/unanswered.ts'

/** Neighbours may answer before the DHT is asked: a hit next door then costs nobody a walk. */
const HEAD_START_MS = 20
/** With so many members the DHT is not asked. */
const ENOUGH_MEMBERS = 8
/** Where members are known already the first walk waits so long, in milliseconds: they name others, and a walk costs much. */
const UNHURRIED_MS = 3_000
/** Between two walks while there are few members; doubles. */
const FIRST_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 30_000
/** A walk that takes longer is ended. */
const WALK_MS = 3_000

export interface MemberSearchComponents {
  readonly exchange: Exchange
  readonly router: Router
}

export interface MemberSearchInit {
  readonly digest: Digest
  readonly participation: Participation
  /** How long those asked may take; who fetches the blob already has longer (`Unanswered`). Milliseconds. */
  readonly graceMs: number
  /** Those asked have answered, or have had the time to: called once. */
  readonly onGrace: () => void
}

/**
 * Finds members: all neighbours are asked directly, the DHT alongside unless one of them holds the blob, and again while
 * there are few. That members name each other is the exchange's part.
 */
export class MemberSearch {
  readonly #components: MemberSearchComponents
  readonly #init: MemberSearchInit
  readonly #stopped = new AbortController()
  /** Those that were asked first. */
  readonly #unanswered: Unanswered
  /** All that were linked to us when we looked: they were asked to take part, or will be when others do not. */
  readonly #met = new Set<string>()
  /** Or they have had the time to. */
  readonly #allAnswered = Promise.withResolvers<void>()
  #grace: ListeningTimer | undefined
  #hasWalked = false
  #isWalking = false
  /** Fulfilled when nobody that we know helps. */
  readonly #hurried = Promise.withResolvers<void>()
  #isHurried = false

  constructor (components: MemberSearchComponents, init: MemberSearchInit) {
    this.#components = components
    this.#init = init
    this.#unanswered = new Unanswered(init.graceMs)
  }

  /** The first round is over: all neighbours have answered, also those asked in place of others that do not take part, and so has the router. */
  get hasEnded (): boolean {
    return this.#hasWalked && this.#unanswered.isEmpty && !this.#components.exchange.isAsking(this.#init.participation)
  }

  start (): void {
    const { exchange } = this.#components
    const { participation, graceMs, onGrace } = this.#init
    for (const { peer } of exchange.gather(participation)) {
      if (participation.attendees.get(peer)?.isMember !== true) this.#unanswered.asked(peer, exchange.wantedForMs(participation, peer))
    }
    if (this.#unanswered.isEmpty) this.#allAnswered.resolve()
    const walked = this.#walkOn()
    walked.catch(() => {})
    this.#wait(graceMs)
    this.#allAnswered.promise.then(() => {
      this.#grace?.stop()
      if (!this.#stopped.signal.aborted) onGrace()
    }, () => {})
  }

  /** A peer has said whether it takes part, or is gone. */
  answered (peer: string): void {
    if (this.#unanswered.answered(peer)) this.#allAnswered.resolve()
  }

  /** Nobody that we know helps: the router is asked now, if it was to be asked later. @returns whether its answer is still to come */
  hurry (): boolean {
    if (this.#isHurried) return this.#isWalking
    this.#isHurried = true
    this.#hurried.resolve()
    return true
  }

  stop (): void {
    this.#stopped.abort()
    this.#grace?.stop()
  }

  /** @param waitedMs - so far */
  #wait (ms: number, waitedMs = 0): void {
    // of what has come while the process had no processor some is an answer
    this.#grace = new ListeningTimer(ms, () => {
      const leftMs = this.#unanswered.leftMs(waitedMs + ms)
      if (leftMs > 0 && !this.#stopped.signal.aborted) this.#wait(leftMs, waitedMs + ms)
      else this.#allAnswered.resolve()
    })
  }

  async #walkOn (): Promise<void> {
    const { router } = this.#components
    const { participation } = this.#init
    const { signal } = this.#stopped
    const wait = async (ms: number): Promise<void> => { await sleep(ms, undefined, { signal }).catch(() => {}) }
    await Promise.race([this.#allAnswered.promise, wait(HEAD_START_MS)])
    if (participation.memberCount > 0) {
      this.#hasWalked = true
      await Promise.race([this.#hurried.promise, wait(UNHURRIED_MS)])
    }
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2)) {
      if (router.isReady() && participation.memberCount < ENOUGH_MEMBERS && this.#mayHearOfMore()) await this.#walk()
      this.#hasWalked = true
      await wait(pauseMs)
    }
  }

  /** Whether the router could name anybody whom the exchange does not know. */
  #mayHearOfMore (): boolean {
    const { exchange, router } = this.#components
    for (const peer of exchange.linked()) this.#met.add(peer)
    return router.mayKnowMore(this.#met)
  }

  async #walk (): Promise<void> {
    const { exchange, router } = this.#components
    const { digest, participation } = this.#init
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(WALK_MS)])
    const joins: Array<Promise<void>> = []
    this.#isWalking = true
    try {
      for await (const { peer, addresses } of router.findProviders(digest, { signal })) {
        if (!exchange.hasRoom(participation)) break
        if (!participation.attendees.has(peer) && exchange.isWelcome(peer)) joins.push(this.#meet(peer, addresses, signal))
      }
    } catch {
      // a walk that fails or runs out of time has found whom it has found
    }
    await Promise.all(joins)
    this.#isWalking = false
  }

  async #meet (peer: string, addresses: readonly string[], signal: AbortSignal): Promise<void> {
    try {
      const link = await this.#components.exchange.connect(peer, { addresses, signal })
      this.#components.exchange.found(this.#init.participation, link)
    } catch {
      // it is not there any more
    }
  }
}
