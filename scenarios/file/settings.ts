import { parse } from 'yaml'
import { shownValue } from '../../src/values/shown-value.ts'
import { nearestOf } from './problem.ts'

const WHOLE_NUMBER = /^\d{1,9}$/

/** A key of the file with dots, such as `groups.rack-a.count`, and a value in its place, as it would stand there. */
export type Setting = readonly [key: string, value: string]

/** A file's content with values in place of what stood there. */
export interface SetContent {
  readonly content: Readonly<Record<string, unknown>>
  /** By key: what a problem there is blamed on. */
  readonly sources: ReadonlyMap<string, string>
  /** The last `hosts=…`: how many there are to be in all. */
  readonly hosts: Setting | undefined
  /** One line each. */
  readonly problems: readonly string[]
}

/** Puts values in their places, the last of one key wins. `hosts` is no key of the file, but all groups together. */
export function applySettings (given: Readonly<Record<string, unknown>>, settings: readonly Setting[]): SetContent {
  const content = structuredClone(given) as Record<string, unknown>
  const sources = new Map<string, string>()
  const problems: string[] = []
  for (const setting of settings) {
    const [key, text] = setting
    if (key === 'hosts') continue
    const outcome = put(content, key, text)
    if ('problem' in outcome) problems.push(`${sourceOf(setting)}: ${key}: ${outcome.problem}`)
    else sources.set(outcome.changed, sourceOf(setting))
  }
  return { content, sources, hosts: settings.findLast(([key]) => key === 'hosts'), problems }
}

/** As problems name it. */
export function sourceOf ([key, value]: Setting): string {
  return `setting ${key}=${value}`
}

/** @returns the key that is new or has another value now, or what is wrong */
function put (content: Record<string, unknown>, key: string, text: string): { readonly changed: string } | { readonly problem: string } {
  let value: unknown
  try {
    value = parse(text)
  } catch {
    return { problem: `${shownValue(text)} is not valid YAML; expected a value as it would stand in the file` }
  }
  const names = key.split('.')
  const upTo = (depth: number) => names.slice(0, depth).join('.')
  let changed = key
  let parent: unknown = content
  for (const [depth, name] of names.entries()) {
    const isLast = depth === names.length - 1
    if (Array.isArray(parent)) {
      if (!WHOLE_NUMBER.test(name) || Number(name) >= parent.length) return { problem: `${upTo(depth)} has no entry ${shownValue(name)}; ${entriesOf(parent)}` }
      if (isLast) parent[Number(name)] = value
      parent = parent[Number(name)] as unknown
    } else if (isMapping(parent)) {
      if (isLast) {
        parent[name] = value
      } else if (!Object.hasOwn(parent, name)) {
        // a group or an image is not made by a key of it
        if (depth > 0 && Object.keys(parent).length > 0) return { problem: `there is no ${shownValue(name)} in ${upTo(depth)}; ${nearestOf(name, Object.keys(parent))}` }
        parent[name] = {}
        changed = upTo(depth + 1)
      }
      parent = parent[name]
    } else {
      return { problem: `${upTo(depth)} is ${shownValue(parent)} and has no keys; set it as a whole` }
    }
  }
  return { changed }
}

function entriesOf (list: readonly unknown[]): string {
  return list.length === 0 ? 'it is empty' : `expected 0 to ${list.length - 1}`
}

function isMapping (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
