import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SimClock } from '../../../scenarios/sim/clock.ts'

function runAll (clock: SimClock): void {
  while (clock.run(Infinity, 1000));
}

describe('virtual time', () => {
  it('runs events by their time, those of one time in the order of their planning, as a sorted list would', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 300 }), times => {
      const clock = new SimClock()
      const ran: Array<readonly [number, number]> = []
      for (const [index, atMs] of times.entries()) clock.at(atMs, () => { ran.push([clock.nowMs, index]) })
      runAll(clock)
      expect(ran).toEqual([...times.entries()].map(([index, atMs]) => [atMs, index] as const).sort(([one, first], [other, second]) => one - other || first - second))
    }))
  })

  it('does so too for what events plan while they run, as a list sorted anew each time would', () => {
    const plans = fc.array(fc.tuple(fc.double({ min: 0, max: 50, noNaN: true }), fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 })), { maxLength: 100 })
    fc.assert(fc.property(plans, first => {
      const clock = new SimClock()
      const ran: number[] = []
      const expected: number[] = []
      const list: Array<{ readonly atMs: number, readonly id: number, readonly next: readonly number[] }> = []
      let ids = 0
      let listIds = 0
      const plan = (atMs: number, next: readonly number[]): void => {
        const id = ids++
        clock.at(atMs, () => {
          ran.push(id)
          for (const delayMs of next) plan(clock.nowMs + delayMs, [])
        })
      }
      for (const [atMs, next] of first) plan(atMs, next)
      for (const [atMs, next] of first) list.push({ atMs, id: listIds++, next })
      while (list.length > 0) {
        list.sort((one, other) => one.atMs - other.atMs || one.id - other.id)
        const { atMs, id, next } = list.shift() as typeof list[number]
        expected.push(id)
        for (const delayMs of next) list.push({ atMs: atMs + delayMs, id: listIds++, next: [] })
      }
      runAll(clock)
      expect(ran).toEqual(expected)
    }))
  })

  it('keeps its order beyond the events it has room for at first', () => {
    const clock = new SimClock()
    let last = -1
    let count = 0
    for (let index = 0; index < 5000; index++) {
      clock.at((index * 7919) % 5003, () => {
        expect(clock.nowMs).toBeGreaterThan(last)
        last = clock.nowMs
        count++
      })
    }
    expect(clock.length).toBe(5000)
    runAll(clock)
    expect([count, clock.length]).toEqual([5000, 0])
  })

  it('never goes back: what is planned for the past is done now', () => {
    const clock = new SimClock()
    const ran: string[] = []
    clock.at(10, () => {
      clock.at(5, () => { ran.push(`late at ${clock.nowMs}`) })
      clock.after(0, () => { ran.push(`now at ${clock.nowMs}`) })
    })
    runAll(clock)
    expect(ran).toEqual(['late at 10', 'now at 10'])
  })

  it('runs nothing after the limit, and no more events than it is told', () => {
    const clock = new SimClock()
    const ran: number[] = []
    for (const atMs of [1, 2, 3, 4]) clock.at(atMs, () => { ran.push(atMs) })
    expect(clock.run(3, 2)).toBe(true)
    expect(ran).toEqual([1, 2])
    expect(clock.run(3, 10)).toBe(false)
    expect(ran).toEqual([1, 2, 3])
    expect([clock.nowMs, clock.length]).toEqual([3, 1])
  })

  it('runs nothing after the event that stops it, at the same time neither', () => {
    const clock = new SimClock()
    const ran: string[] = []
    clock.at(1, () => {
      clock.stop()
      ran.push('stops')
    })
    clock.at(1, () => { ran.push('same time') })
    expect(clock.run(Infinity, 10)).toBe(false)
    expect(ran).toEqual(['stops'])
  })

  it('tells after each event that it has run', () => {
    const clock = new SimClock()
    const seen: string[] = []
    clock.onEvent = () => { seen.push(`after ${clock.nowMs}`) }
    clock.at(1, () => { seen.push('one') })
    clock.at(1, () => { seen.push('other') })
    runAll(clock)
    expect(seen).toEqual(['one', 'after 1', 'other', 'after 1'])
  })
})
