import type { EventSink } from '../events.ts'
import type { Digest } from '../oci/digest.ts'
import type { WatchableRouter } from './router.ts'
import { RouterNotReadyError } from './router-error.ts'

const HOUR_MS = 3_600_000
const DEFAULT_CONCURRENCY = 3
/** A third of the 24 h for which others remember a record: two rounds may be lost before we are forgotten. */
const DEFAULT_INTERVAL_MS = 8 * HOUR_MS
const JITTER = 0.1
/** How often a busy agent is looked at again, give or take a half. */
const QUIET_CHECK_MS = 5_000
/** So long an agent that is always busy puts off what is due. */
const DEFAULT_MAX_BUSY_MS = 120_000
const DEFAULT_MIN_RETRY_MS = 1_000
const DEFAULT_MAX_RETRY_MS = 60_000
/** A connection that comes and goes must not make every blob be announced each time. */
const DEFAULT_MIN_ROUND_MS = 30_000

/** Time as the announcer sees it. */
export interface AnnouncerTimers {
  now (): number
  /** @returns a function that cancels the call */
  after (delayMs: number, callback: () => void): () => void
}

export interface AnnouncerComponents {
  readonly router: WatchableRouter
  readonly events: EventSink
  /** Whether there is better to do than to announce, for the time being. @default never */
  readonly isBusy?: () => boolean
  /** @default the system's */
  readonly timers?: AnnouncerTimers
  /** Numbers in [0, 1). @default Math.random */
  readonly random?: () => number
}

export interface AnnouncerInit {
  /** Announcements at a time. @default 3 */
  readonly concurrency?: number
  /** Between two announcements of everything, give or take a tenth. @default 28800000 */
  readonly intervalMs?: number
  /** First wait after a failed announcement; doubles. @default 1000 */
  readonly minRetryMs?: number
  /** Longest wait after a failed announcement. @default 60000 */
  readonly maxRetryMs?: number
  /** Least time between two rounds that a regained connection causes. @default 30000 */
  readonly minRoundMs?: number
  /** How long a new blob waits before it is announced, give or take a half: a walk costs much, and neighbours know without it. @default 0 */
  readonly delayMs?: number
  /** How long announcements wait while there is better to do. @default 120000 */
  readonly maxBusyMs?: number
  /** After an announcement this many times as long as it took passes before the next: so they never take a processor for long. @default 0 */
  readonly restFactor?: number
}

/**
 * Keeps a set of blobs announced: as soon as the router reaches anybody, again on a schedule, and again when it has
 * regained the swarm. Owns the set (digests only) and the pace; the store tells it what comes and goes.
 */
export class Announcer {
  readonly #router: WatchableRouter
  readonly #events: EventSink
  readonly #timers: AnnouncerTimers
  readonly #random: () => number
  readonly #isBusy: () => boolean
  readonly #init: Required<AnnouncerInit>
  readonly #wanted = new Set<Digest>()
  /** A part of what is wanted: to be announced as soon as possible, in this order. */
  readonly #due = new Set<Digest>()
  readonly #running = new Map<Digest, Promise<void>>()
  /** New ones that wait, each with what ends the wait. */
  readonly #delays = new Map<Digest, () => void>()
  #stopper: AbortController | undefined
  #unsubscribe: () => void = () => {}
  #cancelRound: () => void = () => {}
  #cancelRetry: (() => void) | undefined
  #cancelQuiet: (() => void) | undefined
  #cancelRest: (() => void) | undefined
  /** Since when something is due and there is better to do. */
  #busySince: number | undefined
  #retryMs: number
  #lastRoundAt = -Infinity

