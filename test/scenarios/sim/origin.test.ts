import { describe, expect, it } from 'vitest'
import { simRun, timesOf, toldOf } from './sim-run.ts'
import { SimWorld } from './sim-world.ts'

const MB = 1e6

/** One host that has nobody but the origin, whose keys these are; its way there and back takes 10 ms. */
function alone (origin: string, more = ''): string {
  return `
limit: 20m
groups: { rack: { count: 1, up: 10MB/s, down: 10MB/s, latency: 2ms } }
origin: { up: 10MB/s, latency: 3ms${origin} }
images: { app: [10MB] }
${more}`
}

describe('an answer of the origin', () => {
  it('comes after a round trip, and after two more with the first question, which sets up the connection', () => {
    const scene = new SimWorld(alone(''))
    const { origin } = scene.world
    const host = scene.host('rack-1')
    expect([origin.askMs(host), origin.askMs(host)]).toEqual([32, 12])
    origin.failed(host, { isCut: false })
    expect(origin.askMs(host)).toBe(32)
  })

  it('is followed by the bytes at the pace of its link, each once', async () => {
    const run = await simRun(alone(''))
    const sent = toldOf(run, 'originSent').reduce((sum, [bytes]) => sum + bytes, 0)
    const received = toldOf(run, 'received').reduce((sum, [,, bytes]) => sum + bytes, 0)
    expect([sent, received]).toEqual([10 * MB + 8192, 10 * MB + 8192])
    // a second at 10 MB/s, and some round trips
    expect(run.end.durationMs).toBeGreaterThan(1000)
    expect(run.end.durationMs).toBeLessThan(1300)
  })
})

it('what the origin sends is told as it is sent: in no moment more than its link carries', async () => {
  const { result: { figures, series } } = await simRun(alone('').replace('images: { app: [10MB] }', 'images: { app: [300MB] }'))
  expect(series.stepMs).toBeGreaterThanOrEqual(100)
  // what it told last is of ten milliseconds at the most
  for (const bytes of series.originBytes) expect(bytes).toBeLessThanOrEqual(10_000 * (series.stepMs + 10))
  expect(figures['origin.peak']).toBeLessThanOrEqual(1.01 * 10 * MB)
})

describe('an origin that fails', () => {
  it('is left alone for two seconds, twice as long each time up to thirty, and asked again at once after a read that was cut', () => {
    const scene = new SimWorld(alone(''))
    const { origin } = scene.world
    const rest = (isCut: boolean): number => origin.failed(scene.host('rack-1'), { isCut })
    expect([rest(false), rest(false), rest(false), rest(false), rest(false), rest(false)]).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000])
    expect([rest(true), rest(false)]).toEqual([1, 2000])
  })

  it('sends nothing in an outage, and what was cut is fetched again', async () => {
    const run = await simRun(alone(', outages: [{ at: 500ms, for: 3s }]'))
    expect([timesOf(run, 'origin-down'), timesOf(run, 'origin-up')]).toEqual([[500], [3500]])
    expect(toldOf(run, 'originSent').filter(([, atMs]) => atMs > 500 && atMs < 3500)).toEqual([])
    expect(run.result.figures).toMatchObject({ 'done.share': 1 })
    // what was cut is less than a piece of each read
    expect(run.result.figures['vain.bytes']).toBeGreaterThan(0)
    expect(run.result.figures['vain.bytes']).toBeLessThan(4 * 131_072)
  })

  it('in an outage is nobody\'s trouble where a host has the whole', async () => {
    const run = await simRun(alone(', outages: [{ at: 0 }]').replace('images', '\nimages').replace('} }\norigin', '}, desk: { count: 1, up: 10MB/s, down: 10MB/s, holds: [app] } }\norigin'))
    expect(run.result.figures).toMatchObject({ 'origin.bytes': 0, 'done.share': 1 })
    expect(run.result.figures['completion.max']).toBeLessThan(2000)
  })
})

