import { UsageError } from './cli-error.ts'
import type { Setting } from '../../scenarios/file/settings.ts'
import type { EngineName } from '../../scenarios/result.ts'

/** What is done with what a run has shown. */
export interface SimulateOutput {
  /** Undefined: where the command puts it by itself. */
  readonly out: string | undefined
  readonly asJson: boolean
  readonly isQuiet: boolean
  readonly hasReport: boolean
}

/** What `shoal simulate` was asked for. */
export type SimulateRequest = SimulateOutput & (
  | { readonly type: 'list' }
  | { readonly type: 'compare', readonly files: readonly [string, string] }
  | { readonly type: 'run', readonly scenario: string, readonly settings: readonly Setting[], readonly engine: EngineName }
  | { readonly type: 'both', readonly scenario: string, readonly settings: readonly Setting[] }
  | { readonly type: 'sweep', readonly scenario: string, readonly settings: readonly Setting[], readonly key: string, readonly values: readonly string[] }
)

/** Options of which one decides what the command does. */
const WAYS = ['list', 'compare', 'sweep', 'both', 'live'] as const

/** What was typed, understood. @throws UsageError */
export function simulateRequest (scenario: string | undefined, options: Readonly<Record<string, unknown>>): SimulateRequest {
  const given = WAYS.filter(way => options[way] !== undefined)
  if (given.length > 1) throw new UsageError(`${given.map(way => `--${way}`).join(' and ')} exclude each other`)
  if (options.json === true && options.quiet === true) throw new UsageError('--json and --quiet exclude each other')
  const output = {
    out: typeof options.out === 'string' ? options.out : undefined,
    asJson: options.json === true,
    isQuiet: options.quiet === true,
    hasReport: options.report !== false
  }
  const [way] = given
  if (way === 'list' || way === 'compare') {
    if (scenario !== undefined) throw new UsageError(`--${way} runs nothing: leave out ${JSON.stringify(scenario)}`)
    return way === 'list' ? { type: 'list', ...output } : { type: 'compare', files: filesOf(options.compare), ...output }
  }
  if (scenario === undefined) throw new UsageError('which scenario? Name a file, or one of the library: "shoal simulate --list" shows them')
  const settings = settingsOf(options)
  if (way === 'sweep') return { type: 'sweep', scenario, settings, ...sweepOf(options.sweep), ...output }
  if (way === 'both') return { type: 'both', scenario, settings, ...output }
  return { type: 'run', scenario, settings, engine: way === 'live' ? 'live' : 'sim', ...output }
}

function filesOf (given: unknown): readonly [string, string] {
  const [first, second, ...others] = Array.isArray(given) ? given.map(String) : []
  if (first === undefined || second === undefined || others.length > 0) throw new UsageError('--compare: expected two results, such as before/result.json after/result.json')
  return [first, second]
}

function settingsOf ({ set, seed }: Readonly<Record<string, unknown>>): Setting[] {
  const settings = (Array.isArray(set) ? set.map(String) : []).map((text): Setting => splitAtEquals(text) ?? refuse('--set', text, 'KEY=VALUE, such as origin.up=100MB/s'))
  return typeof seed === 'string' ? [...settings, ['seed', seed]] : settings
}

function sweepOf (given: unknown): { key: string, values: string[] } {
  const text = String(given)
  const [key, list] = splitAtEquals(text) ?? refuse('--sweep', text, 'KEY=VALUE,VALUE,…, such as hosts=100,1000,10000')
  const values = list.split(',').map(value => value.trim())
  if (values.includes('')) refuse('--sweep', text, 'a value between each two commas')
  if (new Set(values).size < values.length) refuse('--sweep', text, 'each value once')
  return { key, values }
}

function splitAtEquals (text: string): Setting | undefined {
  const at = text.indexOf('=')
  return at < 1 ? undefined : [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}

function refuse (option: string, text: string, expected: string): never {
  throw new UsageError(`${option}: ${JSON.stringify(text)} is not allowed; expected ${expected}`)
}
