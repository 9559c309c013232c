import { z } from 'zod'
import { nearestName } from '../../src/values/nearest.ts'
import { parseDuration } from '../../src/values/duration.ts'
import { parseRate } from '../../src/values/rate.ts'
import { parseSize } from '../../src/values/size.ts'
import { FIGURES } from '../result.ts'
import { parseShare } from './share.ts'
import type { Unit } from '../result.ts'
import type { Comparison, Expectation } from '../scenario.ts'

const FORM = 'FIGURE <= VALUE, such as "completion.p99 <= 1.2 x bound", "origin.bytes <= 1.05 x image", "wrong.bytes == 0", "completion.max <= 90s" or "done.share == 100%" (also >=, < and >)'
const EXPECTATION = /^([^\s<>=]+)\s*(<=|>=|==|<|>)\s*(\S.*)$/
const MULTIPLE = /^(?:(\d+(?:\.\d+)?)\s*[x×*]\s*)?(bound|image|clean)$/
const NUMBER = /^\d{1,15}(?:\.\d{1,6})?$/
const OF_GROUP = /^group\.([^.]+)\./

/** What a value in that unit looks like, and how it is read. */
const VALUES: Readonly<Record<Unit, { readonly allowed: string, readonly read: (text: string) => number | undefined }>> = {
  ms: { allowed: 'a time such as 90s, or a multiple of bound or clean', read: parseDuration },
  bytes: { allowed: 'a size such as 3GB, 0, or a multiple of image or clean', read: text => text === '0' ? 0 : parseSize(text) },
  'bytes/s': { allowed: 'a rate such as 300MB/s, 0, or a multiple of clean', read: text => text === '0' ? 0 : parseRate(text) },
  count: { allowed: 'a number, or a multiple of clean', read: readNumber },
  share: { allowed: 'a share such as 99.9% or 0.999, or a multiple of clean', read: text => parseShare(readNumber(text) ?? text) }
}

/** A figure's multiple makes sense of this only where it is counted in the same unit. */
const UNIT_OF = { bound: 'ms', image: 'bytes' } as const

/** An expectation as a person writes it. */
export const expectationSchema = z.string({ error: FORM }).transform((text, context): Expectation => {
  const expectation = parseExpectation(text)
  if (!('expected' in expectation)) return expectation
  context.issues.push({ code: 'custom', input: text, message: expectation.expected })
  return z.NEVER
}).meta({ pattern: '^[^\\s<>=]+\\s*(<=|>=|==|<|>)\\s*\\S.*$' })

/** @returns what was expected instead, where it is none */
export function parseExpectation (text: string): Expectation | { readonly expected: string } {
  const [, figure = '', comparison = '', limit = ''] = EXPECTATION.exec(text.trim()) ?? []
  if (figure === '') return { expected: FORM }
  const unit = unitOf(figure)
  if (unit === undefined) return { expected: figureHint(figure) }
  const value = readLimit(limit.trim(), unit)
  return value === undefined
    ? { expected: `${VALUES[unit].allowed}, as ${figure} is ${UNIT_WORDS[unit]}` }
    : { text: text.trim(), figure, comparison: comparison as Comparison, ...value }
}

/** The group whose figure it is; undefined: it is one of all hosts. */
export function groupOfFigure (figure: string): string | undefined {
  return OF_GROUP.exec(figure)?.[1]
}

const UNIT_WORDS: Readonly<Record<Unit, string>> = { ms: 'a time', bytes: 'a number of bytes', 'bytes/s': 'a rate', count: 'a number', share: 'a share' }

function readLimit (text: string, unit: Unit): { value: number, of: Expectation['of'] } | undefined {
  const [, factor = '1', of] = MULTIPLE.exec(text) ?? []
  if (of === undefined) {
    const value = VALUES[unit].read(text)
    return value === undefined ? undefined : { value, of: undefined }
  }
  const measure = of as NonNullable<Expectation['of']>
  return measure !== 'clean' && UNIT_OF[measure] !== unit ? undefined : { value: Number(factor), of: measure }
}

function readNumber (text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : undefined
}

function unitOf (figure: string): Unit | undefined {
  const name = figure.replace(OF_GROUP, 'group.<group>.')
  return Object.hasOwn(FIGURES, name) ? FIGURES[name]?.unit : undefined
}

function figureHint (figure: string): string {
  const group = groupOfFigure(figure)
  const known = Object.keys(FIGURES).map(name => group === undefined ? name : name.replace('<group>', group))
  const nearest = nearestName(figure, known.filter(name => name.startsWith('group.') === (group !== undefined)))
  return nearest === undefined ? `a figure that there is: ${known.join(', ')}` : `a figure that there is: did you mean ${nearest}?`
}
