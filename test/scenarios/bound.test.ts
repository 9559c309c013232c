import { describe, expect, it } from 'vitest'
import { boundOf } from '../../scenarios/bound.ts'
import { equalLinksMs } from '../../scenarios/bound/equal-links.ts'
import { smallScenario } from './small-scenario.ts'
import type { Arrival, FaultSpec, HostGroup, OriginSpec, Scenario } from '../../scenarios/scenario.ts'

const MB = 1e6
const GB = 1e9
const MIB = 1024 * 1024

const [RACK] = smallScenario().groups as [HostGroup]
const ORIGIN = smallScenario().origin as OriginSpec

/** Hosts of 10 MB/s, the origin too, and one layer of 64 MiB: 128 pieces of half a MiB, 6.71 s for one transfer. */
function scenario (changes: Partial<Scenario> = {}, group: Partial<HostGroup> = {}): Scenario {
  return smallScenario({ groups: [{ ...RACK, ...group }], images: [{ name: 'app', layers: [{ name: 'base', bytes: 64 * MIB }] }], ...changes })
}

function pull (arrival: Arrival, groups = ['rack']): Scenario['pulls'] {
  return [{ images: ['app'], groups, share: 1, parallelLayers: 3, arrival }]
}

function fault (type: FaultSpec['type'], hosts: number): FaultSpec {
  return { type, groups: ['rack'], hosts, fromMs: 0, untilMs: 0, forMs: Infinity, factor: 1 }
}

const ONE_MS = 64 * MIB / (10 * MB) * 1000

describe('T* of equal hosts that start cold at once', () => {
  it('is 10.08 s in the published setting of Kraken', () => {
    const kraken = scenario({
      images: [{ name: 'app', layers: [{ name: 'a', bytes: 1.5 * GB }, { name: 'b', bytes: 1.5 * GB }] }],
      origin: { ...ORIGIN, up: 300 * MB }
    }, { count: 2600, up: 300 * MB, down: 300 * MB })
    // 716 pieces of 2 MiB in each layer: 10 s × (1 + 11/1432)
    expect(boundOf(kraken)).toEqual({
      ms: 10_076.816,
      because: 'the origin has to send 3.00 GB once at 300 MB/s, and those that have its last piece of 2.09 MB have to double 11 times to be 2,600 hosts'
    })
  })

  it.each([
    [1, 1],
    [2, 1 + 1 / 128],
    [3, 1 + 1 / 128],
    [16, 1 + 4 / 128],
    [1000, 1 + 9 / 128]
  ])('of %d hosts is %d transfers', (count, transfers) => {
    expect(boundOf(scenario({}, { count })).ms).toBeCloseTo(ONE_MS * transfers, 2)
    expect(equalLinksMs({ bytes: 64 * MIB, pieces: 128, hosts: count, bytesPerSecond: 10 * MB })).toBeCloseTo(ONE_MS * transfers, 2)
  })

  it('does not count those that are killed, or are liars', () => {
    expect(boundOf(scenario({ faults: [fault('kill', 4), fault('lie', 5)] }, { count: 16 })).ms).toBeCloseTo(ONE_MS * (1 + 2 / 128), 2)
  })
})

it('of hosts that all may leave for good is that of one of them', () => {
  expect(boundOf(scenario({}, { count: 16, churn: { meanUpMs: 1000, meanDownMs: Infinity } }))).toEqual({
    ms: expect.closeTo(ONE_MS, 2) as number,
    because: 'the origin has to send 67.1 MB once at 10.0 MB/s; every host may leave before it is done, so this is for one that does not'
  })
  expect(boundOf(scenario({}, { count: 16, churn: { meanUpMs: 1000, meanDownMs: 1000 } })).ms).toBeCloseTo(ONE_MS * (1 + 4 / 128), 2)
})

