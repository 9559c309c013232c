import { nearestName } from '../../src/values/nearest.ts'
import { shownValue } from '../../src/values/shown-value.ts'
import type { z } from 'zod'

/** Where in the file, what is wrong there, and what is allowed or to be done. */
export interface Problem {
  readonly path: readonly PropertyKey[]
  /** The key itself is wrong, not its value. */
  readonly ofKey?: boolean
  readonly text: string
}

/** What the schema found, one for each thing wrong. @param raw - what was given to the schema */
export function problemsOf (issue: z.core.$ZodIssue, raw: unknown, parents: readonly PropertyKey[] = []): Problem[] {
  const path = [...parents, ...issue.path]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(key => ({ path: [...path, key], ofKey: true, text: `is not a known key; ${nearestOf(key, issue.message.split(', '))}` }))
    case 'invalid_key':
      return [{ path, ofKey: true, text: `${shownValue(path.at(-1))} is not allowed; expected ${issue.issues[0]?.message ?? 'another name'}` }]
    case 'invalid_union': {
      const meant = meantForm(issue)
      if (meant !== undefined) return meant.flatMap(inner => problemsOf(inner, raw, path))
      break
    }
    default:
  }
  return [notAllowed(path, valueAt(raw, path), issue.message)]
}

/** The nearest known name for one who has mistyped it, else all of them. */
export function nearestOf (name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  if (nearest !== undefined) return `did you mean ${nearest}?`
  return known.length === 0 ? 'none is defined' : `expected one of ${known.join(', ')}`
}

/** Of several forms the one that the value has: what is wrong with it is inside it. */
function meantForm ({ errors }: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] | undefined {
  return errors.find(issues => issues.length > 0 && issues.every(isInside))
}

function isInside (issue: z.core.$ZodIssue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys' || issue.code === 'too_small' || (issue.code === 'invalid_union' && meantForm(issue) !== undefined)
}

/** A value that is not allowed there. */
function notAllowed (path: readonly PropertyKey[], value: unknown, allowed: string): Problem {
  return { path, text: `${value === undefined ? 'is missing' : `${shownValue(value)} is not allowed`}; expected ${allowed}` }
}

function valueAt (raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, name) => typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[name] : undefined, raw)
}
