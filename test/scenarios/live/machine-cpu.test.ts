import { describe, expect, it } from 'vitest'
import { busyShare, parseMachineTicks } from '../../../scenarios/live/machine-cpu.ts'

describe('processor time of the machine', () => {
  it('is the sum of all kinds but those that are counted twice', () => {
    expect(parseMachineTicks('cpu  10 1 20 60 5 1 2 1 7 0\ncpu0 1 2 3\n')).toEqual({ total: 100, idle: 65, stolen: 1 })
  })

  it('is busy where it does not idle', () => {
    expect(busyShare({ total: 100, idle: 65, stolen: 0 }, { total: 300, idle: 115, stolen: 0 })).toBe(0.75)
  })
})
