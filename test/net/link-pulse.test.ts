import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LinkPulse } from '../../src/net/link-pulse.ts'

it('pings again and again, whatever comes', () => {
  fc.assert(fc.property(fc.array(fc.boolean(), { minLength: 30, maxLength: 60 }), heard => {
    const pulse = new LinkPulse()
    let pings = 0
    for (const hasHeard of heard) {
      pulse.hasHeard ||= hasHeard
      const due = pulse.beat(0)
      if (due === 'dead') return
      if (due !== undefined) pings++
    }
    expect(pings).toBe(Math.floor(heard.length / 6))
  }))
})

it('takes the other side for dead when nothing comes for four beats after a ping, and never while something does', () => {
  fc.assert(fc.property(fc.nat(100), fc.nat(3), (alive, gap) => {
    const pulse = new LinkPulse()
    for (let beat = 0; beat < alive; beat++) {
      if (beat % (gap + 1) === 0) pulse.hasHeard = true
      expect(pulse.beat(beat)).not.toBe('dead')
    }
    pulse.hasHeard = false
    let beats = 0
    while (pulse.beat(alive) !== 'dead') beats++
    expect(beats).toBeLessThan(12)
    expect(beats).toBeGreaterThanOrEqual(1)
  }))
})

it('knows the least of the latest round trips, and takes no answer to another ping for one', () => {
  const pulse = new LinkPulse()
  expect(pulse.rttMs).toBeUndefined()
  const trip = (atMs: number, tookMs: number): void => { expect(pulse.ponged(pulse.ping(atMs), atMs + tookMs)).toBe(true) }
  for (const [index, tookMs] of [7, 3, 90].entries()) trip(index * 100, tookMs)
  expect(pulse.rttMs).toBeUndefined()
  trip(350, 8)
  expect(pulse.rttMs).toBe(3)
  const old = pulse.ping(390)
  const latest = pulse.ping(400)
  expect(pulse.ponged(old, 401)).toBe(false)
  expect(pulse.ponged(latest, 450)).toBe(true)
  expect(pulse.ponged(latest, 451)).toBe(false)
  for (let round = 0; round < 16; round++) trip(500 + round * 100, 20)
  expect(pulse.rttMs).toBe(20)
})
