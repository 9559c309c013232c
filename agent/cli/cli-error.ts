import { ShoalError } from '../../src/errors.ts'

/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const
/** By signal, as shells have it: 128 and the signal's number. */
export const SIGNAL_EXIT: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGINT: 130, SIGTERM: 143 }

/** What was typed can't be done; nothing was tried. Exit code 2. */
export class UsageError extends ShoalError {
  override readonly code = 'USAGE'
}

/** No agent answers where one was expected. */
export class AgentUnreachableError extends ShoalError {
  override readonly code = 'AGENT_UNREACHABLE'
  override readonly retryable = true
  readonly url: string

  constructor (url: string, reason: string, options?: ErrorOptions) {
    super(`no agent answers at ${url} (${reason}): start one with "shoal agent", or name another with --http URL`, options)
    this.url = url
  }
}

/** The agent, or whatever listens there, answered with a refusal or with what is no answer. */
export class AgentAnswerError extends ShoalError {
  override readonly code = 'AGENT_ANSWER'
}

/** The agent could not start. The message says what to do next. */
export class StartError extends ShoalError {
  override readonly code = 'START_FAILED'
}

/** The agent was told to stop and was still busy at the deadline. What it leaves is what a power cut would leave. */
export class StopError extends ShoalError {
  override readonly code = 'STOP_LATE'
}

/** A run was ended by a signal before its end. Exit code as shells have it. */
export class InterruptedError extends ShoalError {
  override readonly code = 'INTERRUPTED'
  readonly exitCode: number

  constructor (signal: NodeJS.Signals, message: string) {
    super(message)
    this.exitCode = SIGNAL_EXIT[signal] ?? EXIT.failed
  }
}

/** What a scenario expects, or is expected of a simulation, has not come true. One expectation a line, each with both values. */
export class ExpectationError extends ShoalError {
  override readonly code = 'EXPECTATION_FAILED'
}

/** What was found out can't be written where it should go. */
export class OutputError extends ShoalError {
  override readonly code = 'OUTPUT_UNWRITABLE'
}
