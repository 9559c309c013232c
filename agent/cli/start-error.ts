import { ShoalError } from '../../src/errors.ts'
import { StartError } from './cli-error.ts'
import type { Config } from '../config/schema.ts'

/** What to do next, where the room that failed can't know it. */
const ADVICE: Readonly<Record<string, string>> = {
  HTTP_LISTEN: 'choose another with --http HOST:PORT',
  NET_LISTEN: 'choose another with --p2p MULTIADDR',
  NET_SWARM_KEY: 'look into the file of --swarm-key',
  STORE_IN_USE: 'stop that agent, or choose another directory with --data DIR',
  STORE_UNWRITABLE: 'let this user write there, or choose another directory with --data DIR',
  STORE_FULL: 'make room, or choose another directory with --data DIR'
}

/** A failure to start as one line that says what to do next. */
export function startError (error: unknown, config: Config): StartError {
  return new StartError(`can't start: ${oneLine(describe(error, config))}`, { cause: error })
}

/** Whether it is a failure of the kind one expects, which needs no stack. */
export function isExpected (error: unknown): boolean {
  return error instanceof ShoalError || (error instanceof Error && 'syscall' in error)
}

function describe (error: unknown, config: Config): string {
  if (error instanceof ShoalError) {
    const advice = ADVICE[error.code]
    return advice === undefined || error.message.includes(' --') ? error.message : `${error.message}; ${advice}`
  }
  const { code, path } = error as NodeJS.ErrnoException
  if (code === undefined || path === undefined) return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  if (path.startsWith(config.data)) return `data directory ${config.data} can't be used (${code} at ${path}); choose another with --data DIR`
  const option = path === config.swarmKey ? ' (--swarm-key)' : ''
  const reason = code === 'ENOENT' ? 'does not exist' : code === 'EACCES' || code === 'EPERM' ? `is not open to this user (${code})` : `can't be used (${code})`
  return `${path}${option} ${reason}`
}

function oneLine (text: string): string {
  return text.replace(/\s*\n\s*/g, ' ')
}
