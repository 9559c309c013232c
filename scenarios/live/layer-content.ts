import { createCipheriv, createHash, type Cipheriv } from 'node:crypto'

const CHUNK_BYTES = 1024 * 1024
const ZEROS = Buffer.alloc(CHUNK_BYTES)

/** Seeded random bytes of any length, the same for the same seed: the keystream of a cipher. */
export function * contentOf (seed: string, bytes: number): Generator<Buffer> {
  const keystream = keystreamOf(seed)
  for (let left = bytes; left > 0; left -= CHUNK_BYTES) yield keystream.update(ZEROS.subarray(0, Math.min(left, CHUNK_BYTES)))
}

/** Compares what comes, in order, with what should. */
export class ContentCheck {
  readonly #keystream: Cipheriv
  readonly #bytes: number
  #received = 0

  constructor (seed: string, bytes: number) {
    this.#keystream = keystreamOf(seed)
    this.#bytes = bytes
  }

  /** As many bytes as there are have come. */
  get isWhole (): boolean {
    return this.#received === this.#bytes
  }

  /** @returns how many of the bytes are wrong: those beyond the end all are */
  push (chunk: Uint8Array): number {
    const known = Math.min(chunk.length, Math.max(0, this.#bytes - this.#received))
    this.#received += chunk.length
    return chunk.length - known + this.#wrongIn(chunk.subarray(0, known))
  }

  #wrongIn (chunk: Uint8Array): number {
    let wrong = 0
    for (let at = 0; at < chunk.length; at += CHUNK_BYTES) {
      const part = chunk.subarray(at, at + CHUNK_BYTES)
      const expected = this.#keystream.update(ZEROS.subarray(0, part.length))
      if (expected.equals(part)) continue
      for (const [index, byte] of part.entries()) if (byte !== expected[index]) wrong++
    }
    return wrong
  }
}

function keystreamOf (seed: string): Cipheriv {
  return createCipheriv('aes-128-ctr', createHash('md5').update(seed).digest(), Buffer.alloc(16))
}
