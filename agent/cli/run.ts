import { CommanderError } from 'commander'
import { ShoalError } from '../../src/errors.ts'
import { redactText } from '../redact.ts'
import { processContext } from './cli-context.ts'
import { EXIT, InterruptedError } from './cli-error.ts'
import { createProgram } from './program.ts'
import type { CliContext } from './cli-context.ts'

const USAGE_CODES = new Set(['USAGE', 'CONFIG_INVALID', 'SCENARIO_INVALID'])

/** Runs one command to its end. @returns the exit code: 0 done, 1 failed, 2 wrong usage, configuration or scenario, 130 or 143 ended by a signal */
export async function runCli (args: readonly string[], context: CliContext = processContext()): Promise<number> {
  try {
    const program = await createProgram(context, args)
    await program.parseAsync(args, { from: 'user' })
    return EXIT.done
  } catch (error) {
    return exitCodeOf(error, context)
  }
}

function exitCodeOf (error: unknown, { stderr }: CliContext): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
  const isOurs = error instanceof ShoalError
  const text = isOurs ? error.message : `internal error: ${error instanceof Error ? error.stack : String(error)}`
  stderr.write(`${redactText(text).split('\n').map(line => `shoal: ${line}`).join('\n')}\n`)
  if (error instanceof InterruptedError) return error.exitCode
  return isOurs && USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.failed
}
