import { printable } from '../src/values/printable.ts'

const COLORS = { trace: 90, debug: 90, info: 32, warn: 33, error: 31, fatal: 31 } as const
const FAINT = 90
/** A value that needs no quotes. */
const PLAIN = /^[\w./:@%+,-]+$/

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
