import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HostProgress } from '../../../scenarios/recording/host-progress.ts'
import { StepSums } from '../../../scenarios/recording/step-sums.ts'
import { MAX_STEPS, TimeSteps } from '../../../scenarios/recording/time-steps.ts'

const anyTime = fc.double({ min: 0, max: 1e7, noNaN: true })

describe('steps of time', () => {
  it('begin at ten milliseconds and double as the run goes on', () => {
    let merges = 0
    const steps = new TimeSteps()
    steps.onDoubled(() => { merges++ })
    expect([0, 5, 10, 10.1, 20].map(at => steps.at(at))).toEqual([0, 0, 0, 1, 1])
    expect(steps.at(2400)).toBe(MAX_STEPS - 1)
    expect([steps.stepMs, merges]).toEqual([10, 0])
    expect(steps.at(2401)).toBe(120)
    expect([steps.stepMs, merges]).toEqual([20, 1])
    expect(steps.at(100_000)).toBeLessThan(MAX_STEPS)
    expect([steps.stepMs, merges]).toEqual([640, 6])
  })

  it('are at least half as many as there may be, once they have doubled', () => {
    fc.assert(fc.property(fc.double({ min: 2401, max: 1e7, noNaN: true }), atMs => {
      const last = new TimeSteps().at(atMs)
      expect(last).toBeGreaterThanOrEqual(MAX_STEPS / 2)
      expect(last).toBeLessThan(MAX_STEPS)
    }))
  })
})

describe('sums by step', () => {
  it('lose nothing and move nothing beyond its step, however often steps double', () => {
    fc.assert(fc.property(fc.array(fc.record({ atMs: anyTime, bytes: fc.nat(1e6) }), { minLength: 1, maxLength: 60 }), additions => {
      additions.sort((a, b) => a.atMs - b.atMs)
      const times = new TimeSteps()
      const sums = new StepSums(['bytes'], times)
      for (const { atMs, bytes } of additions) sums.add('bytes', bytes, atMs)
      const endMs = additions.at(-1)?.atMs ?? 0
      const steps = sums.sums('bytes', endMs)
      steps.forEach((sum, step) => {
        const inStep = additions.filter(({ atMs }) => Math.max(0, Math.ceil(atMs / times.stepMs) - 1) === step)
        expect(sum).toBe(inStep.reduce((total, { bytes }) => total + bytes, 0))
      })
      expect(steps.reduce((total, sum) => total + sum, 0)).toBe(additions.reduce((total, { bytes }) => total + bytes, 0))
    }))
  })

  it('reach to the end of the run, past the last of what was added', () => {
    const sums = new StepSums(['bytes'], new TimeSteps())
    sums.add('bytes', 7, 12)
    expect(sums.sums('bytes', 50)).toEqual([0, 7, 0, 0, 0])
  })
})

describe('progress of hosts', () => {
  it('stays where it was until the host has more, and is whole only at the whole', () => {
    const progress = new HostProgress(2, new TimeSteps())
    progress.reach(1, 0.25, 15)
    progress.reach(1, 0.999, 35)
    expect(progress.row(1, 60)).toEqual([0, 25, 25, 99, 99, 99])
    progress.reach(1, 1, 45)
    expect(progress.row(1, 60)).toEqual([0, 25, 25, 99, 100, 100])
    expect(progress.row(0, 60)).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('keeps each host by itself when steps double', () => {
    const progress = new HostProgress(3, new TimeSteps())
    for (const host of [0, 1, 2]) progress.reach(host, 0.1 * (host + 1), 30)
    for (const host of [0, 1, 2]) progress.reach(host, 0.5 + 0.1 * host, 5000)
    const rows = [0, 1, 2].map(host => progress.row(host, 10_000))
    expect(rows.map(row => [row[0], row[1], row.at(-1)])).toEqual([[10, 10, 50], [20, 20, 60], [30, 30, 70]])
    expect(rows.map(row => row.length)).toEqual([125, 125, 125])
  })
})
