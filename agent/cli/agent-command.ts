import { loadConfig } from '../config/load.ts'
import { createLogger } from '../log.ts'
import { readVersion } from '../version.ts'
import { StopError } from './cli-error.ts'
import { flagValues } from './config-options.ts'
import { isExpected, startError } from './start-error.ts'
import type { CliContext } from './cli-context.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { Logger } from '../log.ts'

const STOP_DEADLINE_MS = 10_000

type RunningAgent = Awaited<ReturnType<CliContext['startAgent']>>

export interface AgentCommandInit {
  /** For a graceful stop, in milliseconds. @default 10000 */
  stopDeadlineMs?: number
}

/**
 * `shoal agent`: runs until SIGINT or SIGTERM, then stops within 10 s; a second signal ends the process at once.
 * @throws ConfigError, StartError, StopError
 */
export async function runAgentCommand (options: Readonly<Record<string, unknown>>, context: CliContext, init: AgentCommandInit = {}): Promise<void> {
  const loaded = await loadConfig({
    flags: flagValues(options),
    env: context.env,
    isTerminal: context.stderr.isTTY === true,
    ...(typeof options.config === 'string' ? { configFile: options.config } : {})
  })
  if (options.printConfig === true) {
    await printConfig(loaded, options.json === true, context)
    return
  }
  const { config } = loaded
  const color = config.logFormat === 'text' && context.stderr.isTTY === true && (context.env.NO_COLOR ?? '') === ''
  const log = createLogger({ level: config.logLevel, format: config.logFormat, color })
  log.info({ version: readVersion(), node: process.version, file: loaded.file, data: config.data }, 'agent starting')
  for (const warning of loaded.warnings) log.warn({ warning }, 'configuration')
  await runUntilSignal(loaded, log, context, init.stopDeadlineMs ?? STOP_DEADLINE_MS)
}

async function printConfig (loaded: LoadedConfig, asJson: boolean, { stdout, stderr }: CliContext): Promise<void> {
  const { printConfigJson, printConfigYaml } = await import('../config/print.ts')
  for (const warning of loaded.warnings) stderr.write(`shoal: ${warning}\n`)
  stdout.write(asJson ? `${printConfigJson(loaded)}\n` : printConfigYaml(loaded))
}

async function runUntilSignal (loaded: LoadedConfig, log: Logger, context: CliContext, stopDeadlineMs: number): Promise<void> {
  const stopping = Promise.withResolvers<NodeJS.Signals>()
  let signals = 0
  const unsubscribe = context.onSignal(name => {
    signals++
    if (signals === 1) stopping.resolve(name)
    else context.exitNow(1)
  })
  try {
    let agent
    try {
      agent = await context.startAgent(loaded.config, { log })
    } catch (error) {
      log[isExpected(error) ? 'debug' : 'error']({ err: error }, 'start failed')
      throw startError(error, loaded.config)
    }
    if (signals === 0) announce(agent, loaded, context)
    log.info({ signal: await stopping.promise }, 'agent stopping')
    await stopInTime(agent, stopDeadlineMs)
  } finally {
    unsubscribe()
  }
}

/** @throws StopError when the deadline passes; the process then ends with what is left undone, which the store survives */
async function stopInTime (agent: RunningAgent, deadlineMs: number): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => { late.reject(new StopError(`the agent did not stop within ${deadlineMs} ms and was ended`)) }, deadlineMs)
  try {
    await Promise.race([agent.stop(), late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/** The log says the same to machines. */
function announce (agent: RunningAgent, { config, file }: LoadedConfig, { stderr }: CliContext): void {
  if (stderr.isTTY !== true) return
  const addresses = agent.addresses()
  const http = addresses.http.replace(/^https?:\/\//, '').replace(/\/$/, '')
  stderr.write([
    '',
    `  shoal ${readVersion()} is ready`,
    `  container engines   http://${http}`,
    ...addresses.p2p.map((address, index) => `  ${index === 0 ? 'other agents' : '            '}        ${address}`),
    `  data                ${config.data}`,
    `  configuration       ${file ?? 'defaults (no file)'}`,
    '',
    `  try:  docker pull ${http}/docker.io/library/alpine`,
    '  stop: Ctrl-C',
    '',
    ''
  ].join('\n'))
}
