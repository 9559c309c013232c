import { describe, expect, it } from 'vitest'
import { judgeMachine } from '../../../scenarios/live/requirements.ts'
import type { Machine } from '../../../scenarios/live/machine.ts'
import type { FaultType, Scenario } from '../../../scenarios/scenario.ts'
import { parseScenario } from '../../../scenarios/file/load.ts'

const ABLE: Machine = { processors: 2, freeMemoryBytes: 16e9, freeDiskBytes: 100e9, missing: [], noLinks: undefined, hasDelay: true, hasSharedRate: true, hasClasses: true, hasCuts: true, faultyMain: '/faulty-agent.ts' }
const NO_ROOT: Machine = { ...ABLE, noLinks: 'not root', hasDelay: false, hasSharedRate: false, hasClasses: false, hasCuts: false }

function scenarioOf (more: string, hosts = 4): Scenario {
  return parseScenario('test.yaml', `
description: a test
groups: { hosts: { count: ${hosts}, up: 10MB/s, down: 10MB/s, latency: 1ms${more.startsWith(',') ? more : ''} }, others: { count: 1, up: 10MB/s, down: 10MB/s } }
origin: { up: 10MB/s }
images: { app: [8MiB] }
${more.startsWith(',') ? '' : more}
`)
}

function withFault (type: FaultType): Scenario {
  const scenario = scenarioOf('')
  return { ...scenario, faults: [{ type, groups: ['hosts'], hosts: 1, fromMs: 0, untilMs: 0, forMs: 1000, factor: 0.5 }] }
}

describe('a live run', () => {
  it('is possible where all is there', () => {
    expect(judgeMachine(scenarioOf(''), ABLE).obstacles).toEqual([])
  })

  it('is possible without root, and says what it leaves out', () => {
    const { obstacles, notes } = judgeMachine(scenarioOf(''), NO_ROOT)
    expect(obstacles).toEqual([])
    expect(notes).toContain('links are not shaped (not root): agents keep to their rates by their own limits')
    expect(notes.find(note => note.startsWith('latency'))).toContain('up to 1 ms')
  })

  it('names what is not installed, with its package', () => {
    expect(judgeMachine(scenarioOf(''), { ...ABLE, missing: ['docker-registry', 'setpriv'] }).obstacles).toEqual([
      'docker-registry is not installed; on Debian: apt-get install docker-registry', 'setpriv is not installed; on Debian: apt-get install util-linux'
    ])
  })

  it('of too many hosts for the processors offers as many as they carry', () => {
    expect(judgeMachine(scenarioOf('', 47), ABLE).obstacles).toEqual([])
    expect(judgeMachine(scenarioOf('', 48), ABLE).obstacles).toEqual(['49 hosts are 49 agents, and 2 processors carry 48 (24 each): --set hosts=48, or the simulation'])
  })

  it('of too many hosts for the memory offers as many as it carries, or a larger machine when not even one of each group fits', () => {
    expect(judgeMachine(scenarioOf('', 10), { ...ABLE, freeMemoryBytes: 1.3e9 }).obstacles).toEqual(['11 agents want 3.3 GB of memory, and 1.3 GB are free: --set hosts=4, or the simulation'])
    expect(judgeMachine(scenarioOf('', 10), { ...ABLE, freeMemoryBytes: 0.4e9 }).obstacles).toEqual(['11 agents want 3.3 GB of memory, and 0.4 GB are free: a larger machine, or the simulation'])
  })

  it('counts the registry and all hosts for the disk', () => {
    expect(judgeMachine(scenarioOf('', 9), { ...ABLE, freeDiskBytes: 11 * 8 * 1024 ** 2 }).obstacles).toEqual([])
    expect(judgeMachine(scenarioOf('', 9), { ...ABLE, freeDiskBytes: 11 * 8 * 1024 ** 2 - 1 }).obstacles[0]).toContain('temporary files')
  })

  it.each([
    ['loss', scenarioOf(', loss: 1%'), { hasDelay: false }, 'loss: needs netem in the kernel'],
    ['limits of paths', scenarioOf('paths: [{ from: others, up: 1MB/s }]'), { hasClasses: false }, 'limits of paths: needs htb in the kernel'],
    ['a partition', withFault('partition'), { hasCuts: false }, 'partition: needs nft, and nftables in the kernel'],
    ['a lie', withFault('lie'), { faultyMain: undefined }, 'lie: the agent that lies is kept with the tests'],
    ['a loss of the DHT', withFault('dht-loss'), {}, 'dht-loss: nothing makes a real agent lose lookups']
  ])('with %s says what it needs', (_what, scenario, lack, reason) => {
    const { obstacles } = judgeMachine(scenario, { ...ABLE, ...lack })
    expect(obstacles).toHaveLength(1)
    expect(obstacles[0]).toContain(reason)
    expect(obstacles[0]).toContain('simulation')
  })

  it.each([['loss', scenarioOf(', loss: 1%')], ['slow', withFault('slow')], ['partition', withFault('partition')]])('with %s needs root', (what, scenario) => {
    expect(judgeMachine(scenario, NO_ROOT).obstacles).toEqual([`${what}: needs links that can be shaped, which needs root on Linux (here: not root); leave it out of the scenario, or take the simulation`])
  })

  it.each(['kill', 'restart', 'stall', 'lie'] as const)('with %s needs no root', type => {
    expect(judgeMachine(withFault(type), NO_ROOT).obstacles).toEqual([])
  })
})
