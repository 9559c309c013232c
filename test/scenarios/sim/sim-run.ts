import { parseScenario } from '../../../scenarios/file/load.ts'
import { Recorder } from '../../../scenarios/recorder.ts'
import { simulate } from '../../../scenarios/sim/simulate.ts'
import type { Result, RunEvent, RunObserver } from '../../../scenarios/result.ts'
import type { Scenario } from '../../../scenarios/scenario.ts'

type Fact = keyof RunObserver

const FACTS = [
  'started', 'received', 'gave', 'inVain', 'crossedBorder', 'wrong', 'control', 'originAnswered', 'originSent', 'done', 'failed', 'left', 'waited', 'lied', 'banned', 'event'
] as const satisfies readonly Fact[]

/** One call of the observer, in the order of the calls. */
export type Told = { readonly [F in Fact]: { readonly fact: F, readonly args: Parameters<RunObserver[F]> } }[Fact]

export interface SimRun {
  readonly told: readonly Told[]
  readonly end: { readonly durationMs: number, readonly isPartial: boolean }
  readonly result: Result
}

/** Four hosts of 10 MB/s that pull 10 MB at once; what is appended may replace a key at the top. */
export const FOUR_HOSTS = `
limit: 10m
groups: { rack: { count: 4, up: 10MB/s, down: 10MB/s } }
origin: { up: 10MB/s }
images: { app: [10MB] }
`

/** Simulates a scenario, given as YAML or whole, and keeps what the engine told. */
export async function simRun (given: string | Scenario, options: Parameters<typeof simulate>[2] = {}): Promise<SimRun> {
  const scenario = typeof given === 'string' ? parseScenario('test.yaml', given) : given
  const recorder = new Recorder(scenario, { engine: 'sim', shoal: '0.0.0' })
  const told: Told[] = []
  const observer = Object.fromEntries(FACTS.map(fact => [fact, (...args: never[]) => {
    told.push({ fact, args } as unknown as Told)
    recorder[fact](...args as unknown as [never, never, never, never])
  }])) as unknown as RunObserver
  const end = await simulate(scenario, observer, options)
  return { told, end, result: recorder.result(end) }
}

/** When a fact was told; undefined where it says no time. */
export function timeOf ({ fact, args }: Told): number | undefined {
  switch (fact) {
    case 'crossedBorder': case 'waited': return undefined
    case 'event': return args[0].atMs
    default: return args.at(-1) as number
  }
}

/** The calls of one kind. */
export function toldOf<F extends Fact> ({ told }: SimRun, fact: F): Array<Parameters<RunObserver[F]>> {
  return told.filter(one => one.fact === fact).map(({ args }) => args as Parameters<RunObserver[F]>)
}

/** When such events happened, in milliseconds. */
export function timesOf ({ result }: SimRun, type: RunEvent['type']): number[] {
  return result.events.filter(event => event.type === type).map(({ atMs }) => atMs)
}
