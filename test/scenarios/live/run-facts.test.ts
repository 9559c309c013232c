import { beforeEach, describe, expect, it } from 'vitest'
import { planOf } from '../../../scenarios/plan.ts'
import { RunFacts } from '../../../scenarios/live/run-facts.ts'
import type { ObserverCall } from '../../../scenarios/live/chronicle.ts'
import type { LiveHost } from '../../../scenarios/live/live-host.ts'
import { digestOf, shortDigest } from '../../../src/oci/digest.ts'
import { smallScenario } from '../small-scenario.ts'

const LAYER = { name: 'base', bytes: 4_000_000, seed: '1 base', digest: digestOf(Buffer.from('base')) }
const [rack] = smallScenario().groups
if (rack === undefined) throw new Error('the small scenario has a group')
const plan = planOf(smallScenario({
  groups: [{ ...rack, count: 2, zone: 'one' }, { ...rack, name: 'far', count: 1, zone: 'two' }, { ...rack, name: 'bad', count: 1 }],
  faults: [{ type: 'lie', groups: ['bad'], hosts: 1, fromMs: 0, untilMs: 0, forMs: Infinity, factor: 1 }],
  pulls: [{ images: ['app'], groups: ['rack'], share: 1, parallelLayers: 3, arrival: { type: 'at-once', fromMs: 0, withinMs: 0 } }]
}))

describe('facts of a live run', () => {
  let hosts: readonly LiveHost[]
  let facts: RunFacts
  let startedAt: number

  beforeEach(() => {
    hosts = plan.hosts.map(planned => ({ planned, agent: { peerId: `peer of ${planned.name}` } }) as unknown as LiveHost)
    startedAt = Date.now() - 60_000
    facts = new RunFacts(hosts, [LAYER], startedAt)
  })

  function host (place: number): LiveHost {
    return hosts[place] as LiveHost
  }

  function log (place: number, msg: string, atMs: number, fields: Readonly<Record<string, unknown>>): void {
    facts.logged(host(place), { time: new Date(startedAt + atMs).toISOString(), msg, ...fields })
  }

  function calls (): ObserverCall[] {
    return facts.chronicle.take(Infinity).filter(([name]) => name !== 'waited')
  }

  it('are what came, from whom, and who gave it', () => {
    log(0, 'fetch:received', 100, { digest: shortDigest(LAYER.digest), source: 'origin', bytes: 10 })
    log(0, 'fetch:received', 200, { digest: shortDigest(LAYER.digest), source: 'peer:peer of rack-2', bytes: 20 })
    expect(calls()).toEqual([['received', 'rack-1', 'origin', 10, 100], ['received', 'rack-1', 'member', 20, 200], ['gave', 'rack-2', 20, 200]])
    expect(facts.progress).toMatchObject({ hosts: 2, bytes: 30, bytesInAll: 8_000_000 })
  })

  it('say what came from another zone', () => {
    log(0, 'fetch:received', 100, { digest: shortDigest(LAYER.digest), source: 'peer:peer of far-1', bytes: 20 })
    expect(calls()).toContainEqual(['crossedBorder', 20])
  })

  it('leave out what is no layer of the run, and what was before it', () => {
    log(0, 'fetch:received', 100, { digest: 'manifest', source: 'origin', bytes: 10 })
    log(0, 'fetch:received', -5, { digest: shortDigest(LAYER.digest), source: 'origin', bytes: 10 })
    facts.fronted({ type: 'sent', atMs: startedAt - 5, bytes: 10 })
    expect(calls()).toEqual([])
  })

  it('count what comes beyond a whole layer as in vain', () => {
    log(0, 'fetch:received', 100, { digest: shortDigest(LAYER.digest), source: 'origin', bytes: 3_999_999 })
    log(0, 'fetch:received', 200, { digest: shortDigest(LAYER.digest), source: 'origin', bytes: 5 })
    expect(calls()).toEqual([['received', 'rack-1', 'origin', 3_999_999, 100], ['received', 'rack-1', 'origin', 1, 200], ['inVain', 'rack-1', 4, 200]])
  })

  it('know liars and who bans them by name', () => {
    log(0, 'fetch:received', 100, { digest: shortDigest(LAYER.digest), source: 'peer:peer of bad-1', bytes: 20 })
    log(0, 'peer:banned', 200, { peer: 'peer of bad-1', reason: 'signed a wrong hash' })
    log(0, 'peer:banned', 300, { peer: 'a stranger', reason: 'signed a wrong hash' })
    expect(calls()).toEqual([['lied', 'bad-1', 'rack-1', 100], ['inVain', 'rack-1', 20, 100], ['gave', 'bad-1', 20, 100], ['banned', 'bad-1', 'rack-1', 200]])
  })

  it('count what the registry sent and answered, and tell of its first refusal', () => {
    facts.fronted({ type: 'sent', atMs: startedAt + 10, bytes: 70 })
    facts.fronted({ type: 'answered', atMs: startedAt + 20, bytes: 70 })
    for (const atMs of [30, 40]) facts.fronted({ type: 'rejected', atMs: startedAt + atMs })
    const told = calls()
    expect(told.filter(([name]) => name !== 'event')).toEqual([['originSent', 70, 10], ['originAnswered', 70, 20], ['originAnswered', 0, 30], ['originAnswered', 0, 40]])
    expect(told.filter(([name]) => name === 'event')).toHaveLength(1)
    expect(facts.progress.originBytes).toBe(70)
  })
})
