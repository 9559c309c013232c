import { describe, expect, it } from 'vitest'
import { Recorder } from '../../scenarios/recorder.ts'
import { FIGURES } from '../../scenarios/result.ts'
import { plausibleResult } from './plausible-run.ts'
import { smallScenario } from './small-scenario.ts'
import type { FaultSpec, Scenario } from '../../scenarios/scenario.ts'

const MB = 1e6
const liar: FaultSpec = { type: 'lie', groups: ['rack'], hosts: 1, fromMs: 0, untilMs: 0, forMs: Infinity, factor: 1 }

function record (scenario: Scenario, tell: (recorder: Recorder) => void, end = { durationMs: 5000, isPartial: false }): ReturnType<Recorder['result']> {
  const recorder = new Recorder(scenario, { engine: 'sim', shoal: '1.2.3' })
  tell(recorder)
  return recorder.result(end)
}

/** Hosts 1 to 3 need 1, 2 and 3 seconds, and begin half a second after each other. */
function threeHosts (recorder: Recorder): void {
  for (const number of [1, 2, 3]) recorder.started(`rack-${number}`, 4 * MB, 500 * number)
  for (const number of [1, 2, 3]) {
    recorder.received(`rack-${number}`, number === 1 ? 'origin' : 'member', 4 * MB, 1500 * number)
    recorder.done(`rack-${number}`, 1500 * number)
  }
}

describe('completion', () => {
  it('counts from each host\'s own start', () => {
    const { figures, groups, series } = record(smallScenario(), threeHosts)
    expect(figures).toMatchObject({ 'completion.p50': 2000, 'completion.p90': 3000, 'completion.max': 3000, 'done.share': 1, duration: 4500, 'group.rack.completion.p50': 2000 })
    expect(groups).toEqual([{ name: 'rack', hosts: 3, done: 3, p50: 2000, p90: 3000, p99: 3000, max: 3000, fromOrigin: 4 * MB, fromMembers: 8 * MB }])
    expect([series.done[0], series.done.at(-1), series.started.at(-1)]).toEqual([0, 3, 3])
  })

  it('is never there for who was not done, failed, or never began', () => {
    const { figures, hosts } = record(smallScenario({}, { hosts: 4 }), recorder => {
      threeHosts(recorder)
      recorder.started('rack-4', 4 * MB, 0)
      recorder.failed('rack-4', 'the disk is full', 4700)
    })
    expect(figures).toMatchObject({ 'completion.p50': 2000, 'completion.max': null, 'done.share': 0.75, 'failed.hosts': 1, duration: null })
    expect(hosts[3]).toMatchObject({ outcome: 'failed', doneMs: null })
    expect(record(smallScenario({}, { hosts: 4 }), threeHosts).hosts[3]).toMatchObject({ outcome: 'pending', startedMs: null })
  })

  it('does not count who went away, unless it came back', () => {
    const away = (recorder: Recorder): void => {
      threeHosts(recorder)
      recorder.started('rack-4', 4 * MB, 0)
      recorder.left('rack-4', 100)
    }
    const scenario = smallScenario({}, { hosts: 4 })
    expect(record(scenario, away)).toMatchObject({ figures: { 'done.share': 1 }, groups: [{ hosts: 3 }] })
    const back = record(scenario, recorder => {
      away(recorder)
      recorder.event({ atMs: 4600, type: 'came-back', host: 'rack-4', detail: '' })
    })
    expect(back).toMatchObject({ figures: { 'done.share': 0.75 }, groups: [{ hosts: 4 }] })
  })

  it('does not count liars, nor hosts with nothing to pull', () => {
    const scenario = smallScenario({ faults: [liar] })
    const name = record(scenario, () => {}).hosts.find(({ fault }) => fault === 'lie')?.name ?? ''
    const [one = '', other = ''] = ['rack-1', 'rack-2', 'rack-3'].filter(host => host !== name)
    const result = record(scenario, recorder => {
      threeHosts(recorder)
      recorder.lied(name, one, 800)
      recorder.lied(name, other, 900)
      recorder.banned(name, one, 1000)
    })
    expect(result.groups[0]).toMatchObject({ hosts: 2, done: 2 })
    expect(result.series.done.at(-1)).toBe(2)
    expect(result.figures['liars.banned.share']).toBe(0)
    expect(result.events).toEqual([
      { atMs: 800, type: 'lied', host: name, detail: `the first, to ${one}` },
      { atMs: 1000, type: 'banned', host: name, detail: `first by ${one}` }
    ])
    expect(record(smallScenario({ pulls: [] }), () => {})).toMatchObject({ figures: { 'done.share': null, 'completion.p50': null, duration: null }, spread: { hosts: [] } })
  })

  it('does not ask of a liar that it bans another', () => {
    const scenario = smallScenario({ faults: [{ ...liar, hosts: 2 }] }, { hosts: 4 })
    const [one = '', other = ''] = record(scenario, () => {}).hosts.filter(({ fault }) => fault === 'lie').map(({ name }) => name)
    const lieTo = (name: string) => record(scenario, recorder => { recorder.lied(one, name, 800) })
    expect(lieTo(other)).toMatchObject({ figures: { 'liars.banned.share': null }, events: [] })
    const sound = scenario.groups.flatMap(({ count }) => Array.from({ length: count }, (_, index) => `rack-${index + 1}`)).find(name => name !== one && name !== other) ?? ''
    expect(lieTo(sound).figures['liars.banned.share']).toBe(0)
  })

  it('is of the first start and the first end, also when a host is told of twice', () => {
    const { hosts } = record(smallScenario(), recorder => {
      threeHosts(recorder)
      recorder.started('rack-1', MB, 4000)
      recorder.done('rack-1', 4500)
    })
    expect(hosts[0]).toMatchObject({ startedMs: 500, doneMs: 1500 })
  })
})

