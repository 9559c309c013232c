import { stripVTControlCharacters } from 'node:util'

const COLORS = { trace: 90, debug: 90, info: 32, warn: 33, error: 31, fatal: 31 } as const
const FAINT = 90
/** A value that needs no quotes. */
const PLAIN = /^[\w./:@%+,-]+$/
/** What must not reach a terminal as it stands: control characters, line separators, changes of direction. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** One log entry as one line for a person: time, level, message, fields; an error's stack follows on lines of its own. */
export function formatLogLine (entry: Readonly<Record<string, unknown>>, { color = false }: { color?: boolean } = {}): string {
  const { time, level, msg, err, ...fields } = entry
  const paint = (code: number, text: string) => color ? `\u001b[${code}m${text}\u001b[0m` : text
  const levelName = String(level)
  const error = describeError(err)
  const parts = [
    paint(FAINT, String(time).slice(11, 23)),
    paint(COLORS[levelName as keyof typeof COLORS] ?? FAINT, levelName.toUpperCase().padEnd(5)),
    ...(typeof msg === 'string' ? [printable(msg)] : []),
    ...Object.entries({ ...fields, ...error.fields }).map(([name, value]) => `${paint(FAINT, `${printable(name)}=`)}${formatValue(value)}`)
  ]
  const stack = levelName === 'error' || levelName === 'fatal' ? error.stack : []
  return `${[parts.join(' '), ...stack.map(line => paint(FAINT, `    ${line}`))].join('\n')}\n`
}

function describeError (err: unknown): { fields: Record<string, unknown>, stack: string[] } {
  if (typeof err !== 'object' || err === null) return { fields: err === undefined ? {} : { err }, stack: [] }
  const { type, message, stack, code } = err as Record<string, unknown>
  return {
    fields: { err: `${String(type)}: ${String(message)}`, ...(code === undefined ? {} : { code }) },
    stack: typeof stack === 'string' ? stack.split('\n').slice(1).map(line => printable(line.trim())) : []
  }
}

function formatValue (value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : printable(JSON.stringify(value))
}

function printable (text: string): string {
  return stripVTControlCharacters(text).replace(UNPRINTABLE, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
