import { nearestName } from '../../src/values/nearest.ts'
import { shownValue } from '../../src/values/shown-value.ts'
import { redactText, isSecretName, REDACTED } from '../redact.ts'
import { configKeys, originEntryKeys } from './keys.ts'
import type { SourceName } from './load.ts'
import type { YamlFile } from '../../src/values/yaml-file.ts'
import type { z } from 'zod'

interface ProblemContext {
  /** What was given to the schema. */
  readonly raw: unknown
  readonly sources: ReadonlyMap<string, SourceName>
  readonly yaml: YamlFile | undefined
}

/** One line for each thing wrong: source, key, value, what is allowed. */
export function describeIssue (issue: z.core.$ZodIssue, context: ProblemContext): string[] {
  const name = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => describeUnknown([...issue.path, key], context))
  if (issue.code === 'invalid_key') return [`${sourceOf(issue.path, context, true)}: ${name}: expected ${issue.issues[0]?.message ?? 'another name'}`]
  const value = valueAt(context.raw, issue.path)
  const said = value === undefined ? 'is missing' : `${shown(value, issue.path)} is not allowed`
  return [`${sourceOf(issue.path, context)}: ${name}: ${said}; expected ${issue.message}`]
}

function describeUnknown (path: readonly PropertyKey[], context: ProblemContext): string {
  const known = namesBeside(path)
  const nearest = nearestName(path.join('.'), known)
  const hint = nearest === undefined ? `expected one of ${known.join(', ')}` : `did you mean ${nearest}?`
  return `${sourceOf(path, context, true)}: ${path.join('.')}: is not a known key; ${hint}`
}

/** Keys that may stand where the unknown one stands. */
function namesBeside (path: readonly PropertyKey[]): string[] {
  const parents = path.slice(0, -1)
  const prefix = parents.map(name => `${String(name)}.`).join('')
  if (path[0] === 'origins') return originEntryKeys.map(key => prefix + key.name)
  const beside = configKeys.filter(key => parents.every((name, depth) => key.path[depth] === name))
  return [...new Set(beside.map(key => prefix + (key.path[parents.length] ?? '')))]
}

/** The source of the longest known part of the path; in a file, the very place. */
function sourceOf (path: readonly PropertyKey[], { sources, yaml }: ProblemContext, ofKey = false): SourceName {
  for (let length = path.length; length > 0; length--) {
    const source = sources.get(path.slice(0, length).join('.'))
    if (source === undefined) continue
    return yaml !== undefined && source.startsWith(`${yaml.file}:`) ? yaml.locate(path, { ofKey }) : source
  }
  return yaml?.locate(path, { ofKey }) ?? 'default'
}

function valueAt (raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw
  for (const name of path) {
    // A text that the schema took apart itself: a list from a variable, an origin given as a URL.
    if (typeof value === 'string') return value
    value = typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[name] : undefined
  }
  return value
}

/** A value in one short line, without what may be secret. */
function shown (value: unknown, path: readonly PropertyKey[]): string {
  if (path.some(name => isSecretName(String(name))) || (typeof value === 'string' && /[\r\n]/.test(value))) return REDACTED
  return shownValue(typeof value === 'string' ? redactText(value) : value)
}
