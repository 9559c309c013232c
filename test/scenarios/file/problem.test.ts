import { describe, expect, it } from 'vitest'
import { problemsIn, SHORTEST } from './scenario-text.ts'

const LAYER = 'a size such as 3GB or 64MiB, above 0, several alike such as 200 x 1MB, or a mapping with name and size'

describe('a scenario that is not understood is refused with file, line, column, key, value and what is allowed:', () => {
  it.each([
    ['groups:', 'x.yaml:1:8: groups: null is not allowed; expected a mapping of names to groups of hosts'],
    ['groups: {}', 'x.yaml:1:9: groups: a mapping is not allowed; expected at least one group'],
    ['groups: { a: { count: 0, up: 1MB/s, down: 1MB/s } }', 'x.yaml:1:23: groups.a.count: 0 is not allowed; expected a whole number from 1 to 1000000'],
    ['groups: { a: { count: 1, up: 300, down: 1MB/s } }', 'x.yaml:1:30: groups.a.up: 300 is not allowed; expected a rate such as 300MB/s, 64MiB/s or 100Mbit/s, from 1KB/s to 1000GB/s, or 0'],
    ['groups: { a: { count: 1, up: 1MB/s } }', 'x.yaml:1:14: groups.a.down: is missing; expected a rate such as'],
    ['groups: { a: { count: 1, up: 1MB/s, down: 1MB/s, loss: 100% } }', 'groups.a.loss: "100%" is not allowed; expected a share such as 5% or 0.05, from 0 to 100%, but not 100%'],
    ['groups: { a: { count: 1, up: 1MB/s, down: 1MB/s, upp: 3 } }', 'x.yaml:1:50: groups.a.upp: is not a known key; did you mean up?'],
    ['groups: { a: { count: 1, up: 1MB/s, down: 1MB/s, holds: [{ image: app, lyers: [x] }] } }', 'x.yaml:1:72: groups.a.holds.0.lyers: is not a known key; did you mean layers?'],
    ['groups: { a b: { count: 1, up: 1MB/s, down: 1MB/s } }', 'x.yaml:1:11: groups.a b: "a b" is not allowed; expected a name of letters, digits, - and _, 63 at the most'],
    ['images: { app: [3GB, -1GB] }', `x.yaml:1:22: images.app.1: "-1GB" is not allowed; expected ${LAYER}`],
    ['images: { app: [0] }', `x.yaml:1:17: images.app.0: 0 is not allowed; expected ${LAYER}`],
    ['images: { app: [0B] }', `images.app.0: "0B" is not allowed; expected ${LAYER}`],
    ['images: { app: [{ name: x, size: 0MB }] }', 'x.yaml:1:34: images.app.0.size: "0MB" is not allowed; expected a size such as 3GB, 64MiB or 1.5MB, above 0'],
    ['images: { app: [{ name: x }] }', 'x.yaml:1:17: images.app.0.size: is missing; expected a size'],
    ['images: { app: [] }', 'images.app: a list is not allowed; expected a list of layers, at least one'],
    ['images: { app: { layers: 0 x 1MB } }', 'x.yaml:1:26: images.app.layers: "0 x 1MB" is not allowed; expected a list of layers'],
    ['origin: { up: 0 }', 'x.yaml:1:15: origin.up: 0 is not allowed; expected a rate such as 300MB/s, 64MiB/s or 100Mbit/s, from 1KB/s to 1000GB/s (leave out origin where there is no registry)'],
    ['origin: none', 'x.yaml:1:9: origin: "none" is not allowed; expected a mapping with up, latency, ranges, outages, reject, retryAfter'],
    ['origin: { up: 1MB/s, reject: 100% }', 'origin.reject: "100%" is not allowed'],
    ['pulls: []', 'x.yaml:1:8: pulls: a list is not allowed; expected a list of pulls, at least one'],
    ['pulls: [{ arrival: { type: roling } }]', 'x.yaml:1:28: pulls.0.arrival.type: "roling" is not allowed; expected one of at-once, uniform, poisson, waves, rolling'],
    ['pulls: [{ arrival: rolling }]', 'x.yaml:1:20: pulls.0.arrival: "rolling" is not allowed; expected a mapping with type: at-once, uniform, poisson, waves or rolling'],
    ['pulls: [{ arrival: { type: rolling, maxUnavailable: 0 } }]', 'x.yaml:1:53: pulls.0.arrival.maxUnavailable: 0 is not allowed; expected a whole number of hosts, 1 or more, or a share of them such as 5% or 0.05, above 0'],
    ['pulls: [{ arrival: { type: rolling, maxUnavailable: 0% } }]', 'pulls.0.arrival.maxUnavailable: "0%" is not allowed'],
    ['pulls: [{ arrival: { type: uniform, over: 0 } }]', 'pulls.0.arrival.over: 0 is not allowed; expected a time such as 200ms, 30s, 10m or 1h, above 0 and at most 596h'],
    ['pulls: [{ share: 0 }]', 'pulls.0.share: 0 is not allowed'],
    ['faults: [{ type: kil, hosts: 1 }]', 'x.yaml:1:18: faults.0.type: "kil" is not allowed; expected one of kill, restart, slow, stall, lie, partition, dht-loss'],
    ['faults: [{ type: kill, hosts: 1, at: [5s, 3s] }]', 'x.yaml:1:38: faults.0.at: a list is not allowed; expected a time such as 30s, or two with an end after the start'],
    ['faults: [{ type: kill, hosts: 1.5, at: 1s }]', 'faults.0.hosts: 1.5 is not allowed'],
    ['faults: [{ type: lie, hosts: 1, for: 3s }]', 'x.yaml:1:33: faults.0.for: is not a known key; expected one of type, groups, hosts'],
    ['faults: [{ type: slow, hosts: 1, to: 0 }]', 'faults.0.to: 0 is not allowed; expected a share such as 5% or 0.05, from 0 to 100%, but not 0, but not 100%'],
    ['agent: { originPolicy: sometimes }', 'x.yaml:1:24: agent.originPolicy: "sometimes" is not allowed; expected one of frugal, balanced, fast, never'],
    ['paths: [{ from: a, up: 0 }]', 'paths.0.up: 0 is not allowed; expected a rate such as 300MB/s, 64MiB/s or 100Mbit/s, from 1KB/s to 1000GB/s (a partition among the faults cuts a way)'],
    ['orign: { up: 1MB/s }', 'x.yaml:1:1: orign: is not a known key; did you mean origin?'],
    ['seed: -1', 'x.yaml:1:7: seed: -1 is not allowed; expected a whole number from 0 to 4294967295'],
    ['limit: 0', 'limit: 0 is not allowed'],
    ['limit: 10', 'limit: 10 is not allowed'],
    ['expect: [complet.p99 <= 3s]', 'x.yaml:1:10: expect.0: "complet.p99 <= 3s" is not allowed; expected a figure that there is: did you mean completion.p99?']
  ])('%s', (text, problem) => {
    expect(problemsIn(text)).toContainEqual(expect.stringContaining(problem))
  })

  it('all at once', () => {
    const problems = problemsIn('groups: { a: { count: x, up: y, down: z, w: 1 } }\nimages: 3\nlimit: soon\n')
    expect(problems.map(problem => problem.split(': ')[1]).sort()).toEqual(['groups.a.count', 'groups.a.down', 'groups.a.up', 'groups.a.w', 'images', 'limit'])
  })

  it('an empty file', () => {
    expect(problemsIn('')).toEqual([
      'x.yaml:1:1: groups: is missing; expected a mapping of names to groups of hosts',
      'x.yaml:1:1: images: is missing; expected a mapping of names to images'
    ])
  })

  it('no YAML', () => {
    expect(problemsIn('groups: [')).toEqual([expect.stringMatching(/^x\.yaml:1:10: not valid YAML: /)])
    expect(problemsIn(`${SHORTEST}\ngroups: {}`)).toEqual([expect.stringMatching(/^x\.yaml:6:1: not valid YAML: Map keys must be unique/)])
  })
})
