import { homedir } from 'node:os'
import { isAbsolute, join, resolve, dirname } from 'node:path'
import { nearestName } from '../../src/values/nearest.ts'
import { ConfigError } from './config-error.ts'
import { configKeys, mapTypedValues } from './keys.ts'
import { describeIssue } from './problem.ts'
import { configSchema } from './schema.ts'
import { readYamlFile } from './yaml-file.ts'
import type { ConfigKey } from './keys.ts'
import type { Config } from './schema.ts'
import type { YamlFile } from '../../src/values/yaml-file.ts'

const SYSTEM_FILE = '/etc/shoal/shoal.yaml'
/** What Kubernetes injects for a Service named shoal. */
const SERVICE_LINK = /^SHOAL_.*(SERVICE_(HOST|PORT)|PORT)(_|$)/

/** Texts given by flags, by `ConfigKey.name`: a text, several, or a boolean for a switch. */
export type FlagValues = Readonly<Record<string, string | boolean | readonly string[]>>

/** Where a value was given, as a person would look for it: `--http`, `SHOAL_HTTP`, `/etc/shoal/shoal.yaml:3:7` or `default`. */
export type SourceName = string

export interface LoadInit {
  /** @default none */
  flags?: FlagValues
  /** Value of `--config`. */
  configFile?: string
  /** @default process.env */
  env?: Readonly<Record<string, string | undefined>>
  /** What paths in flags and variables are relative to. @default process.cwd() */
  directory?: string
  /** @default os.homedir() */
  home?: string
  /** Whether a person reads the log. @default whether stderr is a terminal */
  isTerminal?: boolean
  /** Read when there is no other file. @default /etc/shoal/shoal.yaml */
  systemFile?: string
}

export interface LoadedConfig {
  readonly config: Config
  /** By `ConfigKey.name`; entries of `origins` also by `origins.HOST`. */
  readonly sources: ReadonlyMap<string, SourceName>
  /** The file that was read, if any. */
  readonly file: string | undefined
  /** What looks like a slip but can't be called one. */
  readonly warnings: readonly string[]
}

interface Given {
  readonly value: unknown
  readonly source: SourceName
  /** What relative paths are relative to. */
  readonly directory: string
  /** The source of one entry, where that can be told. */
  readonly sourceOf?: (entry: string) => SourceName
}

/** The configuration by precedence: flag, `SHOAL_*` variable, YAML file, default. @throws ConfigError naming all that is wrong */
export async function loadConfig (init: LoadInit = {}): Promise<LoadedConfig> {
  const env = init.env ?? process.env
  const home = init.home ?? homedir()
  const directory = init.directory ?? process.cwd()
  const yaml = await findFile(init, env, home, directory)
  const context = { dataHome: xdgDirectory(env.XDG_DATA_HOME, join(home, '.local/share')), isTerminal: init.isTerminal ?? process.stderr.isTTY }

  const raw: Record<string, unknown> = structuredClone({ ...yaml?.content })
  const sources = new Map<string, SourceName>()
  const directories = new Map<string, string>()
  const problems: string[] = []
  for (const key of configKeys) {
    const inFile = fromFile(key, yaml)
    const given = [fromFlag(key, init.flags ?? {}, directory), fromVariable(key, env, directory), inFile].filter(candidate => candidate !== undefined)
    if (key.shape === 'pairs') {
      setPath(raw, key.path, mergePairs(key, given, sources, problems))
    } else {
      setPath(raw, key.path, given[0]?.value ?? key.computedDefault?.(context))
    }
    sources.set(key.name, given[0]?.source ?? 'default')
    directories.set(key.name, (key.shape === 'pairs' ? inFile : given[0])?.directory ?? directory)
  }

  const parsed = configSchema.safeParse(raw)
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap(issue => describeIssue(issue, { raw, sources, yaml })))
  if (!parsed.success || problems.length > 0) throw new ConfigError([...new Set(problems)])
  return { config: absolutePaths(parsed.data, directories, home), sources, file: yaml?.file, warnings: strangeVariables(env) }
}

/** XDG base directory specification: a relative path there is invalid and ignored. */
function xdgDirectory (given: string | undefined, fallback: string): string {
  return given !== undefined && isAbsolute(given) ? given : fallback
}

