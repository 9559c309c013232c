import type { BodyStream } from './body-stream.ts'

const MAX_EXCUSE_BYTES = 64 * 1024
const EXCUSE_MS = 500

/** More bytes than the document may have. */
export class OversizedError extends Error {
  constructor (limitBytes: number) {
    super(`more than ${limitBytes} bytes`)
    this.name = 'OversizedError'
  }
}

/**
 * Reads a body to its end. What counts is what comes, not what Content-Length says.
 * @throws OversizedError, having dropped the connection; or why the body ended early
 */
export async function readBody (body: BodyStream, limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  while (await body.more()) {
    const chunk = body.take() as Uint8Array
    length += chunk.length
    if (length > limitBytes) {
      const error = new OversizedError(limitBytes)
      body.cancel(error)
      throw error
    }
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0] as Uint8Array : Buffer.concat(chunks, length)
}

/** Reads what an answer that is no success says of itself, if it comes soon; never throws: the status is what counts. */
export async function readExcuse (body: BodyStream): Promise<Uint8Array> {
  const timer = setTimeout(() => { body.cancel(new Error('its excuse takes too long')) }, EXCUSE_MS)
  try {
    return await readBody(body, MAX_EXCUSE_BYTES)
  } catch {
    return new Uint8Array()
  } finally {
    clearTimeout(timer)
  }
}
