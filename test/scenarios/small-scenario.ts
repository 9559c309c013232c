import type { Scenario } from '../../scenarios/scenario.ts'

const MB = 1_000_000

/** Hosts of one group that pull one image at once; what a test is about it says itself. */
export function smallScenario (changes: Partial<Scenario> = {}, { hosts = 3 }: { hosts?: number } = {}): Scenario {
  return {
    name: 'small',
    description: '',
    seed: 1,
    limitMs: 600_000,
    groups: [{ name: 'rack', count: hosts, up: 10 * MB, down: 10 * MB, latencyMs: 1, loss: 0, zone: undefined, medium: undefined, isLeech: false, churn: undefined, holds: [] }],
    paths: [],
    media: [],
    origin: { up: 10 * MB, latencyMs: 1, hasRanges: true, outages: [], rejectShare: 0, retryAfterMs: 1000 },
    images: [{ name: 'app', layers: [{ name: 'base', bytes: 4 * MB }] }],
    pulls: [{ images: ['app'], groups: ['rack'], share: 1, parallelLayers: 3, arrival: { type: 'at-once', fromMs: 0, withinMs: 0 } }],
    faults: [],
    agent: { originPolicy: 'balanced', maxMembers: 32, originConcurrency: 4, uploadSlots: 6, uploadLimit: Infinity, downloadLimit: Infinity, isKeyed: false },
    discovery: { neighbours: 20, dhtHops: 3, hopMs: 5 },
    expect: [],
    ...changes
  }
}
