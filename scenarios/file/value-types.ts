import { z } from 'zod'
import { parseDuration } from '../../src/values/duration.ts'
import { parseRate } from '../../src/values/rate.ts'
import { parseSize } from '../../src/values/size.ts'
import { parseShare } from './share.ts'

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/
const NAME_ALLOWED = 'a name of letters, digits, - and _, 63 at the most'
const ZONE = /^[\x21-\x7e]{1,60}$/
const DURATION_PATTERN = '^(0|\\d+(\\.\\d{1,3})?(ms|s|m|h))$'
const RATE_PATTERN = '^\\d+(\\.\\d{1,3})?([GMkK]i?)?(B|bit)/s$'
/** Hosts of a scenario. */
export const MAX_HOSTS = 1_000_000

/** So many hosts, or a part of those that there are. */
export type Amount = { readonly type: 'count', readonly count: number } | { readonly type: 'share', readonly share: number }

/** A text, or a number that stands for one, that `decode` understands. The issue's message is what is allowed, to follow "expected". */
function decoded<In extends string | number, Out> (given: z.ZodType<In, In>, allowed: string, decode: (given: In) => Out | undefined) {
  return given.transform((value, context): Out => {
    const out = decode(value)
    if (out !== undefined) return out
    context.issues.push({ code: 'custom', input: value, message: allowed })
    return z.NEVER
  })
}

/** @param pattern - what is allowed once more, for editors */
function text<T> (allowed: string, pattern: string, decode: (text: string) => T | undefined) {
  return decoded(z.string({ error: allowed }), allowed, decode).meta({ pattern })
}

/** The same, but a bare 0 is a number to YAML. */
function textOrZero<T> (allowed: string, pattern: string, decode: (text: string) => T | undefined) {
  return decoded(z.union([z.string().meta({ pattern }), z.literal(0)], { error: allowed }), allowed, given => decode(String(given)))
}

/** Milliseconds, 0 included. */
export function moment () {
  return textOrZero('a time such as 0, 0.2ms, 30s, 10m or 1h, at most 596h', DURATION_PATTERN, parseDuration)
}

/** Milliseconds above 0. */
export function duration () {
  return text('a time such as 200ms, 30s, 10m or 1h, above 0 and at most 596h', '^\\d+(\\.\\d{1,3})?(ms|s|m|h)$', given => above0(parseDuration(given)))
}

/** Bytes per second above 0. @param instead - what to write where somebody wants 0 */
export function rate (instead?: string) {
  const hint = instead === undefined ? '' : ` (${instead})`
  return text(`a rate such as 300MB/s, 64MiB/s or 100Mbit/s, from 1KB/s to 1000GB/s${hint}`, RATE_PATTERN, parseRate)
}

/** Bytes per second, or 0. */
export function rateOrZero () {
  return textOrZero('a rate such as 300MB/s, 64MiB/s or 100Mbit/s, from 1KB/s to 1000GB/s, or 0', `${RATE_PATTERN}|^0$`, given => given === '0' ? 0 : parseRate(given))
}

/** Bytes above 0. */
export function size () {
  return text('a size such as 3GB, 64MiB or 1.5MB, above 0', '^\\d+(\\.\\d{1,3})?([TGMkK]i?)?B$', given => above0(parseSize(given)))
}

/** 0 to 1. `isPart`: not the whole. */
export function share ({ isPart = false, isSome = false }: { isPart?: boolean, isSome?: boolean } = {}) {
  const allowed = `a share such as 5% or 0.05, from 0 to 100%${isSome ? ', but not 0' : ''}${isPart ? ', but not 100%' : ''}`
  return decoded(z.union([percent(), z.number().meta({ minimum: 0, maximum: 1 })], { error: allowed }), allowed, given => {
    const part = parseShare(given)
    return (isPart && part === 1) || (isSome && part === 0) ? undefined : part
  })
}

/** `3` hosts, or `5%` or `0.05` of them. */
export function amount () {
  const allowed = 'a whole number of hosts, 1 or more, or a share of them such as 5% or 0.05, above 0'
  return decoded(z.union([percent(), z.number().meta({ exclusiveMinimum: 0 })], { error: allowed }), allowed, (given): Amount | undefined => {
    if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 1) return { type: 'count', count: given }
    const part = above0(parseShare(given))
    return part === undefined ? undefined : { type: 'share', share: part }
  })
}

/** A whole number. */
export function count (min: number, max = MAX_HOSTS) {
  const allowed = `a whole number from ${min} to ${max}`
  return z.int({ error: allowed }).min(min, { error: allowed }).max(max, { error: allowed })
}

/** Any number above 0. */
export function positive () {
  const allowed = 'a number above 0'
  return z.number({ error: allowed }).positive({ error: allowed })
}

export function flag () {
  return z.boolean({ error: 'true or false' })
}

/** Of a group, an image, a layer or a medium: it is part of the names of figures, so it has no dot. */
export function name () {
  return z.string({ error: NAME_ALLOWED }).regex(NAME, { error: NAME_ALLOWED })
}

/** What agents are told by `--zone`. */
export function zone () {
  const allowed = 'a label of 1 to 60 printable ASCII characters without spaces, such as rack-7'
  return z.string({ error: allowed }).regex(ZONE, { error: allowed })
}

/** Names of things that are defined elsewhere in the file, at least one. @param what - "groups" */
export function namesOf (what: string) {
  const allowed = `a list of names of ${what}, at least one, such as [a, b]`
  return z.array(z.string({ error: `the name of one of the ${what}` }), { error: allowed }).min(1, { error: allowed })
}

/** Several of a kind. @param what - "faults" */
export function list<T extends z.ZodType> (what: string, item: T) {
  return z.array(item, { error: `a list of ${what}` })
}

/** A mapping of these keys alone. Of an unknown key the issue's message is the known ones. */
export function mapping<T extends z.ZodRawShape> (shape: T) {
  const known = Object.keys(shape).join(', ')
  return z.strictObject(shape, { error: ({ code }) => code === 'unrecognized_keys' ? known : `a mapping with ${known}` })
}

function percent () {
  return z.string().meta({ pattern: '^\\d{1,3}(\\.\\d{1,6})?%$' })
}

function above0 (value: number | undefined): number | undefined {
  return value === 0 ? undefined : value
}
