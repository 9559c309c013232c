import type { Dispatcher } from 'undici'
import { DeadlineError } from '../errors.ts'
import { ListeningTimer } from '../listening-timer.ts'
import type { Reach } from './address-guard.ts'
import { BodyStream, type BodyControl } from './body-stream.ts'
import { parseContentLength } from './content-range.ts'
import { OriginSocket, type BodySink } from './origin-socket.ts'

/** Bodies from this length on go past undici: shorter ones are soon over. */
const MIN_DIVERTED_BYTES = 64 * 1024

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** The body of a success is read chunk by chunk, and no chunk is kept: it may be lent. */
  readonly isStreamed?: boolean
  readonly reach: Reach
  /** From the connection (or from now on one that is kept alive) to the headers; the first byte of the body has what is left. */
  readonly firstByteMs: number
  readonly stallMs: number
  readonly signal?: AbortSignal
}

export interface HttpResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly url: URL
  /** To be read to its end or cancelled. */
  readonly body: BodyStream
}

/** One value per name; lists stay with their commas. */
export interface ResponseHeaders {
  /** @param name lower case */
  get (name: string): string | undefined
}

/** One request on its way: undici's handler, the deadline to the headers, and the caller's signal up to the body's end. */
export class HttpExchange implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest
  readonly #resolve: (response: HttpResponse) => void
  readonly #reject: (error: unknown) => void
  readonly #onAbort: () => void
  #deadline: ListeningTimer | undefined
  #controller: Dispatcher.DispatchController | undefined
  #body: BodyStream | undefined
  #failure: Error | undefined
  #hasEnded = false
  /** Of a body of known length. */
  #left = 0
  #startedAt = performance.now()

  constructor (request: HttpRequest, connectMs: number, resolve: (response: HttpResponse) => void, reject: (error: unknown) => void) {
    this.#request = request
    this.#resolve = resolve
    this.#reject = reject
    this.#onAbort = () => { this.#fail(asError(request.signal?.reason)) }
    request.signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#armHeaders(connectMs + request.firstByteMs)
  }

  onRequestStart (controller: Dispatcher.DispatchController): void {
    if (this.#failure !== undefined) return controller.abort(this.#failure)
    this.#controller = controller
    this.#startedAt = performance.now()
    this.#armHeaders(this.#request.firstByteMs)
  }

  onResponseStart (controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    // 1xx: the answer is still to come.
    if (status < 200) return
    this.#deadline?.stop()
    const { firstByteMs, stallMs, url } = this.#request
    const leftMs = Math.max(1, firstByteMs - (performance.now() - this.#startedAt))
    const diverted = this.#divert(controller, status, headers)
    this.#body = new BodyStream(diverted ?? controller, { firstByteMs: leftMs, stallMs })
    this.#resolve({ status, url, body: this.#body, headers: { get: name => joined(headers[name]) } })
  }

  onResponseData (_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#left -= chunk.length
    this.#body?.push(chunk)
  }

  onResponseEnd (): void {
    this.#hasEnded = true
    this.#left = 0
    this.#settle()
    this.#body?.end()
  }

  onResponseError (_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#fail(error)
  }

  /** Lets a long body of known length come past undici; what undici has read of it already still comes from there. */
  #divert (controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): BodyControl | undefined {
    const socket = OriginSocket.lastRead
    const length = parseContentLength(joined(headers['content-length']))
    const isLong = length !== undefined && length >= MIN_DIVERTED_BYTES && headers['transfer-encoding'] === undefined
    const isBody = this.#request.method !== 'HEAD' && (status === 200 || status === 206)
    if (socket === undefined || this.#request.isStreamed !== true || !isLong || !isBody) return undefined
    this.#left = length
    const sink: BodySink = {
      left: () => this.#left,
      isReusable: !/\bclose\b/i.test(joined(headers['connection']) ?? ''),
      push: (bytes, release) => {
        this.#left -= bytes.length
        this.#body?.push(bytes, release)
      },
      end: () => { this.onResponseEnd() }
    }
    socket.divert(sink)
    return {
      // the socket pauses by itself while all its buffers are lent
      get paused () { return socket.isFull },
      pause () {},
      resume () {},
      abort: reason => { controller.abort(reason) }
    }
  }

  #armHeaders (delayMs: number): void {
    this.#deadline?.stop()
    this.#deadline = new ListeningTimer(delayMs, () => { this.#fail(new DeadlineError('headers', this.#request.firstByteMs)) })
  }

  #fail (error: Error): void {
    // undici takes the end of a diverted body for a failure
    if (this.#failure !== undefined || this.#hasEnded) return
    this.#failure = error
    this.#settle()
    this.#body?.fail(error)
    this.#controller?.abort(error)
    this.#reject(error)
  }

  #settle (): void {
    this.#deadline?.stop()
    this.#request.signal?.removeEventListener('abort', this.#onAbort)
  }
}

function joined (value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}

function asError (reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason })
}