describe('figures', () => {
  it('are all that there are, in their order, those of each group among them', () => {
    const names = Object.keys(record(smallScenario(), threeHosts).figures)
    expect(names).toEqual(Object.keys(FIGURES).map(name => name.replace('<group>', 'rack')))
  })

  it('are sums of what was told', () => {
    const { figures } = record(smallScenario(), recorder => {
      recorder.received('rack-1', 'member', 100, 10)
      recorder.received('rack-1', 'origin', 50, 10)
      recorder.inVain('rack-1', 7, 10)
      recorder.crossedBorder(30)
      recorder.control(9, 10)
      recorder.wrong('rack-1', 3, 10)
      recorder.originAnswered(0, 10)
      recorder.originAnswered(60, 20)
      recorder.originSent(60, 30)
      recorder.originSent(20, 31)
    }, { durationMs: 100, isPartial: false })
    expect(figures).toMatchObject({
      'members.bytes': 100,
      'vain.bytes': 7,
      'border.bytes': 30,
      'control.bytes': 9,
      'wrong.bytes': 3,
      'origin.requests': 2,
      'origin.bytes': 80,
      // all of it within the hundred milliseconds of the run
      'origin.peak': 800
    })
  })
})

it('nothing is said of control messages where agents do not count them', () => {
  const recorder = new Recorder(smallScenario(), { engine: 'live', shoal: '1.2.3' })
  expect(recorder.result({ durationMs: 100, isPartial: false }).figures).toHaveProperty(['control.bytes'], null)
})

it('the origin\'s peak is its fullest second', () => {
  const { figures } = record(smallScenario(), recorder => {
    for (const [atMs, bytes] of [[100, 10], [1200, 30], [1900, 40], [2250, 20], [5000, 5]] as const) recorder.originSent(bytes, atMs)
  })
  expect(figures['origin.peak']).toBe(70)
})

