import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SCENARIOS, type Scenario } from './scenario.ts'

const MIB = 1024 * 1024
const MB = 1e6
const COMPARISONS = ['small', 'pair'] as const
const DEFAULT_PRESET = 'n16'

export const USAGE = `usage: npm run bench:rollout -- [PRESET] [OPTION…]

All hosts pull the same new image within 100 ms: real agents, and as root each in a network namespace of its own.
Exit code 1 when a bar is missed.

presets
  n16       16 hosts, 64 MiB in 2 layers, 10 MB/s up and down per host, origin 10 MB/s (default)
  n32       32 hosts, 32 MiB, 5 MB/s
  faults    n16 with 2 hosts killed at half of T*, 2 at a tenth of the speed, 1 stalling, 1 lying
  rolling   n16 with the image on 25 % of the hosts already
  small     4 hosts, 10 MB image, nothing shaped: skopeo through agents that lack it against skopeo straight from the registry
  pair      1 GiB from one agent to another against raw node:tls, and warm reads; nothing shaped

what is rolled out; without these the preset's bars are held
  --hosts N  --mib SIZE  --layers N
  --rate MB/S           up and down, of each host (TCP payload)
  --origin-rate MB/S    of the registry

how
  --runs N              one after the other, with new agents each; prints the spread (default 1; small and pair: 3)
  --out FILE            the completion curves, SVG (default: in the temporary directory)
  --bootstrap-hosts N   how many of the first hosts the others are told of (default 1)
  --warm-up N           rollouts of other images of that size that the agents have taken part in before, unshaped (default 2); with
                        0 they have just been started, and all compile their code at once
  --settle SECONDS      wait before the start, in which what was pulled before is announced, and then until the
                        agents are idle (default 15)
  --no-caps             links only, without --upload-limit and --download-limit of the agents
  --agent-arg=ARG       further argument of each agent, repeatable: --agent-arg=--log-level=debug
  --faulty FILE         script run in place of the agent on stalling and lying hosts: started with the agent's arguments and
                        AGENT_FAULT=stalling|lying, it answers /readyz and /api/v1/status as the agent does (default: one
                        that speaks the swarm protocol and misbehaves in it)
  --logs DIR            keeps what each agent has printed
  --check-links         measures plain TCP over shaped links first`

/** A command line, understood. */
export interface RolloutOptions {
  readonly preset: keyof typeof SCENARIOS | typeof COMPARISONS[number]
  /** Undefined for presets that are no rollout over links. */
  readonly scenario?: Scenario
  readonly runs: number
  readonly out: string
  readonly bootstrapHosts: number
  readonly warmUps: number
  readonly settleMs: number
  readonly hasCaps: boolean
  readonly agentArgs: readonly string[]
  readonly faultyMain: string
  readonly logDir?: string
  readonly checksLinks: boolean
}

/** @throws Error that says what is wrong with the command line; `undefined` when help is asked for */
export function parseOptions (args: readonly string[]): RolloutOptions | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    allowNegative: true,
    options: {
      hosts: { type: 'string' },
      mib: { type: 'string' },
      layers: { type: 'string' },
      rate: { type: 'string' },
      'origin-rate': { type: 'string' },
      runs: { type: 'string' },
      out: { type: 'string' },
      'bootstrap-hosts': { type: 'string', default: '1' },
      'warm-up': { type: 'string', default: '2' },
      settle: { type: 'string', default: '15' },
      caps: { type: 'boolean', default: true },
      'agent-arg': { type: 'string', multiple: true, default: [] },
      faulty: { type: 'string', default: join(import.meta.dirname, '../../test/support/faulty-agent.ts') },
      logs: { type: 'string' },
      'check-links': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) return undefined
  const [preset = DEFAULT_PRESET, surplus] = positionals
  if (surplus !== undefined) throw new Error(`one preset at a time, not ${positionals.join(' and ')}`)
  const isComparison = isOneOf(COMPARISONS, preset)
  if (!isComparison && !isOneOf(Object.keys(SCENARIOS) as Array<keyof typeof SCENARIOS>, preset)) throw new Error(`unknown preset ${preset}`)
  const scenario = isComparison ? undefined : changed(SCENARIOS[preset], values)
  return {
    preset,
    scenario,
    runs: countOf('runs', values.runs) ?? (isComparison ? 3 : 1),
    out: resolve(values.out ?? join(tmpdir(), `shoal-rollout-${preset}.svg`)),
    bootstrapHosts: countOf('bootstrap-hosts', values['bootstrap-hosts']) ?? 1,
    warmUps: values['warm-up'] === '0' ? 0 : countOf('warm-up', values['warm-up']) ?? 0,
    settleMs: values.settle === '0' ? 0 : 1000 * (numberOf('settle', values.settle) ?? 0),
    hasCaps: values.caps,
    agentArgs: values['agent-arg'],
    faultyMain: resolve(values.faulty),
    logDir: values.logs === undefined ? undefined : resolve(values.logs),
    checksLinks: values['check-links']
  }
}

type Changes = Readonly<Partial<Record<'hosts' | 'mib' | 'layers' | 'rate' | 'origin-rate', string>>>

/** The preset with what the command line changes of it; then it is another scenario, and its bars say nothing. */
function changed (preset: Scenario, changes: Changes): Scenario {
  const hosts = countOf('hosts', changes.hosts)
  const mib = numberOf('mib', changes.mib)
  const layers = countOf('layers', changes.layers)
  const rate = numberOf('rate', changes.rate)
  const originRate = numberOf('origin-rate', changes['origin-rate'])
  if ([hosts, mib, layers, rate, originRate].every(value => value === undefined)) return preset
  return {
    ...preset,
    hosts: hosts ?? preset.hosts,
    imageBytes: mib === undefined ? preset.imageBytes : mib * MIB,
    layers: layers ?? preset.layers,
    hostBytesPerSecond: rate === undefined ? preset.hostBytesPerSecond : rate * MB,
    originBytesPerSecond: originRate === undefined ? preset.originBytesPerSecond : originRate * MB,
    bars: {}
  }
}

function numberOf (name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0, not ${text}`)
  return value
}

function countOf (name: string, text: string | undefined): number | undefined {
  const value = numberOf(name, text)
  if (value !== undefined && !Number.isInteger(value)) throw new Error(`--${name} must be a whole number, not ${text}`)
  return value
}

function isOneOf<T extends string> (all: readonly T[], text: string): text is T {
  return (all as readonly string[]).includes(text)
}
