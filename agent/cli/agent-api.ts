import { DeadlineError } from '../../src/errors.ts'
import { printable } from '../../src/values/printable.ts'
import { AgentAnswerError, AgentUnreachableError } from './cli-error.ts'
import { readLines } from './json-lines.ts'

const ANSWER_TIMEOUT_MS = 10_000
/** Longer than all deadlines of one blob together. */
const SILENCE_TIMEOUT_MS = 120_000
const MAX_ERROR_LENGTH = 500

export interface AgentApiInit {
  /** For a whole small answer, and for the head of a long one. @default 10000 */
  answerTimeoutMs?: number
  /** Between two events. @default 120000 */
  silenceTimeoutMs?: number
}

/** The admin API of a running agent. All methods throw AgentUnreachableError, AgentAnswerError and DeadlineError. */
export class AgentApi {
  readonly url: string
  readonly #answerTimeoutMs: number
  readonly #silenceTimeoutMs: number

  constructor ({ url }: { url: string }, init: AgentApiInit = {}) {
    this.url = url
    this.#answerTimeoutMs = init.answerTimeoutMs ?? ANSWER_TIMEOUT_MS
    this.#silenceTimeoutMs = init.silenceTimeoutMs ?? SILENCE_TIMEOUT_MS
  }

  /** A JSON answer of the shape that api-types.ts says. */
  async get<T> (path: string, { signal }: { signal?: AbortSignal } = {}): Promise<T> {
    using deadline = new Deadline(path, signal)
    deadline.set(this.#answerTimeoutMs)
    const response = await this.#request(path, { method: 'GET' }, deadline)
    try {
      return await response.json() as T
    } catch (error) {
      throw deadline.reason ?? new AgentAnswerError(`what answers at ${this.url} is no shoal agent: ${path} is no JSON`, { cause: error })
    }
  }

  /** Lines of newline-delimited JSON as they come. Ending the iteration ends the request. */
  async * post (path: string, body: object, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<string> {
    using deadline = new Deadline(path, signal)
    deadline.set(this.#silenceTimeoutMs)
    const response = await this.#request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }, deadline)
    if (response.body === null) return
    try {
      for await (const line of readLines(response.body)) {
        deadline.set(this.#silenceTimeoutMs)
        yield line
      }
    } catch (error) {
      throw deadline.reason ?? (error instanceof AgentAnswerError ? error : new AgentUnreachableError(this.url, 'it went away in the middle', { cause: error }))
    }
  }

  async #request (path: string, init: RequestInit, deadline: Deadline): Promise<Response> {
    let response
    try {
      response = await fetch(`${this.url}${path}`, { ...init, redirect: 'error', signal: deadline.signal })
    } catch (error) {
      throw deadline.reason ?? new AgentUnreachableError(this.url, reasonOf(error), { cause: error })
    }
    if (!response.ok) throw new AgentAnswerError(`the agent at ${this.url} answers ${response.status}: ${await errorText(response)}`)
    return response
  }
}

/** One signal out of the caller's and a timer that may be set again. */
class Deadline {
  readonly #controller = new AbortController()
  readonly #path: string
  readonly #follow: () => void
  readonly #outer: AbortSignal | undefined
  #timer: NodeJS.Timeout | undefined

  constructor (path: string, outer: AbortSignal | undefined) {
    this.#path = path
    this.#outer = outer
    this.#follow = () => { this.#controller.abort(outer?.reason) }
    if (outer?.aborted === true) this.#follow()
    outer?.addEventListener('abort', this.#follow, { once: true })
  }

  get signal (): AbortSignal {
    return this.#controller.signal
  }

  /** Why the signal was aborted; undefined while it is not. */
  get reason (): Error | undefined {
    const reason: unknown = this.signal.reason
    return reason === undefined || reason instanceof Error ? reason : new Error('aborted', { cause: reason })
  }

  set (timeoutMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => { this.#controller.abort(new DeadlineError(`the agent's answer to ${this.#path}`, timeoutMs)) }, timeoutMs)
  }

  [Symbol.dispose] (): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#follow)
  }
}

function reasonOf (error: unknown): string {
  const { code, message } = ((error as Error).cause ?? error) as { code?: string, message?: string }
  return code ?? message ?? 'no connection'
}

async function errorText (response: Response): Promise<string> {
  const text = (await response.text().catch(() => '')).slice(0, MAX_ERROR_LENGTH)
  try {
    const { message, errors } = JSON.parse(text) as { message?: string, errors?: Array<{ message?: string }> }
    return printable(errors?.[0]?.message ?? message ?? text)
  } catch {
    return printable(text) || response.statusText
  }
}
