import { RecentMap } from '../recent.ts'
import { backOffMs, pause, retryAfterMs } from './back-off.ts'
import { readBody, readExcuse } from './body-reading.ts'
import type { BodyStream } from './body-stream.ts'
import { isPassing, isUnreachable, messageOf, originErrorOf } from './failure.ts'
import { excuseOf } from './excuse.ts'
import { OriginError } from './origin-error.ts'
import type { OriginLog } from './origin-log.ts'
import type { OriginTimeouts } from './origin-timeouts.ts'
import { redactUrl } from './redact-url.ts'
import type { HttpRequest, HttpResponse, ResponseHeaders } from './http-exchange.ts'
import type { Transport } from './transport.ts'

const MAX_ATTEMPTS = 3
/** Of hosts remembered as down or limiting. */
const MAX_HOSTS = 100
const NO_HEADERS: ResponseHeaders = { get: () => undefined }

export interface RegistryHttpComponents {
  readonly transport: Pick<Transport, 'send'>
  /** Milliseconds, monotonic. */
  readonly now: () => number
  /** Wall clock, for Retry-After as a date. */
  readonly wallClock: () => number
  readonly random: () => number
  readonly log: OriginLog
}

export type OnRateLimit = 'wait' | 'fail' | 'return'

export interface Asked extends Omit<HttpRequest, 'signal' | 'stallMs' | 'firstByteMs' | 'isStreamed'> {
  readonly signal: AbortSignal
  readonly firstByteMs: number
  /** Most bytes of a successful body, which is then read here; undefined leaves it to the caller. */
  readonly limitBytes?: number
  /** Who is limited by a 429: requests with our credentials and without are counted apart. */
  readonly lane: 'anonymous' | 'credential'
  /** What becomes of a 429: it is waited out if it is short, an error at once, or an answer, as the caller has another way. @default 'wait' */
  readonly onRateLimit?: OnRateLimit
}

export interface Answer {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly url: URL
  /** The whole body, or an excuse as far as it was read. */
  readonly bytes: Uint8Array
  /** Of a success without `limitBytes`. To be read to its end or cancelled. */
  readonly body?: BodyStream
}

/**
 * Polite HTTP for one registry: a few attempts with back-off, waits that a 429 asks for, and a memory of hosts that
 * are down or limit us, so that nobody hammers them. Knows nothing of credentials and follows no redirect.
 */
export class RegistryHttp {
  readonly #components: RegistryHttpComponents
  readonly #registry: string
  readonly #timeouts: OriginTimeouts
  readonly #downUntil = new RecentMap<string, { readonly untilMs: number, readonly reason: string }>(MAX_HOSTS)
  readonly #limitedUntil = new RecentMap<string, number>(MAX_HOSTS)

  constructor (components: RegistryHttpComponents, registry: string, timeouts: OriginTimeouts) {
    this.#components = components
    this.#registry = registry
    this.#timeouts = timeouts
  }

