import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Intake } from '../../src/exchange/intake.ts'
import { TokenBucket } from '../../src/swarm/token-bucket.ts'

const WINDOW_MS = 5_000

/** Simulated time: calls back in order, each as late as `late` says. */
class Time {
  nowMs = 0
  readonly #due: Array<{ readonly atMs: number, readonly callback: () => void }> = []
  readonly #late: () => number

  constructor (late: () => number = () => 0) {
    this.#late = late
  }

  later (delayMs: number, callback: () => void): void {
    this.#due.push({ atMs: this.nowMs + delayMs + (delayMs > 0 ? this.#late() : 0), callback })
    this.#due.sort((a, b) => a.atMs - b.atMs)
  }

  run (untilMs: number): void {
    for (let next = this.#due[0]; next !== undefined && next.atMs <= untilMs; next = this.#due[0]) {
      this.#due.shift()
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.callback()
    }
    this.nowMs = untilMs
  }
}

function intakeOf (bytesPerSecond: number, time: Time): Intake {
  return new Intake(new TokenBucket({ bytesPerSecond }), { now: () => time.nowMs, later: (delayMs, callback) => { time.later(delayMs, callback) } })
}

interface Reader {
  readonly chunkBytes: number
  /** What the sender has to give a second. */
  readonly bytesPerSecond: number
  readonly taken: Array<{ readonly atMs: number, readonly bytes: number }>
}

/** Reads a chunk whenever one has come and it may, until the time is over. */
function read (intake: Intake, time: Time, { chunkBytes, bytesPerSecond, taken }: Reader, untilMs: number): void {
  const gapMs = chunkBytes / bytesPerSecond * 1000
  let readyAtMs = 0
  const next = (): void => {
    if (time.nowMs >= untilMs) return
    if (time.nowMs < readyAtMs) return time.later(readyAtMs - time.nowMs, next)
    readyAtMs = Math.max(readyAtMs, time.nowMs - 1000) + gapMs
    taken.push({ atMs: time.nowMs, bytes: chunkBytes })
    if (intake.came(chunkBytes)) time.later(0, next)
    else intake.turn(next)
  }
  next()
}

function bytesOf ({ taken }: Reader, fromMs: number, toMs: number): number {
  return taken.reduce((sum, { atMs, bytes }) => atMs > fromMs && atMs <= toMs ? sum + bytes : sum, 0)
}

describe('all that comes', () => {
  it('is within 5 % of the limit over any five seconds, from however many it comes, in chunks and with late timers', () => {
    const cases = fc.record({
      rate: fc.integer({ min: 1_000_000, max: 500_000_000 }),
      chunks: fc.array(fc.integer({ min: 1_000, max: 64 * 1024 }), { minLength: 1, maxLength: 16 }),
      late: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 9 })
    })
    fc.assert(fc.property(cases, ({ rate, chunks, late }) => {
      let turn = 0
      const time = new Time(() => late[turn++ % late.length] ?? 0)
      const intake = intakeOf(rate, time)
      const readers = chunks.map(chunkBytes => ({ chunkBytes, bytesPerSecond: rate * 2, taken: [] }))
      for (const reader of readers) read(intake, time, reader, 2 * WINDOW_MS)
      time.run(2 * WINDOW_MS)
      const aim = rate * WINDOW_MS / 1000
      for (let from = 500; from <= WINDOW_MS; from += 500) {
        const bytes = readers.reduce((sum, reader) => sum + bytesOf(reader, from, from + WINDOW_MS), 0)
        expect(bytes).toBeLessThanOrEqual(aim * 1.05)
        expect(bytes).toBeGreaterThanOrEqual(aim * 0.95)
      }
    }), { numRuns: 15 })
  })

  it('is shared equally by those who have enough to give, and the slow get all that they can', () => {
    const time = new Time()
    const intake = intakeOf(10_000_000, time)
    const fast = [1, 2, 3].map(() => ({ chunkBytes: 64 * 1024, bytesPerSecond: 50_000_000, taken: [] }))
    const slow = { chunkBytes: 64 * 1024, bytesPerSecond: 500_000, taken: [] }
    for (const reader of [...fast, slow]) read(intake, time, reader, 10_000)
    time.run(10_000)
    const [first = 0, ...others] = fast.map(reader => bytesOf(reader, 0, 10_000))
    for (const other of others) expect(Math.abs(other / first - 1)).toBeLessThan(0.02)
    expect(bytesOf(slow, 0, 10_000)).toBeGreaterThan(4_800_000)
  })
})

describe('a turn', () => {
  it('comes for what is urgent before all others, and for the others in the order asked', () => {
    const time = new Time()
    const intake = intakeOf(1_000_000, time)
    const order: string[] = []
    expect(intake.came(1_000_000)).toBe(false)
    for (const [name, isUrgent] of [['first', false], ['second', false], ['small', true], ['third', false]] as const) {
      intake.turn(() => {
        order.push(name)
        intake.came(100_000)
      }, { isUrgent })
    }
    time.run(900)
    expect(order).toEqual([])
    time.run(10_000)
    expect(order).toEqual(['small', 'first', 'second', 'third'])
  })

  it('that was given up is nobody\'s', () => {
    const time = new Time()
    const intake = intakeOf(1_000_000, time)
    const order: string[] = []
    intake.came(1_000_000)
    const giveUp = intake.turn(() => { order.push('gone') })
    intake.turn(() => { order.push('there') })
    giveUp()
    time.run(10_000)
    expect(order).toEqual(['there'])
    expect(intake.came(1)).toBe(true)
  })

  it('is not asked for by what comes a little too fast, unless others wait', () => {
    const time = new Time()
    const intake = intakeOf(1_000_000, time)
    expect(intake.came(65_536 + 20_000)).toBe(true)
    expect(intake.isHolding).toBe(false)
    intake.turn(() => {})
    expect(intake.came(1)).toBe(false)
    expect(intake.isHolding).toBe(true)
    time.run(6_000)
    expect(intake.came(1)).toBe(true)
    expect(intake.isHolding).toBe(false)
  })

  it('comes for some at a time where the limit is high, and for none that has given up meanwhile', () => {
    const time = new Time()
    const intake = intakeOf(100_000_000, time)
    const order: string[] = []
    intake.came(100_000_000)
    intake.turn(() => {
      order.push(`first at ${time.nowMs}`)
      giveUp()
    })
    const giveUp = intake.turn(() => { order.push('gone') })
    intake.turn(() => { order.push(`third at ${time.nowMs}`) })
    time.run(10_000)
    const [first, third] = order
    expect(order).toHaveLength(2)
    expect(third?.replace('third', 'first')).toBe(first)
  })

  it('is awaited where bytes are taken by those who can wait', async () => {
    const time = new Time()
    const intake = intakeOf(1_000_000, time)
    expect(intake.taken(1)).toBeUndefined()
    const turn = intake.taken(1_000_000)
    time.run(2_000)
    await turn
  })
})
