import { describe, expect, it } from 'vitest'
import { parseScenario } from '../../../scenarios/file/load.ts'
import { problemsIn, SHORTEST } from './scenario-text.ts'
import type { Setting } from '../../../scenarios/file/settings.ts'

describe('a setting', () => {
  it.each<[Setting, object]>([
    [['seed', '7'], { seed: 7 }],
    [['hosts', '1000'], { groups: [{ count: 1000 }] }],
    [['groups.hosts.count', '10'], { groups: [{ count: 10 }] }],
    [['groups.hosts.latency', '0'], { groups: [{ latencyMs: 0 }] }],
    [['origin.up', '1GB/s'], { origin: { up: 1e9 } }],
    [['origin', '{ up: 2MB/s }'], { origin: { up: 2e6 } }],
    [['images.app', '1GB'], { images: [{ layers: [{ bytes: 1e9 }] }] }],
    [['images.app.1', '1MB'], { images: [{ layers: [{ bytes: 2e8 }, { bytes: 1e6 }] }] }],
    [['agent.maxMembers', '8'], { agent: { maxMembers: 8, uploadSlots: 6 } }],
    [['faults', '[{ type: lie, hosts: 5% }]'], { faults: [{ type: 'lie', hosts: 2 }] }]
  ])('%j is put in its place', (setting, expected) => {
    expect(parseScenario('x', SHORTEST, { set: [setting] })).toMatchObject(expected)
  })

  it('that comes later wins, and all hosts are counted after their groups', () => {
    expect(parseScenario('x', SHORTEST, { set: [['hosts', '5'], ['seed', '1'], ['seed', '2'], ['hosts', '6'], ['groups.hosts.count', '3']] })).toMatchObject({ seed: 2, groups: [{ count: 6 }] })
  })

  it.each<[Setting, string]>([
    [['hosts', '0'], 'setting hosts=0: hosts: "0" is not allowed; expected a whole number from 1, one for each group, to 1000000'],
    [['hosts', '1e3'], 'setting hosts=1e3: hosts: "1e3" is not allowed; expected a whole number from 1'],
    [['seed', 'x'], 'setting seed=x: seed: "x" is not allowed; expected a whole number'],
    [['groups.hosts.count', '1.5'], 'setting groups.hosts.count=1.5: groups.hosts.count: 1.5 is not allowed'],
    [['groups.host.count', '5'], 'setting groups.host.count=5: groups.host.count: there is no "host" in groups; did you mean hosts?'],
    [['images.app.2', '1MB'], 'setting images.app.2=1MB: images.app.2: images.app has no entry "2"; expected 0 to 1'],
    [['images.app.0.x', '1MB'], 'setting images.app.0.x=1MB: images.app.0.x: images.app.0 is "200MB" and has no keys; set it as a whole'],
    [['orign.up', '1MB/s'], 'setting orign.up=1MB/s: orign: is not a known key; did you mean origin?'],
    [['origin', '{ up: 0 }'], 'setting origin={ up: 0 }: origin.up: 0 is not allowed'],
    [['seed', '['], 'setting seed=[: seed: "[" is not valid YAML; expected a value as it would stand in the file'],
    [['seed', '*x'], 'setting seed=*x: seed: "*x" is not valid YAML']
  ])('%j is refused by its name', (setting, problem) => {
    expect(problemsIn(SHORTEST, [setting])).toEqual([expect.stringContaining(problem)])
  })
})
