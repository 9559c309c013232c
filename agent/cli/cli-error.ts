import { ShoalError } from '../../src/errors.ts'

/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const

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
