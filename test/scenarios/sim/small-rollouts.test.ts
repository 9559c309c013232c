import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { smallScenario } from '../small-scenario.ts'
import { simRun, timeOf, toldOf } from './sim-run.ts'
import type { Arrival, FaultSpec, HostGroup, Scenario } from '../../../scenarios/scenario.ts'

const MB = 1e6
const MANIFEST_BYTES = 8192

const rates = fc.constantFrom(1 * MB, 5 * MB, 20 * MB)
const groups: fc.Arbitrary<HostGroup> = fc.record({
  name: fc.constant('rack'),
  count: fc.integer({ min: 1, max: 6 }),
  up: rates,
  down: rates,
  latencyMs: fc.constantFrom(0.2, 5, 40),
  loss: fc.constantFrom(0, 0, 0.001),
  zone: fc.constantFrom(undefined, 'a'),
  medium: fc.constant(undefined),
  isLeech: fc.constantFrom(false, false, false, true),
  churn: fc.option(fc.record({ meanUpMs: fc.constant(4000), meanDownMs: fc.constant(1000) }), { nil: undefined, freq: 3 }),
  holds: fc.constant([])
})
const arrivals: fc.Arbitrary<Arrival> = fc.oneof(
  fc.record({ type: fc.constant('at-once' as const), fromMs: fc.constant(0), withinMs: fc.constantFrom(0, 3000) }),
  fc.record({ type: fc.constant('uniform' as const), fromMs: fc.constant(500), overMs: fc.constant(4000) }),
  fc.record({ type: fc.constant('rolling' as const), fromMs: fc.constant(0), maxUnavailable: fc.integer({ min: 1, max: 3 }) })
)
/** Of the hosts that pull; the holder is sound. */
const faults: fc.Arbitrary<FaultSpec> = fc.record({
  type: fc.constantFrom('kill' as const, 'restart' as const, 'slow' as const, 'stall' as const, 'partition' as const, 'dht-loss' as const),
  groups: fc.constant(['rack']),
  hosts: fc.integer({ min: 1, max: 3 }),
  fromMs: fc.constantFrom(0, 400, 1500),
  untilMs: fc.constant(2000),
  forMs: fc.constantFrom(300, 4000),
  factor: fc.constant(0.2)
})
const sources = fc.constantFrom('origin' as const, 'holder' as const, 'both' as const)

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat({ max: 1000 }),
  group: groups,
  arrival: arrivals,
  faults: fc.array(faults, { maxLength: 3 }),
  layers: fc.array(fc.constantFrom(1, 100_000, 1 * MB, 3 * MB + 1), { minLength: 1, maxLength: 4 }),
  parallelLayers: fc.integer({ min: 1, max: 3 }),
  source: sources,
  hasRanges: fc.constantFrom(true, true, false),
  isKeyed: fc.boolean(),
  neighbours: fc.constantFrom(1, 20)
}).map(({ seed, group, arrival, faults, layers, parallelLayers, source, hasRanges, isKeyed, neighbours }) => {
  const small = smallScenario()
  const holder: HostGroup = { ...group, name: 'desk', count: 1, churn: undefined, isLeech: false, holds: [{ image: 'app', layers: undefined, share: 1 }] }
  return {
    ...small,
    seed,
    limitMs: 3_600_000,
    groups: source === 'origin' ? [group] : [group, holder],
    origin: source === 'holder' ? undefined : { up: 10 * MB, latencyMs: 1, hasRanges, outages: [], rejectShare: 0, retryAfterMs: 1000 },
    images: [{ name: 'app', layers: layers.map((bytes, index) => ({ name: `layer-${index}`, bytes })) }],
    pulls: [{ images: ['app'], groups: ['rack'], share: 1, parallelLayers, arrival }],
    faults,
    agent: { ...small.agent, isKeyed },
    // without a registry, hosts that know only each other give up before they ask the DHT
    discovery: { ...small.discovery, neighbours: source === 'holder' ? 20 : neighbours }
  }
})

describe('any small rollout', () => {
  it('ends with every sound host done, each byte there once and accounted for, and nothing told afterwards', async () => {
    await fc.assert(fc.asyncProperty(scenarios, async scenario => {
      const run = await simRun(scenario)
      const { figures, hosts } = run.result
      const imageBytes = MANIFEST_BYTES + run.result.imageBytes
      const pullers = hosts.filter(({ group }) => group === 'rack')
      for (const { name, fault, outcome, fromMembers, fromOrigin } of pullers) {
        if (fault === 'kill') continue
        expect(outcome, name).toBe('done')
        expect(fromMembers + fromOrigin, name).toBe(imageBytes)
      }
      const isHeld = scenario.groups.length > 1
      if (!isHeld && pullers.some(({ outcome }) => outcome === 'done')) expect(figures['origin.bytes']).toBeGreaterThanOrEqual(imageBytes)
      // what a host had was sent by somebody
      const received = hosts.reduce((sum, { fromMembers }) => sum + fromMembers, 0)
      expect(hosts.reduce((sum, { given }) => sum + given, 0)).toBeGreaterThanOrEqual(received)
      expect(figures['origin.bytes']).toBeGreaterThanOrEqual(hosts.reduce((sum, { fromOrigin }) => sum + fromOrigin, 0))
      for (const { name, given } of hosts) if (scenario.groups[0]?.isLeech === true && name.startsWith('rack')) expect(given).toBe(0)
      const last = run.told.reduce((atMs, told) => Math.max(atMs, timeOf(told) ?? 0), 0)
      expect(last).toBeLessThanOrEqual(run.end.durationMs)
      expect(toldOf(run, 'wrong')).toEqual([])
    }), { numRuns: 100 })
  })
})
