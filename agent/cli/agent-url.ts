import { formatListenAddress } from '../config/listen-address.ts'
import { loadConfig } from '../config/load.ts'
import { UsageError } from './cli-error.ts'
import type { CliContext } from './cli-context.ts'

/** Addresses that stand for all of a host's own. */
const ANY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** Where the running agent is: `--http`, else where the configuration tells it to listen. No `/` at its end. @throws UsageError, ConfigError */
export async function agentUrl (given: unknown, { env }: CliContext): Promise<string> {
  if (typeof given === 'string') return parseUrl(given)
  const { config: { http } } = await loadConfig({ env })
  if (http.port === 0) throw new UsageError('the configuration lets the agent listen on any free port: say which with --http URL')
  return `http://${formatListenAddress({ ...http, host: ANY_ADDRESS[http.host] ?? http.host })}`
}

function parseUrl (text: string): string {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`--http: ${JSON.stringify(text)} is not allowed; expected a URL such as http://127.0.0.1:5000`)
  return url.href.replace(/\/+$/, '')
}
