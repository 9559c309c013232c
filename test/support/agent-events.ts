import { shortDigest, type Digest } from '../../src/oci/digest.ts'
import type { AgentProcess } from '../../scenarios/live/agent-process.ts'

/** Has an agent log each piece that comes. */
export const LOG_EVENTS = ['--log-level', 'trace'] as const

/** One event of an agent that runs with `LOG_EVENTS`. */
export interface LoggedEvent {
  /** Its type, such as `fetch:received`. */
  readonly msg: string
  /** Short. */
  readonly digest?: string
  readonly source?: string
  readonly bytes?: number
  readonly resumedAt?: number
}

/** @param from - characters of the log to pass by: those of an earlier life */
export function eventsOf (agent: AgentProcess, from = 0): LoggedEvent[] {
  return agent.log().slice(from).split('\n').filter(line => line.startsWith('{') && line.endsWith('}')).map(line => JSON.parse(line) as LoggedEvent)
}

/** Bytes that came, of one blob or of all. @param counts - of which sources: `origin`, or `peer:` and the peer's id. */
export function receivedBytes (events: readonly LoggedEvent[], { digest, counts = () => true }: { digest?: Digest, counts?: (source: string) => boolean } = {}): number {
  let sum = 0
  for (const event of events) {
    if (event.msg !== 'fetch:received' || !counts(event.source ?? '')) continue
    if (digest === undefined || event.digest === shortDigest(digest)) sum += event.bytes ?? 0
  }
  return sum
}