describe('unequal links', () => {
  it.each([
    // the origin needs 13.42 s to send it once, and doublings go on at the pace of hosts
    ['the origin is slow', scenario({ origin: { ...ORIGIN, up: 5 * MB } }, { count: 16 }), 2 * ONE_MS + 4 / 128 * ONE_MS, 'the origin has to send 67.1 MB once at 5.00 MB/s'],
    ['downlinks are slow', scenario({}, { count: 16, down: 4 * MB }), 2.5 * ONE_MS, 'a host of rack has to receive 67.1 MB at 4.00 MB/s'],
    ['agents limit what they download', scenario({ agent: { ...smallScenario().agent, downloadLimit: 2 * MB } }, { count: 16 }), 5 * ONE_MS, 'at 2.00 MB/s'],
    // 100 × F over 10 + 100 × 2 MB/s
    ['uplinks are slow', scenario({}, { count: 100, up: 2 * MB }), 100 * 64 * MIB / (210 * MB) * 1000, 'all uplinks together have to send 6.71 GB'],
    // only the origin gives: 10 × F over 10 MB/s
    ['hosts give nothing', scenario({}, { count: 10, isLeech: true }), 10 * ONE_MS, 'all uplinks together'],
    ['agents limit what they upload', scenario({ agent: { ...smallScenario().agent, uploadLimit: 0 } }, { count: 10 }), 10 * ONE_MS, 'all uplinks together']
  ])('bind when %s', (_, one, ms, because) => {
    const bound = boundOf(one)
    expect(bound.ms).toBeCloseTo(ms, 2)
    expect(bound.because).toContain(because)
  })
})

describe('what is held before', () => {
  it('need not come from the origin: two layers, of which all hold one', () => {
    const layers = [{ name: 'base', bytes: 32 * MIB }, { name: 'top', bytes: 32 * MIB }]
    const held = scenario({ images: [{ name: 'app', layers }] }, { count: 16, holds: [{ image: 'app', layers: ['base'], share: 1 }] })
    // 128 pieces of 256 KiB
    expect(boundOf(held).ms).toBeCloseTo(ONE_MS / 2 * (1 + 4 / 128), 2)
  })

  it('makes a rollout without an origin possible', () => {
    const seeders: HostGroup = { ...RACK, name: 'seed', count: 2, up: 20 * MB, holds: [{ image: 'app', layers: undefined, share: 1 }] }
    const one = scenario({ origin: undefined, groups: [{ ...RACK, count: 100, up: 1 * MB }, seeders] })
    // 100 × F over 2 × 20 + 100 × 1 MB/s
    expect(boundOf(one).ms).toBeCloseTo(100 * 64 * MIB / (140 * MB) * 1000, 2)
  })

  it('by nobody, and no origin: never', () => {
    expect(boundOf(scenario({ origin: undefined }))).toEqual({ ms: Infinity, because: 'nobody holds base, and there is no origin' })
  })

  it('by all: nothing has to happen', () => {
    expect(boundOf(scenario({}, { holds: [{ image: 'app', layers: undefined, share: 1 }] }))).toEqual({ ms: 0, because: 'no host that has to be done lacks anything' })
  })
})

describe('the origin\'s outages', () => {
  it('are time in which it sends nothing, from the first start on', () => {
    const outages = [{ fromMs: 3000, toMs: 13_000 }]
    const one = scenario({ origin: { ...ORIGIN, outages }, pulls: pull({ type: 'at-once', fromMs: 2000, withinMs: 0 }) }, { count: 1 })
    expect(boundOf(one)).toEqual({ ms: expect.closeTo(ONE_MS + 10_000, 2) as number, because: 'the origin has to send 67.1 MB once at 10.0 MB/s, outages not counted' })
  })
})

