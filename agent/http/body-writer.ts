import type { ServerResponse } from 'node:http'

/**
 * Bytes of one read and one write. Measured from 64 KiB to 2 MiB: buffers that stay in the processor's cache and are
 * used again cost half the CPU of fresh ones.
 */
const BUFFER_BYTES = 512 * 1024
/** One being read into, one being written, one ahead. */
const BUFFERS_PER_BODY = 3
/** Buffers kept for later bodies. */
const MAX_SPARE_BUFFERS = 48

const spare: Buffer[] = []

/** A part of a body: bytes at hand, or a span of something that is read as it is sent. */
export type BodyPart = Uint8Array | BodySpan

export interface BodySpan {
  /** Inclusive. */
  readonly start: number
  /** Exclusive; Infinity: until `read` returns 0. */
  readonly end: number
  /** Up to `buffer.length` bytes from `position`, at least one; 0 at the end. */
  readonly read: (buffer: Uint8Array, position: number) => Promise<number>
}

/**
 * Writes the parts one after another through a few reused buffers, as fast as the client takes them, and ends the
 * response. One that fails in the middle is cut, so that no client takes it for complete.
 * @param onSent told once, how many bytes the socket took, when the response has ended or its client has gone
 * @throws what `read` throws, after the cut; nothing when the client goes away
 */
export async function writeBody (response: ServerResponse, parts: Iterable<BodyPart>, onSent: (bytes: number) => void): Promise<void> {
  const buffers = new BufferRing()
  let sent = 0
  const countSent = (bytes: number, error: Error | null | undefined): void => { if (error === null || error === undefined) sent += bytes }
  response.once('close', () => { onSent(sent) })
  try {
    for (const part of parts) {
      if (part instanceof Uint8Array) response.write(part, error => { countSent(part.length, error) })
      else if (!await writeSpan(response, part, buffers, countSent)) return
    }
    response.end()
  } catch (error) {
    const isClientGone = response.destroyed
    response.destroy()
    if (!isClientGone) throw error
  } finally {
    buffers.release()
  }
}

/** @returns false when the client has gone */
async function writeSpan (response: ServerResponse, { start, end, read }: BodySpan, buffers: BufferRing, countSent: (bytes: number, error: Error | null | undefined) => void): Promise<boolean> {
  let position = start
  while (position < end) {
    const buffer = await buffers.take()
    if (response.destroyed) return false
    const length = await read(position + buffer.length > end ? buffer.subarray(0, end - position) : buffer, position)
    if (length === 0) {
      buffers.give(buffer)
      if (end === Infinity) return true
      throw new RangeError(`content ended at ${position}, expected ${end}`)
    }
    position += length
    response.write(length === buffer.length ? buffer : buffer.subarray(0, length), error => {
      countSent(length, error)
      buffers.give(buffer)
    })
  }
  return true
}

/** The buffers of one body. They come back when the socket has taken their bytes, or is gone. */
class BufferRing {
  readonly #free: Buffer[] = []
  #made = 0
  #isReleased = false
  #waiting: ((buffer: Buffer) => void) | undefined

  async take (): Promise<Buffer> {
    const buffer = this.#free.pop()
    if (buffer !== undefined) return buffer
    if (this.#made < BUFFERS_PER_BODY) {
      this.#made += 1
      return spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES)
    }
    return new Promise(resolve => { this.#waiting = resolve })
  }

  give (buffer: Buffer): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined) waiting(buffer)
    else if (this.#isReleased) keep(buffer)
    else this.#free.push(buffer)
  }

  /** Those still on their way to the socket follow when they come back. */
  release (): void {
    this.#isReleased = true
    for (const buffer of this.#free.splice(0)) keep(buffer)
  }
}

function keep (buffer: Buffer): void {
  if (spare.length < MAX_SPARE_BUFFERS) spare.push(buffer)
}
