import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { hashFailure, readHashBlock } from './hash-block.ts'
import type { SpanHashRequest, SpanHashResult } from './hash-messages.ts'

/** A span that is being hashed. */
interface Running {
  readonly request: SpanHashRequest
  readonly fd: number
  readonly hash: Hash
  position: number
}

/** Spans to be hashed by themselves, in the order of their coming. Lives in the hash thread. */
export class SpanHashQueue {
  readonly #waiting: SpanHashRequest[] = []
  #running: Running | undefined

  get isEmpty (): boolean {
    return this.#running === undefined && this.#waiting.length === 0
  }

  add (requests: readonly SpanHashRequest[]): void {
    this.#waiting.push(...requests)
  }

  /** Hashes about `budget` bytes. @returns the spans that are done by it */
  step (budget: number): SpanHashResult[] {
    const results: SpanHashResult[] = []
    for (let hashed = 0; hashed < budget && !this.isEmpty;) {
      const { ticket } = this.#running?.request ?? this.#waiting[0]!
      try {
        this.#running ??= this.#next()
        hashed += readMore(this.#running)
        if (this.#running.position < this.#running.request.end) continue
        results.push({ ticket, hex: this.#running.hash.digest('hex') })
      } catch (error) {
        results.push({ ticket, ...hashFailure(error) })
      }
      this.#end()
    }
    return results
  }

  #next (): Running {
    const request = this.#waiting.shift()!
    return { request, fd: openSync(request.path, 'r'), hash: createHash('sha256'), position: request.start }
  }

  #end (): void {
    if (this.#running !== undefined) closeSync(this.#running.fd)
    this.#running = undefined
  }
}

/** @returns how many bytes more were hashed */
function readMore (running: Running): number {
  const { request: { end }, fd, hash, position } = running
  if (position === end) return 0
  const bytes = readHashBlock(fd, end - position, position, end)
  hash.update(bytes)
  running.position += bytes.length
  return bytes.length
}
