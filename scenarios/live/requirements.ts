import type { FaultType, Scenario } from '../scenario.ts'
import type { Machine } from './machine.ts'

const AGENTS_PER_PROCESSOR = 24
const AGENT_BYTES = 300e6
/** Of one group's addresses. */
const MAX_AGENTS = 254

/** What stands in the way of a live run, and what it would leave out: sentences for people. */
export interface Verdict {
  readonly obstacles: readonly string[]
  readonly notes: readonly string[]
}

/** Judges, before anything is started, whether a machine can run a scenario with real agents. */
export function judgeMachine (scenario: Scenario, machine: Machine): Verdict {
  return {
    obstacles: [...missingObstacles(machine), ...sizeObstacles(scenario, machine), ...linkObstacles(scenario, machine), ...faultObstacles(scenario, machine)],
    notes: notesOn(scenario, machine)
  }
}

function missingObstacles ({ missing }: Machine): string[] {
  return missing.map(command => `${command} is not installed; on Debian: apt-get install ${command === 'setpriv' ? 'util-linux' : command}`)
}

function sizeObstacles ({ groups, images }: Scenario, { processors, freeMemoryBytes, freeDiskBytes }: Machine): string[] {
  const hosts = groups.reduce((sum, { count }) => sum + count, 0)
  const byProcessors = Math.min(MAX_AGENTS, processors * AGENTS_PER_PROCESSOR)
  const byMemory = Math.floor(freeMemoryBytes / AGENT_BYTES)
  const most = Math.min(byProcessors, byMemory)
  const fewer = most >= groups.length ? `--set hosts=${most}, or` : 'a larger machine, or'
  const bytes = (hosts + 1) * bytesOf(images)
  return [
    ...hosts > byProcessors ? [`${hosts} hosts are ${hosts} agents, and ${processors} processors carry ${byProcessors} (${AGENTS_PER_PROCESSOR} each): ${fewer} the simulation`] : [],
    ...hosts > byMemory ? [`${hosts} agents want ${gigabytes(hosts * AGENT_BYTES)} of memory, and ${gigabytes(freeMemoryBytes)} are free: ${fewer} the simulation`] : [],
    ...bytes > freeDiskBytes ? [`${hosts} hosts and a registry want ${gigabytes(bytes)} of temporary files, and ${gigabytes(freeDiskBytes)} are free: fewer hosts, smaller layers, a TMPDIR with more room, or the simulation`] : []
  ]
}

/** Of the layers of all images, each once. */
function bytesOf (images: Scenario['images']): number {
  const sizes = new Map(images.flatMap(({ layers }) => layers.map(({ name, bytes }) => [name, bytes] as const)))
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0)
}

function linkObstacles ({ groups, paths, media }: Scenario, { noLinks, hasDelay, hasClasses, hasSharedRate }: Machine): string[] {
  const wants = [
    { what: 'loss', isWanted: groups.some(({ loss }) => loss > 0), has: hasDelay, needs: 'netem in the kernel' },
    { what: 'limits of paths', isWanted: paths.some(({ up, down }) => Math.min(up, down) < Infinity), has: hasClasses, needs: 'htb in the kernel' },
    { what: 'a shared medium', isWanted: media.length > 0, has: hasSharedRate, needs: 'ifb in the kernel' }
  ]
  return wants.filter(({ isWanted, has }) => isWanted && !has).map(({ what, needs }) => `${what}: ${whyNot(noLinks, needs)}; leave it out of the scenario, or take the simulation`)
}

function faultObstacles ({ faults }: Scenario, { noLinks, hasCuts, faultyMain }: Machine): string[] {
  const has = (type: FaultType): boolean => faults.some(fault => fault.type === type)
  return [
    ...has('slow') && noLinks !== undefined ? [`slow: ${whyNot(noLinks, '')}; leave it out of the scenario, or take the simulation`] : [],
    ...has('partition') && !hasCuts ? [`partition: ${whyNot(noLinks, 'nft, and nftables in the kernel')}; leave it out of the scenario, or take the simulation`] : [],
    ...has('lie') && faultyMain === undefined ? ['lie: the agent that lies is kept with the tests: run it in a checkout of the sources, or take the simulation'] : [],
    ...has('dht-loss') ? ['dht-loss: nothing makes a real agent lose lookups; leave it out of the scenario, or take the simulation'] : []
  ]
}

function notesOn ({ groups, paths, origin, faults }: Scenario, { noLinks, hasDelay }: Machine): string[] {
  const latencyMs = Math.max(0, origin?.latencyMs ?? 0, ...groups.map(group => group.latencyMs), ...paths.map(path => path.latencyMs))
  return [
    ...noLinks === undefined ? [] : [`links are not shaped (${noLinks}): agents keep to their rates by their own limits`],
    ...latencyMs > 0 && !hasDelay ? [`latency, here up to ${latencyMs} ms one way, is left out: ${whyNot(noLinks, 'netem in the kernel')}`] : [],
    ...faults.some(({ type }) => type === 'lie') ? ['hosts that lie sign wrong pieces, all of them, and pull nothing'] : [],
    'waits are told as far as agents show them, control messages are not counted, and the time of DHT lookups is what it is'
  ]
}

function whyNot (noLinks: string | undefined, needs: string): string {
  return noLinks === undefined ? `needs ${needs}` : `needs links that can be shaped, which needs root on Linux (here: ${noLinks})`
}

function gigabytes (bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}
