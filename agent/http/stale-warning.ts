import type { FastifyReply } from 'fastify'
import type { Staleness } from '../../src/pull/puller.ts'

const MAX_REASON_LENGTH = 300

/** Says that the answer may be out of date: RFC 7234, section 5.5, "Miscellaneous Persistent Warning". */
export function warnIfStale (reply: FastifyReply, stale: Staleness | undefined): void {
  if (stale === undefined) return
  const since = stale.sinceMs === undefined ? '' : `, resolved ${new Date(stale.sinceMs).toISOString()}`
  const reason = stale.reason.slice(0, MAX_REASON_LENGTH).replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\'')
  reply.header('Warning', `299 shoal "stale${since}: ${reason}"`)
}