  /**
   * Any status but 429 and 5xx is an answer.
   * @throws OriginError, or the signal's reason
   */
  async ask (asked: Asked): Promise<Answer> {
    const giveUpAtMs = this.#components.now() + this.#timeouts.retryMs
    for (let attempt = 1; ; attempt++) {
      this.#failWhileDown(asked)
      const refusal = await this.#waitWhileLimited(asked)
      if (refusal !== undefined) return refusal
      const outcome = await this.#attempt(asked)
      if (outcome.type === 'answer') return outcome.answer
      const delayMs = Math.max(outcome.atLeastMs, backOffMs(attempt, this.#components.random))
      const isLast = attempt === MAX_ATTEMPTS || this.#components.now() + delayMs > giveUpAtMs
      if (!outcome.isPassing || isLast || (asked.onRateLimit === 'fail' && outcome.error.code === 'ORIGIN_RATE_LIMITED')) throw outcome.error
      this.#components.log({ type: 'origin:retry', registry: this.#registry, method: asked.method, url: redactUrl(asked.url), reason: outcome.error.message, delayMs })
      await pause(delayMs, asked.signal)
    }
  }

  async #attempt (asked: Asked): Promise<{ type: 'answer', answer: Answer } | { type: 'failed', error: OriginError, isPassing: boolean, atLeastMs: number }> {
    const { transport, now, log } = this.#components
    const what = `${asked.method} ${redactUrl(asked.url)}`
    const startedAtMs = now()
    try {
      const response = await transport.send({ ...asked, isStreamed: asked.limitBytes === undefined, stallMs: this.#timeouts.stallMs })
      log({ type: 'origin:request', registry: this.#registry, method: asked.method, url: redactUrl(asked.url), status: response.status, durationMs: Math.round(now() - startedAtMs) })
      const answer = await read(response, asked.limitBytes)
      const { status } = answer
      if (status === 429) {
        const waitMs = this.#rememberLimit(asked, answer)
        if (asked.onRateLimit === 'return') return { type: 'answer', answer }
        return { type: 'failed', error: this.#rateLimited(what, waitMs, excuseOf(answer.bytes)), isPassing: true, atLeastMs: waitMs }
      }
      if (status < 500 || status === 501) return { type: 'answer', answer }
      const error = new OriginError('ORIGIN_UNAVAILABLE', `${what}: status ${status}${excuseOf(answer.bytes)}`, { registry: this.#registry, status })
      return { type: 'failed', error, isPassing: true, atLeastMs: answer.headers.get('retry-after') === undefined ? 0 : this.#retryAfter(answer) }
    } catch (error) {
      asked.signal.throwIfAborted()
      if (isUnreachable(error)) this.#rememberDown(asked.url.host, messageOf(error))
      return { type: 'failed', error: originErrorOf(error, this.#registry, what), isPassing: isPassing(error), atLeastMs: 0 }
    }
  }

  #failWhileDown ({ url, method }: Asked): void {
    const down = this.#downUntil.get(url.host)
    if (down === undefined) return
    if (down.untilMs <= this.#components.now()) {
      this.#downUntil.delete(url.host)
      return
    }
    throw new OriginError('ORIGIN_UNAVAILABLE', `${method} ${redactUrl(url)}: not asked, it had no connection a moment ago: ${down.reason}`, { registry: this.#registry })
  }

  /** A wait that fits into the attempts' time is absorbed, unless the caller has no use for that; a longer one fails at once. */
  async #waitWhileLimited (asked: Asked): Promise<Answer | undefined> {
    const key = limitKey(asked)
    const untilMs = this.#limitedUntil.get(key)
    if (untilMs === undefined) return undefined
    const leftMs = untilMs - this.#components.now()
    if (leftMs <= 0) {
      this.#limitedUntil.delete(key)
      return undefined
    }
    if (asked.onRateLimit === 'return') return { status: 429, url: asked.url, headers: NO_HEADERS, bytes: new Uint8Array() }
    if (asked.onRateLimit === 'fail' || leftMs > this.#timeouts.retryMs) throw this.#rateLimited(`${asked.method} ${redactUrl(asked.url)}: not asked`, leftMs, '')
    await pause(leftMs, asked.signal)
    return undefined
  }

  #rateLimited (what: string, waitMs: number, excuse: string): OriginError {
    return new OriginError('ORIGIN_RATE_LIMITED', `${what}: too many requests, to be asked again in ${Math.ceil(waitMs / 1000)} s${excuse}`, { registry: this.#registry, status: 429, retryAfterMs: waitMs })
  }

  #retryAfter (answer: Answer): number {
    return retryAfterMs(answer.headers.get('retry-after'), this.#components.wallClock())
  }

  #rememberLimit (asked: Asked, answer: Answer): number {
    const waitMs = this.#retryAfter(answer)
    this.#limitedUntil.set(limitKey(asked), this.#components.now() + waitMs)
    this.#components.log({ type: 'origin:rate-limited', registry: this.#registry, retryAfterMs: waitMs })
    return waitMs
  }

  #rememberDown (host: string, reason: string): void {
    const forMs = this.#timeouts.downMs
    this.#downUntil.set(host, { untilMs: this.#components.now() + forMs, reason })
    this.#components.log({ type: 'origin:down', registry: this.#registry, reason, forMs })
  }
}

async function read (response: HttpResponse, limitBytes: number | undefined): Promise<Answer> {
  const { status, headers, url, body } = response
  if (status >= 200 && status < 300) {
    return limitBytes === undefined ? { status, headers, url, body, bytes: new Uint8Array() } : { status, headers, url, bytes: await readBody(body, limitBytes) }
  }
  // docker-registry 2.8 announces the whole blob's length with it and sends nothing: the connection is of no more use.
  if (status === 416) body.cancel(new Error('not read'))
  return { status, headers, url, bytes: await readExcuse(body) }
}

function limitKey ({ url, lane }: Asked): string {
  return `${lane} ${url.host}`
}
