import { describe, expect, it } from 'vitest'
import { EventHub, type ShoalEvent } from '../../src/events.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { Announcer, type AnnouncerInit, type AnnouncerTimers } from '../../src/routing/announcer.ts'
import { MemoryNetwork, MemoryRouter } from '../../src/routing/memory.ts'
import type { RouterOptions } from '../../src/routing/router.ts'
import { until } from '../../scenarios/live/until.ts'

const HOUR_MS = 3_600_000
const one = digestOf(Buffer.from('one'))
const two = digestOf(Buffer.from('two'))

/** A clock that is set by hand. */
class ManualTimers implements AnnouncerTimers {
  #now = 0
  readonly #calls = new Map<symbol, { at: number, callback: () => void }>()

  now (): number {
    return this.#now
  }

  after (delayMs: number, callback: () => void): () => void {
    const key = Symbol('call')
    this.#calls.set(key, { at: this.#now + delayMs, callback })
    return () => { this.#calls.delete(key) }
  }

  get pending (): number {
    return this.#calls.size
  }

  advance (ms: number): void {
    this.#now += ms
    for (const [key, { at, callback }] of [...this.#calls]) {
      if (at > this.#now || !this.#calls.delete(key)) continue
      callback()
    }
  }
}

/** Can be told to fail, and to keep its callers waiting. */
class MoodyRouter extends MemoryRouter {
  provided: Digest[] = []
  withdrawn: Digest[] = []
  failures = 0
  atOnce = 0
  mostAtOnce = 0
  gate: Promise<void> | undefined

  override async provide (digest: Digest, options?: RouterOptions): Promise<void> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce)
    try {
      await this.gate
      options?.signal?.throwIfAborted()
      if (this.failures-- > 0) throw new Error('no peer took it')
      await super.provide(digest, options)
      this.provided.push(digest)
    } finally {
      this.atOnce--
    }
  }

  override async withdraw (digest: Digest): Promise<void> {
    if (this.failures-- > 0) throw new Error('the disk is full')
    await super.withdraw(digest)
    this.withdrawn.push(digest)
  }
}

function setUp (init: AnnouncerInit = {}, isBusy?: () => boolean) {
  const network = new MemoryNetwork()
  const router = new MoodyRouter({ network }, { peer: 'us' })
  const other = new MemoryRouter({ network }, { peer: 'other' })
  const hub = new EventHub()
  const events: ShoalEvent[] = []
  hub.subscribe(event => { events.push(event) })
  const timers = new ManualTimers()
  router.start()
  const announcer = new Announcer({ router, events: hub, timers, random: () => 0.5, ...isBusy === undefined ? {} : { isBusy } }, init)
  return { announcer, router, other, events, timers }
}

describe('an announcer', () => {
  it('announces what it was told of before it started and after, and says so', async () => {
    const { announcer, router, other, events } = setUp()
    other.start()
    announcer.announce(one)
    announcer.start()
    announcer.announce(two)
    announcer.announce(two)
    await until(() => router.provided.length === 2, { what: 'both are announced' })
    expect(router.provided).toEqual([one, two])
    expect(events).toEqual([{ type: 'provide:done', digest: one, durationMs: 0 }, { type: 'provide:done', digest: two, durationMs: 0 }])
    await announcer.stop()
  })

  it('waits until the router reaches somebody', async () => {
    const { announcer, router, other, events } = setUp()
    announcer.start()
    announcer.announce(one)
    expect(router.atOnce).toBe(0)
    other.start()
    await until(() => router.provided.length === 1, { what: 'it is announced' })
    expect(events.map(({ type }) => type)).toEqual(['provide:done'])
    await announcer.stop()
  })

  it('announces no more at a time than it may, and all in the end', async () => {
    const { announcer, router, other } = setUp({ concurrency: 2 })
    other.start()
    announcer.start()
    for (let index = 0; index < 20; index++) announcer.announce(digestOf(Buffer.of(index)))
    await until(() => router.provided.length === 20, { what: 'all are announced' })
    expect(router.mostAtOnce).toBe(2)
    await announcer.stop()
  })

  it('tries again after a failure, later and later, and says each', async () => {
    const { announcer, router, other, events, timers } = setUp({ minRetryMs: 100, maxRetryMs: 150 })
    other.start()
    router.failures = 3
    announcer.start()
    announcer.announce(one)
    for (const [index, delayMs] of [100, 150, 150].entries()) {
      await until(() => events.length === index + 1, { what: 'a failure is told' })
      timers.advance(delayMs - 1)
      expect(router.atOnce).toBe(0)
      timers.advance(1)
    }
    await until(() => router.provided.length === 1, { what: 'it is announced' })
    expect(events.map(({ type }) => type)).toEqual(['provide:failed', 'provide:failed', 'provide:failed', 'provide:done'])
    await announcer.stop()
  })

  it('announces everything again on schedule', async () => {
    const { announcer, router, other, timers } = setUp()
    other.start()
    announcer.start()
    announcer.announce(one)
    announcer.announce(two)
    await until(() => router.provided.length === 2, { what: 'both are announced' })
    timers.advance(8 * HOUR_MS - 1)
    expect(router.atOnce).toBe(0)
    timers.advance(1)
    await until(() => router.provided.length === 4, { what: 'both are announced again' })
    timers.advance(8 * HOUR_MS)
    await until(() => router.provided.length === 6, { what: 'and again' })
    await announcer.stop()
  })

  it('announces everything again when it has regained the swarm, but not each time a connection flickers', async () => {
    const { announcer, router, other, timers } = setUp({ minRoundMs: 1_000 })
    other.start()
    announcer.start()
    announcer.announce(one)
    await until(() => router.provided.length === 1, { what: 'it is announced' })
    other.stop()
    timers.advance(999)
    other.start()
    expect(router.atOnce).toBe(0)
    other.stop()
    timers.advance(1)
    other.start()
    await until(() => router.provided.length === 2, { what: 'it is announced again' })
    await announcer.stop()
  })

  it('withdraws, and announces no more, even what is being announced at the moment', async () => {
    const { announcer, router, other, timers } = setUp()
    other.start()
    announcer.start()
    const { promise, resolve } = Promise.withResolvers<void>()
    router.gate = promise
    announcer.announce(one)
    const withdrawn = announcer.withdraw(one)
    expect(router.withdrawn).toEqual([])
    resolve()
    await withdrawn
    expect(router.withdrawn).toEqual([one])
    expect(announcer.size).toBe(0)
    timers.advance(9 * HOUR_MS)
    expect(router.atOnce).toBe(0)
    await announcer.stop()
  })

  it('goes on when the router cannot withdraw', async () => {
    const { announcer, router, other } = setUp()
    other.start()
    announcer.start()
    announcer.announce(one)
    await until(() => router.provided.length === 1, { what: 'it is announced' })
    router.failures = 1
    await announcer.withdraw(one)
    expect(router.withdrawn).toEqual([])
    expect(announcer.size).toBe(0)
    await announcer.stop()
  })

  it('does not withdraw what was announced anew meanwhile', async () => {
    const { announcer, router, other } = setUp()
    other.start()
    announcer.start()
    const { promise, resolve } = Promise.withResolvers<void>()
    router.gate = promise
    announcer.announce(one)
    const withdrawn = announcer.withdraw(one)
    announcer.announce(one)
    resolve()
    await withdrawn
    await until(() => router.provided.length === 2, { what: 'it is announced again' })
    expect(router.withdrawn).toEqual([])
    await announcer.stop()
  })

  it('stops what is under way and leaves no timer', async () => {
    const { announcer, router, other, events, timers } = setUp()
    other.start()
    announcer.start()
    const { promise, resolve } = Promise.withResolvers<void>()
    router.gate = promise
    announcer.announce(one)
    const stopped = announcer.stop()
    resolve()
    await stopped
    expect(timers.pending).toBe(0)
    expect(events).toEqual([])
    expect(router.provided).toEqual([])
  })

  it('lets a new blob wait, and forgets one that goes before it was announced', async () => {
    const { announcer, router, other, timers } = setUp({ delayMs: 1_000 })
    other.start()
    announcer.start()
    announcer.announce(one)
    announcer.announce(two)
    timers.advance(999)
    expect(router.atOnce).toBe(0)
    await announcer.withdraw(two)
    timers.advance(1)
    await until(() => router.provided.length === 1, { what: 'it is announced' })
    timers.advance(10_000)
    expect([router.provided, router.atOnce]).toEqual([[one], 0])
    announcer.announce(two)
    await announcer.stop()
    expect(timers.pending).toBe(0)
  })

  it('announces nothing while there is better to do, and all when there is not', async () => {
    let isBusy = true
    const { announcer, router, other, timers } = setUp({}, () => isBusy)
    other.start()
    announcer.start()
    announcer.announce(one)
    announcer.announce(two)
    timers.advance(60_000)
    expect([router.provided, router.atOnce]).toEqual([[], 0])
    isBusy = false
    timers.advance(60_000)
    await until(() => router.provided.length === 2, { what: 'both are announced' })
    await announcer.stop()
    expect(timers.pending).toBe(0)
  })

  it('rests after each for a multiple of the time that it took', async () => {
    const { announcer, router, other, timers } = setUp({ concurrency: 1, restFactor: 3 })
    const opened = Promise.withResolvers<void>()
    router.gate = opened.promise
    other.start()
    announcer.start()
    announcer.announce(one)
    announcer.announce(two)
    timers.advance(400)
    opened.resolve()
    await until(() => router.provided.length === 1 && router.atOnce === 0, { what: 'the first' })
    await new Promise(setImmediate)
    timers.advance(1_199)
    expect([router.provided, router.atOnce]).toEqual([[one], 0])
    timers.advance(1)
    await until(() => router.provided.length === 2, { what: 'the second' })
    await announcer.stop()
    expect(timers.pending).toBe(0)
  })

  it('puts it off for so long only when there always is', async () => {
    const { announcer, router, other, timers } = setUp({ maxBusyMs: 20_000 }, () => true)
    other.start()
    announcer.start()
    announcer.announce(one)
    timers.advance(19_999)
    expect([router.provided, router.atOnce]).toEqual([[], 0])
    timers.advance(10_000)
    await until(() => router.provided.length === 1, { what: 'it is announced' })
    announcer.announce(two)
    timers.advance(19_999)
    expect(router.provided).toEqual([one])
    await announcer.stop()
  })
})
