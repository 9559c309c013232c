import { describe, expect, it } from 'vitest'
import { Lies } from '../../../scenarios/recording/lies.ts'

describe('the liars that were banned', () => {
  it('are those that all who had a wrong piece of them have banned', () => {
    const lies = new Lies(5)
    lies.lied(0, 1)
    lies.lied(0, 2)
    lies.lied(4, 3)
    expect(lies.bannedShare()).toBe(0)
    lies.banned(0, 1)
    lies.banned(4, 3)
    expect(lies.bannedShare()).toBe(0.5)
    lies.banned(0, 2)
    expect(lies.bannedShare()).toBe(1)
  })

  it('are also those banned before their wrong piece came', () => {
    const lies = new Lies(3)
    lies.banned(0, 1)
    expect(lies.bannedShare()).toBeNull()
    lies.lied(0, 1)
    expect(lies.bannedShare()).toBe(1)
  })

  it('are told once each', () => {
    const lies = new Lies(3)
    expect([lies.lied(0, 1), lies.lied(0, 2), lies.banned(0, 2), lies.banned(0, 1), lies.lied(2, 1)]).toEqual([true, false, true, false, true])
  })
})
