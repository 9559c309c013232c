import { describe, expect, it } from 'vitest'
import { planOf } from '../../../scenarios/plan.ts'
import { parseScenario } from '../../../scenarios/file/load.ts'
import { FOUR_HOSTS, simRun, timeOf, toldOf } from './sim-run.ts'
import type { RunProgress } from '../../../scenarios/result.ts'

/** All that may go wrong by chance. */
const ROUGH = `
limit: 10m
groups:
  a: { count: 10, up: 10MB/s, down: 10MB/s, loss: 0.1%, churn: { stay: 5s, away: 1s } }
  b: { count: 10, up: 10MB/s, down: 10MB/s, latency: 5ms, uplink: { up: 20MB/s, down: 20MB/s } }
origin: { up: 10MB/s, reject: 10% }
images: { app: [5MB, 10MB] }
pulls: [{ arrival: { type: poisson, perSecond: 10 } }]
faults:
  - { type: kill, hosts: 2, at: [1s, 3s] }
  - { type: restart, hosts: 2, at: [1s, 3s], for: 1s }
  - { type: lie, hosts: 2 }
  - { type: dht-loss, share: 50%, at: 0 }
`

describe('a simulation', () => {
  it('tells the same facts in the same order each time, and others with another seed', async () => {
    const [one, again, other] = [await simRun(ROUGH), await simRun(ROUGH), await simRun(`${ROUGH}seed: 2`)]
    expect(one.told.length).toBeGreaterThan(5000)
    expect(JSON.stringify(again.told) === JSON.stringify(one.told)).toBe(true)
    expect(JSON.stringify(again.result)).toBe(JSON.stringify(one.result))
    expect(JSON.stringify(other.told) === JSON.stringify(one.told)).toBe(false)
  })

  it('tells times that never go back, and nothing after its end', async () => {
    for (const yaml of [FOUR_HOSTS, ROUGH, `${FOUR_HOSTS}faults: [{ type: lie, hosts: 1 }]`]) {
      const run = await simRun(yaml)
      let lastMs = 0
      for (const told of run.told) {
        const atMs = timeOf(told) ?? lastMs
        expect(atMs).toBeGreaterThanOrEqual(lastMs)
        lastMs = atMs
      }
      expect(lastMs).toBeLessThanOrEqual(run.end.durationMs)
      expect(run.end.isPartial).toBe(false)
    }
  })

  it('ends with the last host that is waited for, not with the liars', async () => {
    const run = await simRun(`${FOUR_HOSTS}faults: [{ type: lie, hosts: 1 }]`)
    const liar = run.result.hosts.find(({ fault }) => fault === 'lie')?.name
    expect(run.end.durationMs).toBe(Math.max(...toldOf(run, 'done').filter(([host]) => host !== liar).map(([, atMs]) => atMs)))
  })

  it('ends at its limit with what has happened', async () => {
    const run = await simRun(FOUR_HOSTS.replace('limit: 10m', 'limit: 1s'))
    expect(run.end).toMatchObject({ isPartial: false })
    expect(run.end.durationMs).toBeLessThanOrEqual(1000)
    expect(run.end.durationMs).toBeGreaterThan(900)
    expect(run.result.hosts.map(({ outcome }) => outcome)).toEqual(Array(4).fill('pending'))
    expect(run.result.figures['members.bytes']).toBeGreaterThan(0)
  })

  it('is partial when it is called off, before it begins or on the way', async () => {
    const before = await simRun(FOUR_HOSTS, { signal: AbortSignal.abort() })
    expect(before.end.isPartial).toBe(true)
    const stop = new AbortController()
    let last: RunProgress | undefined
    const run = await simRun(FOUR_HOSTS.replace('count: 4', 'count: 60').replace('[10MB]', '[100MB]'), {
      signal: stop.signal,
      onProgress: progress => {
        last = progress
        if (progress.bytes > 0) stop.abort()
      }
    })
    expect(run.end.isPartial).toBe(true)
    expect(run.end.durationMs).toBe(last?.atMs)
    expect(run.result.figures['done.share']).toBe(0)
  })

  it('shows how far it is', async () => {
    const seen: RunProgress[] = []
    const run = await simRun(FOUR_HOSTS, { onProgress: progress => { seen.push(progress) } })
    const bytes = 10e6 + 8192
    // two who have not met yet may read the same
    const originBytes = run.result.figures['origin.bytes']
    expect(originBytes).toBeGreaterThanOrEqual(bytes)
    expect(seen.at(-1)).toEqual({ atMs: run.end.durationMs, hosts: 4, started: 4, done: 4, failed: 0, bytes: 4 * bytes, bytesInAll: 4 * bytes, originBytes })
  })

  it('is nothing where nobody pulls', async () => {
    const run = await simRun({ ...parseScenario('test.yaml', FOUR_HOSTS), pulls: [] })
    expect(run.end).toEqual({ durationMs: 0, isPartial: false })
    expect(run.told).toEqual([])
  })
})

describe('arrivals', () => {
  it('are as planned, of each type that has times', async () => {
    for (const arrival of [
      '{ type: at-once }', '{ type: at-once, from: 1s, within: 2s }', '{ type: uniform, over: 4s }', '{ type: poisson, perSecond: 2 }', '{ type: waves, hosts: 2, every: 3s }'
    ]) {
      const yaml = `${FOUR_HOSTS}pulls: [{ arrival: ${arrival} }]`
      const run = await simRun(yaml)
      const planned = planOf(parseScenario('test.yaml', yaml)).hosts
      expect(toldOf(run, 'started').map(([host,, atMs]) => [host, atMs]).sort()).toEqual(planned.map(({ name, pull }) => [name, pull?.startMs]).sort())
      expect(run.result.figures['done.share']).toBe(1)
    }
  })

  it('of a rolling pull follow each other: never more at a time than may be unavailable, and always so many', async () => {
    const run = await simRun(`${FOUR_HOSTS.replace('count: 4', 'count: 12')}pulls: [{ arrival: { type: rolling, from: 1s, maxUnavailable: 3 } }]`)
    let pulling = 0
    let most = 0
    let started = 0
    for (const { fact } of run.told) {
      if (fact === 'started') most = Math.max(most, ++pulling, ++started - 12)
      if (fact === 'done') {
        pulling--
        expect(pulling).toBe(2)
        if (started > 9) break
      }
    }
    expect(most).toBe(3)
    expect(toldOf(run, 'started').slice(0, 3).map(([,, atMs]) => atMs)).toEqual([1000, 1000, 1000])
    expect(toldOf(run, 'started').slice(3).map(([,, atMs]) => atMs)).toEqual(toldOf(run, 'done').slice(0, 9).map(([, atMs]) => atMs))
    expect(run.result.figures['done.share']).toBe(1)
  })

  it('of a rolling pull go on past who is killed', async () => {
    const run = await simRun(`${FOUR_HOSTS.replace('count: 4', 'count: 8')}pulls: [{ arrival: { type: rolling, maxUnavailable: 2 } }]
faults: [{ type: kill, hosts: 3, at: 500ms }]`)
    expect(run.result.figures['done.share']).toBe(1)
    expect(run.result.hosts.filter(({ outcome }) => outcome === 'done')).toHaveLength(5)
  })
})
