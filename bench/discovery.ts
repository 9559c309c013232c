import { fork, type ChildProcess } from 'node:child_process'
import { on } from 'node:events'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { DiscoveryAnswer, DiscoveryOrder, Meetings } from './support/discovery-nodes.ts'
import { printSection } from './support/report.ts'
import { percentile, spread } from './support/samples.ts'

/*
 * How soon hosts that begin at the same time know each other: many nodes in a few processes, entered by one of them, join one
 * blob within 100 ms.
 * npm run bench:discovery -- [--hosts COUNT] [--rounds COUNT] [--processes COUNT] [--bootstrap COUNT] [--settle SECONDS] [--wait SECONDS]
 */

const SPREAD_MS = 100
/** Until all processes have the order. */
const LEAD_MS = 500
const TIMEOUT_MS = 300_000
const SIZE = 64 * 1024 * 1024
const ENOUGH = [1, 8, 16]

/** A process with some of the nodes. */
class NodesProcess {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'support/discovery-nodes.ts'))
  readonly #answers = on(this.#child, 'message', { close: ['exit'], signal: AbortSignal.timeout(TIMEOUT_MS) })

  tell (order: DiscoveryOrder): void {
    this.#child.send(order)
  }

  async hear<T extends DiscoveryAnswer['type']> (type: T): Promise<Extract<DiscoveryAnswer, { type: T }>> {
    const { value } = await this.#answers.next() as { value?: [DiscoveryAnswer] }
    if (value?.[0].type !== type) throw new Error(`nodes said ${value?.[0].type} instead of ${type}`)
    return value[0] as Extract<DiscoveryAnswer, { type: T }>
  }

  stop (): void {
    this.#child.kill('SIGKILL')
  }
}

interface Sample {
  /** Of each node: milliseconds from its own start until it had so many members. */
  readonly enough: ReadonlyArray<readonly number[]>
  /** From the first start until each could hear of each other by way of members. */
  readonly connectedMs: number
  readonly degrees: readonly number[]
  readonly neighbours: readonly number[]
  readonly cpuSeconds: number
}

async function measure (processes: readonly NodesProcess[], round: number, waitMs: number): Promise<Sample> {
  const atMs = Date.now() + LEAD_MS
  for (const process of processes) process.tell({ type: 'join', name: `round ${round} ${atMs}`, size: SIZE, atMs, spreadMs: SPREAD_MS })
  await sleep(LEAD_MS + waitMs)
  const reports = await reportsOf(processes)
  const nodes = reports.flatMap(({ nodes }) => nodes)
  return {
    enough: ENOUGH.map(count => nodes.map(({ joinedAtMs, met }) => (met[Math.min(count, nodes.length - 1) - 1]?.atMs ?? Infinity) - joinedAtMs)),
    connectedMs: connectedAt(nodes) - Math.min(...nodes.map(({ joinedAtMs }) => joinedAtMs)),
    degrees: nodes.map(({ met }) => met.length),
    neighbours: reports.flatMap(({ neighbours }) => neighbours),
    cpuSeconds: reports.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
  }
}

async function reportsOf (processes: readonly NodesProcess[]): Promise<Array<Extract<DiscoveryAnswer, { type: 'report' }>>> {
  for (const process of processes) process.tell({ type: 'report' })
  return Promise.all(processes.map(async process => process.hear('report')))
}

/** When the last two parts of the swarm became one: milliseconds since the epoch. */
function connectedAt (nodes: readonly Meetings[]): number {
  const part = new Map(nodes.map(({ peer }) => [peer, peer]))
  const partOf = (peer: string): string => {
    let root = peer
    for (let above = part.get(root); above !== undefined && above !== root; above = part.get(root)) root = above
    part.set(peer, root)
    return root
  }
  let left = nodes.length - 1
  const meetings = nodes.flatMap(({ peer, met }) => met.map(one => ({ one: peer, other: one.peer, atMs: one.atMs }))).sort((a, b) => a.atMs - b.atMs)
  for (const { one, other, atMs } of meetings) {
    if (partOf(one) === partOf(other)) continue
    part.set(partOf(one), partOf(other))
    if (--left === 0) return atMs
  }
  return Infinity
}

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '5' },
    processes: { type: 'string', default: '16' },
    bootstrap: { type: 'string', default: '1' },
    settle: { type: 'string', default: '5' },
    wait: { type: 'string', default: '8' }
  }
})
const hosts = Number(values.hosts)
const count = Math.min(Number(values.processes), Math.ceil(hosts / 2))
const processes = Array.from({ length: count }, () => new NodesProcess())
try {
  const [first, ...others] = processes
  const each = Math.floor(hosts / count)
  first?.tell({ type: 'start', count: hosts - each * (count - 1), bootstrap: [] })
  const { addresses = [] } = await first?.hear('started') ?? {}
  const startedAtMs = performance.now()
  for (const process of others) process.tell({ type: 'start', count: each, bootstrap: addresses.slice(0, Number(values.bootstrap)) })
  await Promise.all(others.map(async process => process.hear('started')))
  while ((await reportsOf(processes)).some(({ neighbours }) => neighbours.includes(0))) await sleep(500)
  console.log(`each has a neighbour after ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`)
  await sleep(Number(values.settle) * 1000)
  const samples: Sample[] = []
  for (let round = 0; round < Number(values.rounds); round++) samples.push(await measure(processes, round, Number(values.wait) * 1000))
  const of = (value: (sample: Sample) => number, digits = 0): string => spread(samples.map(value), digits)
  printSection({
    title: `discovery: ${hosts} hosts in ${count} processes on ${availableParallelism()} cores, entered by ${values.bootstrap}; all begin within ${SPREAD_MS} ms; ${values.rounds} rounds; milliseconds`,
    rows: [
      ...ENOUGH.map((enough, index) => ({
        what: `until ${Math.min(enough, hosts - 1)} members, p50 / p99`,
        value: `${of(({ enough }) => percentile(enough[index] ?? [], 50))} / ${of(({ enough }) => percentile(enough[index] ?? [], 99))}`
      })),
      { what: 'until one whole, from the first start', value: of(({ connectedMs }) => connectedMs) },
      { what: 'met in all, p50 / least', value: `${of(({ degrees }) => percentile(degrees, 50))} / ${of(({ degrees }) => Math.min(...degrees))}` },
      { what: 'neighbours before, p50', value: of(({ neighbours }) => percentile(neighbours, 50)) },
      { what: 'CPU ms of each host in the round', value: of(({ cpuSeconds }) => cpuSeconds * 1000 / hosts) }
    ]
  })
} finally {
  for (const process of processes) process.stop()
}
