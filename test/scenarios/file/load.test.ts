import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configSchema } from '../../../agent/config/schema.ts'
import { loadScenario, parseScenario } from '../../../scenarios/file/load.ts'
import { ScenarioFileError } from '../../../scenarios/file/scenario-file-error.ts'
import { SHORTEST } from './scenario-text.ts'

describe('a scenario file', () => {
  let directory: string
  beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'scenario-')) })
  afterAll(async () => { await rm(directory, { recursive: true }) })

  it('is read, and gives the scenario its name', async () => {
    const file = join(directory, 'small-office.yaml')
    await writeFile(file, SHORTEST)
    expect(await loadScenario(file)).toMatchObject({ name: 'small-office', groups: [{ name: 'hosts', count: 40 }] })
    expect(await loadScenario(file, { set: [['hosts', '7']] })).toMatchObject({ groups: [{ count: 7 }] })
  })

  it('that is not there is refused', async () => {
    const file = join(directory, 'none.yaml')
    await expect(loadScenario(file)).rejects.toThrow(new ScenarioFileError([`${file}: can't be read (ENOENT); expected a readable scenario file`]))
  })
})

it('all that is left out has a value', () => {
  expect(parseScenario('short.yaml', SHORTEST)).toEqual({
    name: 'short',
    description: '',
    seed: 1,
    limitMs: 3_600_000,
    groups: [{ name: 'hosts', count: 40, up: 1e8, down: 1e8, latencyMs: 0.2, loss: 0, zone: undefined, medium: undefined, isLeech: false, churn: undefined, holds: [] }],
    paths: [],
    media: [],
    origin: { up: 1e8, latencyMs: 0.2, hasRanges: true, outages: [], rejectShare: 0, retryAfterMs: 1000 },
    images: [{ name: 'app', layers: [{ name: 'app/1', bytes: 2e8 }, { name: 'app/2', bytes: 2e8 }] }],
    pulls: [{ images: ['app'], groups: ['hosts'], share: 1, parallelLayers: 3, arrival: { type: 'at-once', fromMs: 0, withinMs: 0 } }],
    faults: [],
    agent: { originPolicy: 'balanced', maxMembers: 32, originConcurrency: 4, uploadSlots: 6, uploadLimit: Infinity, downloadLimit: Infinity, isKeyed: false },
    discovery: { neighbours: 20, dhtHops: 3, hopMs: 5 },
    expect: []
  })
})

it('agents are by default what they are without a configuration', () => {
  const { agent } = parseScenario('x', SHORTEST)
  const { originPolicy, maxMembers, originConcurrency, uploadSlots, uploadLimit, downloadLimit, swarmKey } = configSchema.parse({ data: '/x', logFormat: 'text' })
  expect(agent).toEqual({
    originPolicy, maxMembers, originConcurrency, uploadSlots, uploadLimit: uploadLimit ?? Infinity, downloadLimit: downloadLimit ?? Infinity, isKeyed: swarmKey !== undefined
  })
})

it('all that can be said is understood', () => {
  expect(parseScenario('x', `
name: everything
description: |
  One of each.
seed: 4294967295
limit: 10m
groups:
  hosts:
    count: 10
    up: 1Gbit/s
    down: 64MiB/s
    latency: 0.05ms
    loss: 0.1%
    zone: rack-7
    medium: air
    leech: true
    uplink: { up: 10MB/s, latency: 20ms }
    churn: { stay: 10m, away: 30s }
    holds: [base, { image: app, layers: [app/1], share: 50% }]
  desk: { count: 1, up: 0, down: 1MB/s, churn: { stay: 1h } }
media:
  air: { rate: 300Mbit/s }
paths:
  - { from: hosts, to: desk, down: 1MB/s }
  - { from: desk, to: origin, up: 2MB/s, latency: 5ms }
origin: { up: 1GB/s, latency: 0, ranges: false, outages: [{ at: 1m, for: 10s }, { at: 5m }], reject: 0.1, retryAfter: 2s }
images:
  base: [{ name: base, size: 1.5GB }]
  app: { from: base, layers: [2 x 1MB, 5MiB] }
pulls:
  - { images: [app, base], groups: [hosts], share: 0.5, parallelLayers: 1, arrival: { type: poisson, from: 1s, perSecond: 2.5 } }
agent: { originPolicy: frugal, maxMembers: 8, originConcurrency: 1, uploadSlots: 2, uploadLimit: 1MB/s, downloadLimit: 2MB/s, keyed: true }
discovery: { neighbours: 0, dhtHops: 5, hop: 0 }
expect: [origin.bytes <= 2 x image]
`)).toEqual({
    name: 'everything',
    description: 'One of each.',
    seed: 2 ** 32 - 1,
    limitMs: 600_000,
    groups: [
      {
        name: 'hosts',
        count: 10,
        up: 125e6,
        down: 64 * 2 ** 20,
        latencyMs: 0.05,
        loss: 0.001,
        zone: 'rack-7',
        medium: 'air',
        isLeech: true,
        churn: { meanUpMs: 600_000, meanDownMs: 30_000 },
        holds: [{ image: 'base', layers: undefined, share: 1 }, { image: 'app', layers: ['app/1'], share: 0.5 }]
      },
      { name: 'desk', count: 1, up: 0, down: 1e6, latencyMs: 0.2, loss: 0, zone: undefined, medium: undefined, isLeech: false, churn: { meanUpMs: 3_600_000, meanDownMs: Infinity }, holds: [] }
    ],
    paths: [
      { from: 'hosts', to: undefined, up: 1e7, down: Infinity, latencyMs: 20 },
      { from: 'hosts', to: 'desk', up: Infinity, down: 1e6, latencyMs: 0 },
      { from: 'desk', to: 'origin', up: 2e6, down: Infinity, latencyMs: 5 }
    ],
    media: [{ name: 'air', rate: 37.5e6 }],
    origin: { up: 1e9, latencyMs: 0, hasRanges: false, outages: [{ fromMs: 60_000, toMs: 70_000 }, { fromMs: 300_000, toMs: Infinity }], rejectShare: 0.1, retryAfterMs: 2000 },
    images: [
      { name: 'base', layers: [{ name: 'base', bytes: 1.5e9 }] },
      { name: 'app', layers: [{ name: 'base', bytes: 1.5e9 }, { name: 'app/1', bytes: 1e6 }, { name: 'app/2', bytes: 1e6 }, { name: 'app/3', bytes: 5 * 2 ** 20 }] }
    ],
    pulls: [{ images: ['app', 'base'], groups: ['hosts'], share: 0.5, parallelLayers: 1, arrival: { type: 'poisson', fromMs: 1000, perSecond: 2.5 } }],
    faults: [],
    agent: { originPolicy: 'frugal', maxMembers: 8, originConcurrency: 1, uploadSlots: 2, uploadLimit: 1e6, downloadLimit: 2e6, isKeyed: true },
    discovery: { neighbours: 0, dhtHops: 5, hopMs: 0 },
    expect: [{ text: 'origin.bytes <= 2 x image', figure: 'origin.bytes', comparison: '<=', value: 2, of: 'image' }]
  })
})
