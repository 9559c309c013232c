import type { Agent } from '../agent.ts'
import type { EngineModules } from '../../scenarios/engines.ts'
import type { Config } from '../config/schema.ts'
import type { Logger } from '../log.ts'

/** Where text goes; a process's own streams are ones. */
export interface TextOutput {
  write (text: string): unknown
  readonly isTTY?: boolean
  /** Letters in a line of a terminal. */
  readonly columns?: number
}

/** What commands know of the world outside. */
export interface CliContext {
  readonly stdout: TextOutput
  readonly stderr: TextOutput & NodeJS.WritableStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Calls the listener with each SIGINT and SIGTERM. @returns a function that ends it */
  onSignal (listener: (name: NodeJS.Signals) => void): () => void
  /** Ends the process now. */
  exitNow (code: number): void
  startAgent (config: Config, components: { log: Logger }): Promise<Pick<Agent, 'addresses' | 'stop'>>
  /** Engines of scenarios in place of the own ones. @default none */
  readonly engineModules?: EngineModules
}

/** The process itself. */
export function processContext (): CliContext {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    onSignal: listener => {
      const names = ['SIGINT', 'SIGTERM'] as const
      for (const name of names) process.on(name, listener)
      return () => { for (const name of names) process.off(name, listener) }
    },
    exitNow: code => { process.exit(code) },
    startAgent: async (config, components) => {
      const { startAgent } = await import('../agent.ts')
      return startAgent(config, components)
    }
  }
}
