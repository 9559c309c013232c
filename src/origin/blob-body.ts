import { DeadlineError } from '../errors.ts'
import { shortDigest } from '../oci/digest.ts'
import { backOffMs, pause } from './back-off.ts'
import { openBlob, type BlobRequest, type OpenedBlob } from './blob-opening.ts'
import type { BodyStream } from './body-stream.ts'
import { withDeadline } from './deadline.ts'
import { messageOf, originErrorOf } from './failure.ts'
import { OriginError } from './origin-error.ts'
import type { OriginLog } from './origin-log.ts'
import type { RegistryClient } from './registry-client.ts'

/** Resumptions in a row that bring no byte. */
const MAX_IDLE_RESUMES = 5
/** Resumptions in all: an origin that cuts after every few bytes is not read to the end. */
const MAX_RESUMES = 100

export interface BlobBodyComponents {
  readonly client: RegistryClient
  readonly random: () => number
  readonly log: OriginLog
}

/**
 * The bytes of a blob, or of a part of it, as one unbroken body, whatever happens to the connections beneath. Owns the current connection
 * and the position; each resumption starts at the registry again, as signed URLs expire. One reader, once.
 */
export class BlobBody implements AsyncIterableIterator<Uint8Array, undefined, undefined> {
  readonly #components: BlobBodyComponents
  readonly #request: BlobRequest
  readonly #signal: AbortSignal | undefined
  readonly #onAbort: () => void
  readonly #etag: string | undefined
  readonly #size: number | undefined
  readonly #end: number | undefined
  #stream: BodyStream | undefined
  /** No byte of the stream from here on is wanted, or believed. */
  #limit: number
  /** The stream goes on behind `#end`: it comes from an origin that began to ignore Range. */
  #isTrimmed = false
  #at: number
  #resumes = 0
  #idleResumes = 0
  #resumedAt: number

  constructor (components: BlobBodyComponents, request: BlobRequest, opened: OpenedBlob, signal: AbortSignal | undefined) {
    this.#components = components
    this.#request = opened.isPart ? request : { ...request, end: undefined }
    this.#signal = signal
    this.#stream = opened.stream
    this.#at = opened.start
    this.#resumedAt = opened.start
    this.#size = opened.size
    this.#end = lesser(this.#request.end, opened.size)
    this.#limit = lesser(this.#end, opened.end) ?? Infinity
    this.#etag = opened.etag
    this.#onAbort = () => { this.#stream?.cancel(asError(signal?.reason)) }
    if (signal?.aborted === true) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Behind the last byte, where that can be told. */
  get end (): number | undefined {
    return this.#end
  }

  [Symbol.asyncIterator] (): this {
    return this
  }

  /** @throws OriginError, or the signal's reason */
  next (): Promise<IteratorResult<Uint8Array, undefined>> {
    const chunk = this.#stream?.take()
    if (chunk === undefined) return this.#wait()
    this.#at += chunk.length
    return this.#at > this.#limit ? this.#beyond(chunk) : Promise.resolve({ value: chunk, done: false })
  }

  return (): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#finish(new Error('the reader has left'))
    return Promise.resolve({ value: undefined, done: true })
  }

  async #beyond (chunk: Uint8Array): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#isTrimmed) throw this.#fail(this.#invalid(`more than the bytes up to ${this.#limit} that were announced`))
    const value = chunk.subarray(0, chunk.length - (this.#at - this.#limit))
    this.#at = this.#limit
    this.#finish(new Error('the rest is not wanted'))
    return value.length === 0 ? { value: undefined, done: true } : { value, done: false }
  }

  async #wait (): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#stream !== undefined) {
      try {
        if (await this.#stream.more()) return await this.next()
      } catch (error) {
        if (this.#signal?.aborted === true || error instanceof OriginError) throw this.#fail(error)
        if (this.#at === this.#end) break
        await this.#resume(error)
        continue
      }
      if (this.#end === undefined || this.#at === this.#end) break
      await this.#resume(new Error(`the body ended at byte ${this.#at} of ${this.#end}`))
    }
    this.#finish(new Error('the blob is complete'))
    return { value: undefined, done: true }
  }

  /** Makes a new connection the current one, positioned at the next byte. */
  async #resume (error: unknown): Promise<void> {
    const { random, log } = this.#components
    const { registry, digest } = this.#request
    let reason = error
    for (;;) {
      if (this.#at > this.#resumedAt) this.#idleResumes = 0
      const isOver = this.#idleResumes >= MAX_IDLE_RESUMES || this.#resumes >= MAX_RESUMES || isSilence(reason)
      if (isOver) throw this.#fail(reason)
      const delayMs = this.#idleResumes === 0 ? 0 : backOffMs(this.#idleResumes, random)
      this.#idleResumes++
      this.#resumes++
      this.#resumedAt = this.#at
      log({ type: 'origin:resumed', registry, digest, at: this.#at, reason: messageOf(reason) })
      const opened = await this.#reopen(delayMs)
      try {
        // An origin that ignores Range begins anew: what the reader has is read again and dropped.
        await opened.stream?.skip(this.#at - opened.start)
        return
      } catch (failure) {
        reason = failure
      }
    }
  }

  /** A connection that cannot be had, though `openBlob` tried more than once, is the end. */
  async #reopen (delayMs: number): Promise<OpenedBlob> {
    const { firstByteMs } = this.#request
    try {
      await pause(delayMs, this.#signal)
      const opened = await withDeadline('first byte', firstByteMs, this.#signal, signal => openBlob(this.#components.client, this.#request, this.#at, { etag: this.#etag }, signal))
      this.#stream = opened.stream
      this.#limit = lesser(this.#end, opened.end) ?? Infinity
      this.#isTrimmed = this.#end !== undefined && (opened.end ?? Infinity) > this.#end
      if (this.#signal?.aborted === true) this.#onAbort()
      this.#check(opened)
      return opened
    } catch (failure) {
      throw this.#fail(failure)
    }
  }

  #check ({ size, etag }: OpenedBlob): void {
    if (this.#size !== undefined && size !== undefined && size !== this.#size) throw this.#invalid(`it has ${size} bytes now, ${this.#size} before`)
    if (this.#etag !== undefined && etag !== undefined && etag !== this.#etag) throw this.#invalid(`its ETag is ${etag} now, ${this.#etag} before`)
  }

  #invalid (what: string): OriginError {
    const { registry, repository, digest } = this.#request
    return new OriginError('ORIGIN_INVALID', `blob ${repository} ${shortDigest(digest)} at byte ${this.#at}: ${what}`, { registry })
  }

  /** Ends the body; @returns what to throw */
  #fail (error: unknown): Error {
    const { registry, repository, digest } = this.#request
    const failure = this.#signal?.aborted === true ? asError(this.#signal.reason) : originErrorOf(error, registry, `blob ${repository} ${shortDigest(digest)} at byte ${this.#at}`)
    this.#finish(failure)
    return failure
  }

  #finish (reason: Error): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#stream?.cancel(reason)
    this.#stream = undefined
  }
}

/** After a stall one more connection is worth a try; one that brings nothing at all is not. */
function isSilence (reason: unknown): boolean {
  return reason instanceof DeadlineError && reason.phase === 'first byte'
}

function lesser (a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? a ?? b : Math.min(a, b)
}

function asError (reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason })
}
