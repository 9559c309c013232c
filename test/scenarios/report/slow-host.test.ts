import { describe, expect, it } from 'vitest'
import { rankSlowest, reasonOf, timeOf } from '../../../scenarios/report/slow-host.ts'
import { smallScenario } from '../small-scenario.ts'
import type { HostResult } from '../../../scenarios/result.ts'

const RUN = { durationMs: 20_000, scenario: smallScenario() }

function host (changes: Partial<HostResult> = {}): HostResult {
  return { name: 'rack-1', group: 'rack', startedMs: 0, doneMs: 10_000, outcome: 'done', fault: null, fromOrigin: 0, fromMembers: 95e6, given: 0, waits: {}, ...changes }
}

describe('why a host was slow', () => {
  it.each<[Partial<HostResult>, string]>([
    [{}, 'its own link of 10.0 MB/s was full'],
    [{ fromMembers: 40e6 }, 'hardly waited, but got 4.00 MB/s where its link carries 10.0 MB/s'],
    [{ waits: { members: 500, discovery: 3000, verify: 10 } }, 'looked for others that pull the same image for 3.00 s; waited for others to have, or to send, what it lacked for 500 ms'],
    [{ fault: 'stall', waits: { owner: 400 } }, 'it stalled; waited for the host whose turn it was to ask the origin for 400 ms'],
    [{ fromMembers: 0, doneMs: 0 }, 'it received nothing']
  ])('%j: %s', (changes, reason) => {
    expect(reasonOf(host(changes), RUN)).toBe(reason)
  })
})

it('those that are not done come before the slowest; idle hosts and those that went away are left out', () => {
  const hosts = [
    host({ name: 'quick', doneMs: 1000 }),
    host({ name: 'late', startedMs: 8000, doneMs: 10_000 }),
    host({ name: 'idle', outcome: 'idle', startedMs: null, doneMs: null }),
    host({ name: 'left', outcome: 'left', doneMs: null }),
    host({ name: 'pending', outcome: 'pending', doneMs: null }),
    host({ name: 'slow' })
  ]
  expect(rankSlowest(hosts).map(({ name }) => name)).toEqual(['pending', 'slow', 'late', 'quick'])
})

it('its time is told from its own start', () => {
  expect(timeOf(host({ startedMs: 4000 }), 20_000)).toBe('6.00 s')
  expect(timeOf(host({ startedMs: 4000, doneMs: null, outcome: 'pending' }), 20_000)).toBe('not done after 16.00 s')
  expect(timeOf(host({ doneMs: null, outcome: 'failed' }), 20_000)).toBe('gave up')
})
