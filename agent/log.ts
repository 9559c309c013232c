import { destination, pino, stdSerializers, stdTimeFunctions } from 'pino'
import { formatLogLine } from './log-line.ts'
import { redactFields } from './redact-fields.ts'
import { redactText } from './redact.ts'
import type { Config } from './config/schema.ts'
import type { Logger as PinoLogger } from 'pino'

const STDERR = 2

/** One event a line, fields not prose: `log.info({ digest, bytes }, 'fetch completed')`; errors go in the field `err`. */
export type Logger = PinoLogger

export interface LoggerInit {
  /** @default 'info' */
  level?: Config['logLevel']
  /** @default 'json' */
  format?: Config['logFormat']
  /** Takes finished lines, each with its line end. @default stderr, written at once */
  write?: (line: string) => void
  /** For `text`. @default false */
  color?: boolean
}

/** A logger out of which no credential comes: each line passes the redaction as its last step, whatever put it together. */
export function createLogger ({ level = 'info', format = 'json', write, color = false }: LoggerInit = {}): Logger {
  return pino({
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
    serializers: { err: stdSerializers.errWithCause, error: stdSerializers.errWithCause, reason: stdSerializers.errWithCause },
    hooks: { streamWrite: line => finishLine(line, format, color) }
  }, write === undefined ? destination({ dest: STDERR, sync: true }) : { write })
}

function finishLine (line: string, format: Config['logFormat'], color: boolean): string {
  let entry: unknown
  try {
    entry = redactFields(JSON.parse(line))
  } catch {
    return `${redactText(line.trimEnd())}\n`
  }
  return format === 'text' ? formatLogLine(entry as Record<string, unknown>, { color }) : `${JSON.stringify(entry)}\n`
}