async function findFile (init: LoadInit, env: Readonly<Record<string, string | undefined>>, home: string, directory: string): Promise<YamlFile | undefined> {
  const named = init.configFile ?? (env.SHOAL_CONFIG !== '' ? env.SHOAL_CONFIG : undefined)
  if (named !== undefined) {
    const file = resolve(directory, expandHome(named, home))
    const yaml = await readYamlFile(file)
    if (yaml === undefined) throw new ConfigError([`${init.configFile === undefined ? 'SHOAL_CONFIG' : '--config'}: ${file} does not exist; expected the path of a YAML file`])
    return yaml
  }
  const own = join(xdgDirectory(env.XDG_CONFIG_HOME, join(home, '.config')), 'shoal/shoal.yaml')
  return await readYamlFile(own) ?? await readYamlFile(init.systemFile ?? SYSTEM_FILE)
}

function fromFlag (key: ConfigKey, flags: FlagValues, directory: string): Given | undefined {
  const value = flags[key.name]
  return value === undefined ? undefined : { value, source: value === false ? key.flag.replace('--', '--no-') : key.flag, directory }
}

/** An empty variable is an unset one, as compose files and shells make them. */
function fromVariable (key: ConfigKey, env: Readonly<Record<string, string | undefined>>, directory: string): Given | undefined {
  const value = env[key.variable]?.trim()
  return value === undefined || value === '' ? undefined : { value, source: key.variable, directory }
}

/** A key without a value is an unset one. */
function fromFile (key: ConfigKey, yaml: YamlFile | undefined): Given | undefined {
  let value: unknown = yaml?.content
  for (const name of key.path) value = isMapping(value) ? value[name] : undefined
  return yaml === undefined || value === undefined || value === null ? undefined : { value, source: yaml.locate(key.path), directory: dirname(yaml.file), sourceOf: entry => yaml.locate([...key.path, entry], { ofKey: true }) }
}

/** Later hosts win nothing: the first source that names a host decides all about it, so that credentials never meet another source's URL. */
function mergePairs (key: ConfigKey, given: readonly Given[], sources: Map<string, SourceName>, problems: string[]): unknown {
  if (given.length === 0) return undefined
  const merged: Record<string, unknown> = {}
  for (const { value, source, sourceOf } of given) {
    if (!isMapping(value) && typeof value !== 'string' && !Array.isArray(value)) return value
    for (const [host, entry] of isMapping(value) ? Object.entries(value) : splitPairs(value, key, source, problems)) {
      const name = host.toLowerCase()
      if (Object.hasOwn(merged, name)) continue
      merged[name] = entry
      sources.set(`${key.name}.${name}`, sourceOf?.(host) ?? source)
    }
  }
  return merged
}

function splitPairs (value: string | readonly unknown[], key: ConfigKey, source: SourceName, problems: string[]): Array<[string, string]> {
  const texts = typeof value === 'string' ? value.split(/[\s,]+/).filter(text => text !== '') : value.map(String)
  return texts.flatMap((text): Array<[string, string]> => {
    const at = text.indexOf('=')
    if (at > 0) return [[text.slice(0, at), text.slice(at + 1)]]
    problems.push(`${source}: ${key.name}: a pair without "="; expected ${key.argument ?? 'NAME=VALUE'}`)
    return []
  })
}

function setPath (target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let parent = target
  for (const name of path.slice(0, -1)) {
    parent[name] ??= {}
    const child = parent[name]
    if (!isMapping(child)) return
    parent = child
  }
  const last = path.at(-1) ?? ''
  if (value === undefined) delete parent[last]
  else parent[last] = value
}

function absolutePaths (config: Config, directories: ReadonlyMap<string, string>, home: string): Config {
  const changed = structuredClone(config) as Record<string, unknown>
  for (const key of configKeys) {
    const directory = directories.get(key.name) ?? '.'
    let value: unknown = config
    for (const name of key.path) value = isMapping(value) ? value[name] : undefined
    setPath(changed, key.path, mapTypedValues(key.schema, value, (type, part) => type.isPath === true ? resolve(directory, expandHome(String(part), home)) : part))
  }
  return changed as Config
}

function expandHome (path: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path
}

function strangeVariables (env: Readonly<Record<string, string | undefined>>): string[] {
  const known = configKeys.map(key => key.variable).concat('SHOAL_CONFIG')
  return Object.keys(env)
    .filter(name => name.startsWith('SHOAL_') && !known.includes(name) && !SERVICE_LINK.test(name))
    .map(name => {
      const nearest = nearestName(name, known)
      return `environment variable ${name} is not known${nearest === undefined ? '' : `: did you mean ${nearest}?`}`
    })
}

function isMapping (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