describe('429', () => {
  it('is waited out where that is short, twice; then the read has failed, and the engine tries again later', async () => {
    const seen = new Set<boolean>()
    for (let seed = 1; seed <= 16; seed++) {
      const run = await simRun(alone(', reject: 50%, retryAfter: 1s', `seed: ${seed}`))
      const rejected = timesOf(run, 'origin-rejected')
      expect(run.result.figures).toMatchObject({ 'done.share': 1, 'vain.bytes': 0 })
      expect(run.result.figures['origin.requests']).toBeGreaterThan(rejected.length)
      // the same question again: a second, a round trip and 2 ms later
      const repeats = rejected.filter((atMs, index) => Math.abs(atMs - (rejected[index - 1] ?? -Infinity) - 1012) < 0.01)
      const hasFailed = repeats.some((atMs, index) => Math.abs(atMs - (repeats[index - 1] ?? -Infinity) - 1012) < 0.01)
      seen.add(hasFailed)
      if (hasFailed) expect(run.end.durationMs).toBeGreaterThan(10_000)
      else expect(run.end.durationMs).toBeLessThan(1300 + 1050 * rejected.length)
    }
    expect(seen).toEqual(new Set([false, true]))
  })

  it('is handed on where there are others: what one was refused another reads while the first stays away', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const run = await simRun(alone(', reject: 30%, retryAfter: 2s', `seed: ${seed}`).replace('count: 1', 'count: 3'))
      expect(run.result.figures).toMatchObject({ 'done.share': 1, 'failed.hosts': 0 })
      const rejected = run.result.events.filter(({ type, atMs }) => type === 'origin-rejected' && atMs > 100)
      // nothing is waited for with the piece in hand: a second at 10 MB/s, and what all are sent away for at once
      const spread = new Set(rejected.map(({ host }) => host)).size
      expect(rejected.length < 2 || spread > 1 || run.end.durationMs < 3300).toBe(true)
      for (const host of ['rack-1', 'rack-2', 'rack-3']) {
        const times = rejected.filter(event => event.host === host).map(({ atMs }) => atMs)
        expect(times.slice(1).every((atMs, index) => atMs - (times[index] ?? 0) >= 2000)).toBe(true)
      }
    }
  })

  it('leaves the origin alone as long as it says', async () => {
    const run = await simRun(alone(', reject: 90%, retryAfter: 20s'))
    const rejected = timesOf(run, 'origin-rejected')
    expect(rejected.length).toBeGreaterThan(3)
    // a pull asks which manifest it is, and then for its bytes, which is not repeated earlier
    const pauses = rejected.slice(1).map((atMs, index) => atMs - (rejected[index] as number)).filter(ms => ms > 100)
    expect(Math.min(...pauses)).toBeGreaterThan(9000)
  })
})

describe('an origin without ranges', () => {
  it('sends the whole to one host, once, and the others have it from there', async () => {
    const run = await simRun(alone(', ranges: false').replace('count: 1', 'count: 5'))
    expect(run.result.figures).toMatchObject({ 'origin.bytes': 10 * MB + 8192, 'done.share': 1 })
    expect(run.result.hosts.filter(({ fromOrigin }) => fromOrigin > MB)).toHaveLength(1)
  })

  it('sends all of it again to who has a part already, and that part is in vain', async () => {
    const kept = 'faults: [{ type: restart, hosts: 1, at: 600ms, for: 1s }]'
    const [whole, ranges] = [await simRun(alone(', ranges: false', kept)), await simRun(alone('', kept))]
    expect(whole.result.figures['origin.bytes']).toBeGreaterThan(14 * MB)
    expect(ranges.result.figures['origin.bytes']).toBeLessThan(11 * MB)
    for (const run of [whole, ranges]) {
      const { figures } = run.result
      expect(figures['done.share']).toBe(1)
      // what the origin sent was of use, or is counted as in vain
      expect((figures['origin.bytes'] ?? 0) - (figures['vain.bytes'] ?? 0)).toBe(10 * MB + 8192)
    }
  })
})