describe('hosts', () => {
  it('have what they received, gave and waited for', () => {
    const { hosts } = record(smallScenario(), recorder => {
      recorder.started('rack-2', 200, 0)
      recorder.received('rack-2', 'member', 120, 5)
      recorder.gave('rack-2', 70, 6)
      recorder.gave('rack-2', 5, 7)
      recorder.waited('rack-2', 'verify', 3)
      recorder.waited('rack-2', 'members', 10)
      recorder.waited('rack-2', 'members', 20)
    })
    expect(hosts[1]).toEqual({
      name: 'rack-2',
      group: 'rack',
      startedMs: 0,
      doneMs: null,
      outcome: 'pending',
      fault: null,
      fromOrigin: 0,
      fromMembers: 120,
      given: 75,
      waits: { members: 30, verify: 3 }
    })
    expect(Object.keys(hosts[1]?.waits ?? {})).toEqual(['members', 'verify'])
  })

  it('are none that the plan does not know', () => {
    expect(() => record(smallScenario(), recorder => { recorder.gave('rack-9', 1, 1) })).toThrow('no host of the plan is named rack-9')
  })
})

describe('the spread', () => {
  it('has hosts in the order in which they were done, and how much each had when', () => {
    const { spread } = record(smallScenario(), recorder => {
      for (const number of [1, 2, 3]) recorder.started(`rack-${number}`, 100, 0)
      recorder.received('rack-2', 'member', 50, 5)
      recorder.received('rack-2', 'member', 50, 15)
      recorder.done('rack-2', 15)
      recorder.received('rack-1', 'member', 25, 25)
      recorder.received('rack-3', 'member', 100, 28)
      recorder.done('rack-3', 28)
    }, { durationMs: 30, isPartial: true })
    expect(spread).toEqual({ hosts: ['rack-2', 'rack-3', 'rack-1'], at: [10, 20, 30], percent: [[50, 100, 100], [0, 0, 100], [0, 0, 25]] })
  })

  it('has a hundred of many, first and last among them', () => {
    const { spread } = record(smallScenario({}, { hosts: 1000 }), recorder => {
      for (let number = 1; number <= 1000; number++) {
        recorder.started(`rack-${number}`, 1, 0)
        recorder.done(`rack-${number}`, number)
      }
    })
    expect([spread.hosts.length, spread.hosts[0], spread.hosts.at(-1), new Set(spread.hosts).size]).toEqual([100, 'rack-1', 'rack-1000', 100])
  })

  it('is whole at once for who lacks nothing', () => {
    const { spread } = record(smallScenario(), recorder => { recorder.started('rack-1', 0, 15) }, { durationMs: 30, isPartial: true })
    expect(spread.percent[spread.hosts.indexOf('rack-1')]).toEqual([0, 100, 100])
  })
})

describe('events', () => {
  it('are kept up to two thousand, and the others counted', () => {
    const { events, eventsLeftOut } = record(smallScenario(), recorder => {
      for (let atMs = 0; atMs < 2010; atMs++) recorder.event({ atMs, type: 'origin-rejected', host: 'rack-1', detail: '' })
    })
    expect([events.length, eventsLeftOut, events.at(-1)?.atMs]).toEqual([2000, 10, 1999])
  })
})

it('series have one number for each step of the run', () => {
  const { series } = record(smallScenario(), threeHosts)
  for (const column of Object.values(series)) if (Array.isArray(column)) expect(column).toHaveLength(series.at.length)
  expect(series).toMatchObject({ stepMs: 40, at: expect.objectContaining({ 0: 40, 124: 5000, length: 125 }) as number[] })
  expect(series.fromOrigin.reduce((sum, bytes) => sum + bytes)).toBe(4 * MB)
})

it('series end with the run, whatever is told of later', () => {
  const { series, spread } = record(smallScenario(), recorder => {
    threeHosts(recorder)
    recorder.control(90, 17_000)
  })
  expect([series.stepMs, series.at.at(-1), series.originBytes.length]).toEqual([80, 5040, 63])
  expect(spread.percent.map(row => row.length)).toEqual([63, 63, 63])
})

it('the same facts give the same result, and a partial one says so', () => {
  expect(JSON.stringify(plausibleResult())).toBe(JSON.stringify(plausibleResult()))
  expect(plausibleResult({ endMs: 3000 })).toMatchObject({ isPartial: true, durationMs: 3000, figures: { 'done.share': 0 } })
})
