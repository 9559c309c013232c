import type { HashRequest, SpanHashRequest, SpanHashResult } from './hash-messages.ts'
import { HashFailedError } from './store-errors.ts'
import type { ByteSpan } from './store.ts'

interface Waiting {
  readonly request: SpanHashRequest
  readonly result: PromiseWithResolvers<string>
}

/** The spans that one thread has to hash. Those asked for in the same turn of the event loop go in one message. */
export class SpanHashes {
  readonly #post: (request: HashRequest) => void
  readonly #waiting = new Map<number, Waiting>()
  #unsent: SpanHashRequest[] = []
  #nextTicket = 0
  #bytes = 0

  constructor (post: (request: HashRequest) => void) {
    this.#post = post
  }

  /** Bytes that are not hashed yet. */
  get bytes (): number {
    return this.#bytes
  }

  /** In hex. @throws HashFailedError */
  async hash (path: string, { start, end }: ByteSpan): Promise<string> {
    const request = { ticket: this.#nextTicket++, path, start, end }
    const result = Promise.withResolvers<string>()
    this.#waiting.set(request.ticket, { request, result })
    this.#bytes += end - start
    if (this.#unsent.length === 0) setImmediate(() => { this.#send() })
    this.#unsent.push(request)
    return result.promise
  }

  receive (results: readonly SpanHashResult[]): void {
    for (const result of results) {
      const waiting = this.#take(result.ticket)
      if ('hex' in result) waiting?.result.resolve(result.hex)
      else waiting?.result.reject(new HashFailedError(waiting.request.path, result.code, result.message))
    }
  }

  /** None of them will be answered. */
  fail (message: string): void {
    this.receive([...this.#waiting.keys()].map(ticket => ({ ticket, code: 'WORKER', message })))
  }

  #take (ticket: number): Waiting | undefined {
    const waiting = this.#waiting.get(ticket)
    if (waiting === undefined) return undefined
    this.#waiting.delete(ticket)
    this.#bytes -= waiting.request.end - waiting.request.start
    return waiting
  }

  #send (): void {
    const spans = this.#unsent
    this.#unsent = []
    this.#post({ type: 'spans', spans })
  }
}