  constructor (components: AnnouncerComponents, init: AnnouncerInit = {}) {
    this.#router = components.router
    this.#events = components.events
    this.#timers = components.timers ?? systemTimers
    this.#random = components.random ?? Math.random
    this.#isBusy = components.isBusy ?? (() => false)
    this.#init = {
      concurrency: init.concurrency ?? DEFAULT_CONCURRENCY,
      intervalMs: init.intervalMs ?? DEFAULT_INTERVAL_MS,
      minRetryMs: init.minRetryMs ?? DEFAULT_MIN_RETRY_MS,
      maxRetryMs: init.maxRetryMs ?? DEFAULT_MAX_RETRY_MS,
      minRoundMs: init.minRoundMs ?? DEFAULT_MIN_ROUND_MS,
      delayMs: init.delayMs ?? 0,
      maxBusyMs: init.maxBusyMs ?? DEFAULT_MAX_BUSY_MS,
      restFactor: init.restFactor ?? 0
    }
    this.#retryMs = this.#init.minRetryMs
  }

  /** How many blobs are kept announced. */
  get size (): number {
    return this.#wanted.size
  }

  start (): void {
    if (this.#stopper !== undefined) return
    this.#stopper = new AbortController()
    this.#unsubscribe = this.#router.onReady(() => { this.#onReady() })
    this.#lastRoundAt = this.#timers.now()
    this.#scheduleRound()
    this.#announceDue()
  }

  /** Ends what is under way; the set is kept. */
  async stop (): Promise<void> {
    this.#stopper?.abort(new Error('the announcer stops'))
    this.#stopper = undefined
    this.#unsubscribe()
    this.#cancelRound()
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    this.#cancelQuiet?.()
    this.#cancelQuiet = undefined
    this.#cancelRest?.()
    this.#cancelRest = undefined
    for (const cancel of this.#delays.values()) cancel()
    this.#delays.clear()
    await Promise.all(this.#running.values())
  }

  /** Keeps the blob announced from now on. */
  announce (digest: Digest): void {
    if (this.#wanted.has(digest)) return
    this.#wanted.add(digest)
    if (this.#init.delayMs === 0) {
      this.#due.add(digest)
      this.#announceDue()
      return
    }
    const cancel = this.#timers.after(this.#init.delayMs * (0.5 + this.#random()), () => {
      this.#delays.delete(digest)
      if (this.#wanted.has(digest)) this.#due.add(digest)
      this.#announceDue()
    })
    this.#delays.set(digest, cancel)
  }

  /** Announces the blob no more. Never throws: a record that cannot be removed expires, or is forgotten at the next start. */
  async withdraw (digest: Digest): Promise<void> {
    this.#wanted.delete(digest)
    this.#due.delete(digest)
    this.#delays.get(digest)?.()
    this.#delays.delete(digest)
    await this.#running.get(digest)
    // It may have been announced anew while we waited.
    if (!this.#wanted.has(digest)) await this.#router.withdraw(digest).catch(() => {})
  }

  #onReady (): void {
    if (this.#timers.now() - this.#lastRoundAt >= this.#init.minRoundMs) this.#beginRound()
    this.#announceDue()
  }

  #scheduleRound (): void {
    const factor = 1 + JITTER * (2 * this.#random() - 1)
    this.#cancelRound = this.#timers.after(this.#init.intervalMs * factor, () => {
      this.#beginRound()
      this.#scheduleRound()
      this.#announceDue()
    })
  }

  #beginRound (): void {
    this.#lastRoundAt = this.#timers.now()
    for (const digest of this.#wanted) this.#due.add(digest)
  }

  #announceDue (): void {
    if (this.#mustWait()) {
      this.#waitForQuiet()
      return
    }
    for (const digest of this.#due) {
      if (this.#stopper === undefined || this.#cancelRetry !== undefined || this.#cancelRest !== undefined || this.#running.size >= this.#init.concurrency || !this.#router.isReady()) return
      if (this.#running.has(digest)) continue
      this.#due.delete(digest)
      this.#running.set(digest, this.#provide(digest, this.#stopper.signal))
    }
  }

  #mustWait (): boolean {
    if (this.#due.size === 0 || !this.#isBusy()) {
      this.#busySince = undefined
      return false
    }
    this.#busySince ??= this.#timers.now()
    return this.#timers.now() - this.#busySince < this.#init.maxBusyMs
  }

  #waitForQuiet (): void {
    if (this.#cancelQuiet !== undefined || this.#stopper === undefined) return
    this.#cancelQuiet = this.#timers.after(QUIET_CHECK_MS * (0.5 + this.#random()), () => {
      this.#cancelQuiet = undefined
      this.#announceDue()
    })
  }

  async #provide (digest: Digest, signal: AbortSignal): Promise<void> {
    const startedAt = this.#timers.now()
    try {
      await this.#router.provide(digest, { signal })
      this.#retryMs = this.#init.minRetryMs
      this.#events.emit({ type: 'provide:done', digest, durationMs: this.#timers.now() - startedAt })
    } catch (error) {
      if (this.#wanted.has(digest)) this.#due.add(digest)
      if (!signal.aborted) this.#postpone(digest, error)
    } finally {
      this.#running.delete(digest)
      this.#rest(this.#timers.now() - startedAt)
      this.#announceDue()
    }
  }

  #rest (tookMs: number): void {
    const { restFactor } = this.#init
    if (restFactor === 0 || this.#cancelRest !== undefined || this.#stopper === undefined) return
    this.#cancelRest = this.#timers.after(restFactor * tookMs, () => {
      this.#cancelRest = undefined
      this.#announceDue()
    })
  }

  /** What fails for one blob fails for all, so all wait: one timer however many blobs there are. */
  #postpone (digest: Digest, error: unknown): void {
    if (!(error instanceof RouterNotReadyError)) {
      this.#events.emit({ type: 'provide:failed', digest, reason: error instanceof Error ? error.message : String(error) })
    }
    if (this.#cancelRetry !== undefined) return
    this.#cancelRetry = this.#timers.after(this.#retryMs, () => {
      this.#cancelRetry = undefined
      this.#announceDue()
    })
    this.#retryMs = Math.min(this.#init.maxRetryMs, this.#retryMs * 2)
  }
}

const systemTimers: AnnouncerTimers = {
  now: Date.now,
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    return () => { clearTimeout(timer) }
  }
}
