import { describe, expect, it } from 'vitest'
import { problemsIn } from '../scenario-text.ts'

/** Two racks and an image; parts of it are replaced. */
function scenario (parts: Readonly<Record<string, string>>): string {
  const all = {
    limit: '10m',
    groups: '{ a: { count: 10, up: 1MB/s, down: 1MB/s }, b: { count: 10, up: 1MB/s, down: 1MB/s } }',
    origin: '{ up: 1MB/s }',
    images: '{ app: [1MB, { name: base, size: 1MB }] }',
    ...parts
  }
  return Object.entries(all).filter(([, value]) => value !== '').map(([key, value]) => `${key}: ${value}`).join('\n')
}

function racks (a: string, b = ''): string {
  return `{ a: { count: 10, ${a.includes('up:') ? '' : 'up: 1MB/s, '}${a.includes('down:') ? '' : 'down: 1MB/s, '}${a} }, b: { count: 10, up: 1MB/s, down: 1MB/s, ${b} } }`
}

describe('layers that nobody can give', () => {
  it.each([
    ['there is no origin', { origin: '' }, 'x.yaml:1:1: origin: there is no origin, and nobody holds app/1 and base; add one, or let a group hold the image (holds)'],
    ['one layer is held by nobody', { origin: '', groups: racks('holds: [{ image: app, layers: [base] }]') }, 'origin: there is no origin, and nobody holds app/1;'],
    ['a share that is no host holds them', { origin: '', groups: racks('holds: [{ image: app, share: 1% }]') }, 'origin: there is no origin, and nobody holds app/1 and base;'],
    ['the agents never ask', { agent: '{ originPolicy: never }' }, 'x.yaml:5:24: agent.originPolicy: the agents never ask the origin, and nobody holds app/1 and base; let them ask it (balanced), or let'],
    ['the origin is down all along', { origin: '{ up: 1MB/s, outages: [{ at: 0 }] }' }, 'x.yaml:3:31: origin.outages: the origin is down all along, and nobody holds app/1 and base; let it be up for a while, or let'],
    ['outages meet', { origin: '{ up: 1MB/s, outages: [{ at: 5m, for: 5m }, { at: 0, for: 5m }] }' }, 'origin.outages: the origin is down all along'],
    ['it is down from the first start to the end', { origin: '{ up: 1MB/s, outages: [{ at: 10s }] }', pulls: '[{ arrival: { type: uniform, from: 20s, over: 1m } }]' }, 'origin.outages: the origin is down all along'],
    ['the only holders have no uplink', { origin: '', groups: racks('holds: [app], up: 0') }, 'x.yaml:2:58: groups.a.up: these hosts alone hold app/1 and base and give nothing, and there is no origin; let them send, or let others hold it too'],
    ['the only holders are leeches', { origin: '', groups: racks('holds: [app], leech: true') }, 'groups.a.leech: these hosts alone hold app/1 and base and give nothing'],
    ['the only holder is a repeated group', { origin: '', groups: '{ a: { repeat: 2, count: 5, up: 0, down: 1MB/s, holds: [app] }, b: { count: 1, up: 1MB/s, down: 1MB/s } }' }, 'x.yaml:2:41: groups.a.up: these hosts alone hold app/1 and base and give nothing']
  ])('are refused where %s', (_, parts, problem) => {
    expect(problemsIn(scenario(parts))).toEqual([expect.stringContaining(problem)])
  })

  it.each([
    ['the origin comes back', { origin: '{ up: 1MB/s, outages: [{ at: 0, for: 599s }] }' }],
    ['there is a gap between outages', { origin: '{ up: 1MB/s, outages: [{ at: 0, for: 1m }, { at: 61s }] }' }],
    ['it is up when the first host begins', { origin: '{ up: 1MB/s, outages: [{ at: 1s }] }' }],
    ['one host in ten holds them', { origin: '', groups: racks('holds: [{ image: app, share: 10% }]') }],
    ['two groups hold a part each', { origin: '', groups: racks('holds: [{ image: app, layers: [base] }]', 'holds: [{ image: app, layers: [app/1] }]') }],
    ['some of those who hold them can give', { origin: '', groups: racks('holds: [app], up: 0', 'holds: [{ image: app, share: 10% }]') }]
  ])('are none where %s', (_, parts) => {
    expect(problemsIn(scenario(parts))).toEqual([])
  })
})

describe('hosts', () => {
  it('that pull without a downlink are refused', () => {
    expect(problemsIn(scenario({ groups: racks('down: 0') }))).toEqual(['x.yaml:2:44: groups.a.down: 0 is not allowed, as these hosts pull; expected a rate such as 300MB/s'])
  })

  it('that hold all need none', () => {
    expect(problemsIn(scenario({ groups: racks('down: 0, holds: [app]') }))).toEqual([])
  })

  it('of whom nobody lacks anything are refused', () => {
    expect(problemsIn(scenario({ groups: racks('holds: [app]', 'holds: [app]') }))).toEqual([expect.stringContaining('pulls: nobody pulls anything that it has not; expected a host that lacks a layer')])
  })

  it('of whom so small a share pulls that it is none are refused', () => {
    expect(problemsIn(scenario({ pulls: '[{ groups: [a] }, { groups: [b], share: 1% }]' }))).toEqual(['x.yaml:5:48: pulls.1.share: is less than one host of these groups; expected a larger share, or more hosts'])
  })
})

