import { DeadlineError } from '../errors.ts'
import { AddressRefusedError } from './address-guard.ts'
import { OversizedError } from './body-reading.ts'
import { OriginError } from './origin-error.ts'
import { ConnectError } from './connector.ts'

/** A dial that ended like this may end otherwise a moment later. */
const PASSING_CONNECT_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET'])
const PHASES: Readonly<Record<string, string>> = { connect: 'connection', headers: 'answer', 'first byte': 'first byte', stall: 'further byte' }

/** Whether asking again at once is worth it: the connection was cut, not refused, and no deadline has passed. */
export function isPassing (error: unknown): boolean {
  if (error instanceof ConnectError) return PASSING_CONNECT_CODES.has(error.code)
  return !(error instanceof OriginError || error instanceof DeadlineError || error instanceof AddressRefusedError || error instanceof OversizedError)
}

/** Whether the host could not be reached at all, so that the next request need not try right now. */
export function isUnreachable (error: unknown): boolean {
  return (error instanceof ConnectError && !isPassing(error) && !isRefusedAddress(error)) || (error instanceof DeadlineError && error.phase === 'connect')
}

/** Every failure as the error that the contract names. `what` was asked, as in `GET https://…`. */
export function originErrorOf (error: unknown, registry: string, what: string): OriginError {
  if (error instanceof OriginError) return error
  if (error instanceof DeadlineError) return new OriginError('ORIGIN_TIMEOUT', `${what}: no ${PHASES[error.phase] ?? `end of ${error.phase}`} within ${error.timeoutMs} ms`, { registry, cause: error })
  if (error instanceof OversizedError) return new OriginError('ORIGIN_INVALID', `${what}: ${error.message}`, { registry, cause: error })
  if (error instanceof AddressRefusedError || isRefusedAddress(error)) return new OriginError('ORIGIN_FORBIDDEN', `${what}: ${messageOf(error)}`, { registry, cause: error })
  if (error instanceof ConnectError) return new OriginError('ORIGIN_UNAVAILABLE', `${what}: no connection: ${error.message}`, { registry, cause: error })
  return new OriginError('ORIGIN_UNAVAILABLE', `${what}: ${messageOf(error)}`, { registry, cause: error })
}

export function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function isRefusedAddress (error: unknown): boolean {
  return error instanceof ConnectError && error.cause instanceof AddressRefusedError
}
