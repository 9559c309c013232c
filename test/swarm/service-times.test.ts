import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Member } from '../../src/swarm/member.ts'
import { OwnershipSeed } from '../../src/swarm/ownership.ts'
import { ServiceTimes } from '../../src/swarm/service-times.ts'

const GUESS_MS = 150

function memberThatTook (id: string, tookMs: number): Member {
  const member = new Member(id, new OwnershipSeed('sha256:times', id), 1, 0)
  member.serviceMs = tookMs
  return member
}

it('goes a tenth of the way to the median at each measure, whoever comes, goes and delivers', () => {
  const step = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), tookMs: fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined }) })
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), steps => {
    const members = new Map<string, Member>()
    const times = new ServiceTimes(members, GUESS_MS)
    let expectedMs = GUESS_MS
    for (const { id, tookMs } of steps) {
      if (tookMs === undefined) members.delete(id)
      else members.set(id, memberThatTook(id, tookMs))
      times.changed()
      for (let measure = 0; measure < 2; measure++) {
        times.measure()
        const median = [...members.values()].map(({ serviceMs }) => serviceMs).sort((a, b) => a - b)[members.size >> 1]
        if (median !== undefined) expectedMs += (median - expectedMs) * 0.1
        expect(times.usualMs).toBeCloseTo(expectedMs, 9)
      }
    }
  }))
})