describe('times', () => {
  it.each([
    ['limit: 10m is not after the last host begins', { pulls: '[{ arrival: { type: waves, hosts: 1, every: 1m } }]' }, 'x.yaml:1:8: limit: 10m is not after the last host begins; expected more than 19m'],
    ['a rolling pull begins after the limit', { pulls: '[{ arrival: { type: rolling, from: 11m, maxUnavailable: 1 } }]' }, 'limit: 10m is not after the last host begins; expected more than 11m'],
    ['a fault begins at the limit', { faults: '[{ type: kill, hosts: 1, at: 10m }]' }, 'x.yaml:5:38: faults.0.at: begins at 10m, when the run has ended; expected a time before its limit of 10m']
  ])('are refused: %s', (_, parts, problem) => {
    expect(problemsIn(scenario(parts))).toEqual([problem.startsWith('x.yaml') ? problem : expect.stringContaining(problem)])
  })

  it('within the limit are not', () => {
    expect(problemsIn(scenario({ pulls: '[{ arrival: { type: uniform, over: 10m } }]' }))).toEqual([])
  })
})

describe('faults', () => {
  it.each([
    ['more hosts than a group has', '[{ type: kill, groups: [a], hosts: 11, at: 0 }]', 'x.yaml:5:44: faults.0.hosts: 11 hosts are more than there are: its groups have 10; expected at most 10'],
    ['more than others have left', '[{ type: lie, hosts: 15 }, { type: kill, hosts: 6, at: 0 }]', 'x.yaml:5:57: faults.1.hosts: 6 hosts are more than there are: faults above it have left 5 of the 20 in its groups, and a host has one fault at the most; expected at most 5'],
    ['more than none', '[{ type: lie, hosts: 100% }, { type: kill, groups: [b], hosts: 1, at: 0 }]', 'faults.1.hosts: 1 hosts are more than there are: faults above it have left 0 of the 10 in its groups, and a host has one fault at the most; expected fewer there']
  ])('of %s are refused', (_, faults, problem) => {
    expect(problemsIn(scenario({ faults }))).toEqual([expect.stringContaining(problem)])
  })

  it('of all hosts are not, nor is a cut beside them', () => {
    expect(problemsIn(scenario({ faults: '[{ type: lie, hosts: 50% }, { type: kill, hosts: 10, at: 0 }, { type: partition, groups: [a], at: 1s }]' }))).toEqual([])
  })
})

describe('a partition', () => {
  const done = '[done.share == 100%]'

  it.each([
    ['cuts a group off before it begins', { faults: '[{ type: partition, groups: [a] }]', expect: done }, 'x.yaml:5:10: faults.0: never heals within the run: a-1 and 9 others can\'t get app/1 and base, but must be done by what is expected; give it an end (for), or let a group on that side hold the image'],
    ['ends after the run', { faults: '[{ type: partition, groups: [a], for: 11m }]', expect: done }, 'faults.0: never heals within the run'],
    ['leaves the only holders on the other side', { origin: '', groups: racks('holds: [app]'), faults: '[{ type: partition, groups: [a] }]', expect: '[group.b.done.share >= 100%]' }, 'faults.0: never heals within the run: b-1 and 9 others']
  ])('is refused where it %s and all must be done', (_, parts, problem) => {
    expect(problemsIn(scenario(parts))).toEqual([expect.stringContaining(problem)])
  })

  it.each([
    ['nobody must be done', { faults: '[{ type: partition, groups: [a] }]', expect: '[done.share >= 50%]' }],
    ['others must be done', { faults: '[{ type: partition, groups: [a] }]', expect: '[group.b.done.share == 100%]' }],
    ['it heals', { faults: '[{ type: partition, groups: [a], for: 1m }]', expect: done }],
    ['hosts begin before it', { faults: '[{ type: partition, groups: [a], at: 1s }]', expect: done }],
    ['one host inside has begun before it', { faults: '[{ type: partition, groups: [a], at: 5m }]', pulls: '[{ arrival: { type: uniform, over: 9m } }]', expect: done }],
    ['a host inside holds the image', { groups: racks('holds: [{ image: app, share: 10% }]'), faults: '[{ type: partition, groups: [a] }]', expect: done }]
  ])('is not refused where %s', (_, parts) => {
    expect(problemsIn(scenario(parts))).toEqual([])
  })
})

describe('an expectation that nothing can be compared with is refused:', () => {
  it.each([
    ['[completion.max <= 1.5 x clean]', 'x.yaml:5:10: expect.0: "completion.max <= 1.5 x clean" can\'t be judged: there are no faults, so the run itself is the clean one; compare with bound, image or a value'],
    ['[liars.banned.share == 100%]', 'expect.0: "liars.banned.share == 100%" can\'t be judged: nobody lies; add a fault of the type lie']
  ])('%s', (expectations, problem) => {
    expect(problemsIn(scenario({ expect: expectations }))).toEqual([expect.stringContaining(problem)])
  })

  it('of a group that pulls nothing', () => {
    expect(problemsIn(scenario({ pulls: '[{ groups: [a] }]', expect: '[group.b.done.share == 1]' }))).toEqual([
      'x.yaml:6:10: expect.0: "group.b.done.share == 1" can\'t be judged: the group b pulls nothing; name one that does'
    ])
  })

  it('with faults, liars and pulls it is not', () => {
    expect(problemsIn(scenario({ faults: '[{ type: lie, hosts: 1 }]', expect: '[completion.max <= 1.5 x clean, liars.banned.share == 100%, group.b.done.share == 1]' }))).toEqual([])
  })
})