describe('arrivals', () => {
  it('over time: the last one still has to receive all', () => {
    const one = scenario({ pulls: pull({ type: 'uniform', fromMs: 5000, overMs: 60_000 }) }, { count: 3 })
    expect(boundOf(one)).toEqual({ ms: expect.closeTo(40_000 + ONE_MS, 2) as number, because: 'a host of rack has to receive 67.1 MB at 10.0 MB/s, and it starts 40.00 s after the first' })
  })

  it('rolling: rounds of so many at a time', () => {
    const one = scenario({ pulls: pull({ type: 'rolling', fromMs: 1000, maxUnavailable: 4 }) }, { count: 10 })
    expect(boundOf(one).ms).toBeCloseTo(3 * ONE_MS, 2)
  })

  it('a host that has not begun gives nothing', () => {
    // two leechers' worth of bytes: the origin alone for 100 s, then also the second host
    const one = scenario({ origin: { ...ORIGIN, up: 0.5 * MB }, pulls: pull({ type: 'waves', fromMs: 0, hosts: 1, everyMs: 100_000 }) }, { count: 2, up: 0.1 * MB })
    // 2 F = 0.6 T + 0.1 (T - 100 s), T in seconds and MB
    expect(boundOf(one).ms).toBeCloseTo((2 * 64 * MIB / MB + 10) / 0.7 * 1000, 0)
  })
})

describe('a group behind a thin border', () => {
  const site: HostGroup = { ...RACK, name: 'site', count: 8 }

  it('gets once over it what none of its hosts holds', () => {
    const one = scenario({ groups: [site], pulls: pull({ type: 'at-once', fromMs: 0, withinMs: 0 }, ['site']), paths: [{ from: 'site', to: undefined, up: MB, down: 2 * MB, latencyMs: 0 }] })
    expect(boundOf(one)).toEqual({ ms: expect.closeTo(5 * ONE_MS, 2) as number, because: '67.1 MB have to come to site once at 2.00 MB/s' })
  })

  it('needs it for all when its hosts give nothing', () => {
    const one = scenario({ groups: [{ ...site, isLeech: true }], pulls: pull({ type: 'at-once', fromMs: 0, withinMs: 0 }, ['site']), paths: [{ from: 'site', to: undefined, up: MB, down: 5 * MB, latencyMs: 0 }] })
    expect(boundOf(one).ms).toBeCloseTo(16 * ONE_MS, 2)
  })

  it('is not bound by it while there is a way around', () => {
    const one = scenario({ groups: [site, RACK], pulls: pull({ type: 'at-once', fromMs: 0, withinMs: 0 }, ['site', 'rack']), paths: [{ from: 'site', to: 'origin', up: MB, down: MB, latencyMs: 0 }] })
    expect(boundOf(one).ms).toBeLessThan(2 * ONE_MS)
  })
})

describe('a shared medium', () => {
  const hall: HostGroup = { ...RACK, count: 20, up: 20 * MB, down: 20 * MB, medium: 'air' }

  it('is taken once for each byte that a wired host sends', () => {
    const one = scenario({ groups: [hall], media: [{ name: 'air', rate: 40 * MB }], origin: { ...ORIGIN, up: 1000 * MB } })
    expect(boundOf(one)).toEqual({ ms: expect.closeTo(20 * 64 * MIB / (40 * MB) * 1000, 2) as number, because: '20 hosts have to receive 1.34 GB over air, which all share at 40.0 MB/s' })
  })

  it('is taken twice for each byte that a wireless host sends', () => {
    const one = scenario({ groups: [hall], media: [{ name: 'air', rate: 40 * MB }] })
    // 2 × 20 F over 40 + 10 MB/s
    expect(boundOf(one)).toEqual({ ms: expect.closeTo(2 * 20 * 64 * MIB / (50 * MB) * 1000, 2) as number, because: expect.stringContaining('passes it twice') as string })
  })

  it('is no faster for one host than for all', () => {
    const one = scenario({ groups: [{ ...hall, count: 1, down: 1000 * MB }], media: [{ name: 'air', rate: 8 * MB }] })
    expect(boundOf(one).ms).toBeCloseTo(ONE_MS * 10 / 8, 2)
  })
})
