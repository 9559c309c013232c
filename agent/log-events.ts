import type { Logger } from './log.ts'
import type { EventHub, ShoalEvent } from '../src/events.ts'
import type { Level } from 'pino'

/** What a person must see at the default level: that a blob came, and all that went wrong. */
const LEVELS: Readonly<Record<ShoalEvent['type'], Level>> = {
  'blob:committed': 'debug',
  'blob:removed': 'info',
  'blob:quarantined': 'warn',
  'fetch:started': 'debug',
  'fetch:source': 'debug',
  'fetch:received': 'trace',
  'fetch:source-failed': 'info',
  'fetch:mismatch': 'warn',
  'fetch:completed': 'info',
  'fetch:failed': 'warn',
  'fetch:abandoned': 'debug',
  'tag:resolved': 'debug',
  'peer:accused': 'info',
  'peer:banned': 'warn',
  'peer:connected': 'debug',
  'peer:disconnected': 'debug',
  'peer:served': 'debug',
  'bootstrap:joined': 'info',
  'bootstrap:unreachable': 'warn',
  'provide:done': 'debug',
  'provide:failed': 'warn'
}

/** Writes each event as one line: its type is the message, the rest are fields. @returns a function that ends it */
export function logEvents (events: EventHub, log: Logger): () => void {
  return events.subscribe(event => {
    const level = levelOf(event)
    if (log.isLevelEnabled(level)) log[level](fieldsOf(event), event.type)
  })
}

function levelOf (event: ShoalEvent): Level {
  if (event.type === 'tag:resolved' && event.stale) return 'info'
  // who is found out in a rollout is accused by all the others
  if (event.type === 'peer:accused' && event.repeated) return 'debug'
  return LEVELS[event.type]
}

function fieldsOf (event: ShoalEvent): Record<string, unknown> {
  const { type: _, ...fields } = event
  if (!('record' in fields)) return fields
  const { record, ...others } = fields
  return { ...record, ...others }
}
