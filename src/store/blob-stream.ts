import { read } from 'node:fs'
import { Readable } from 'node:stream'
import type { Digest } from '../oci/digest.ts'
import { BlobReadError } from './store-errors.ts'
import type { ByteSpan } from './store.ts'

export interface BlobStreamInit {
  readonly fd: number
  readonly digest: Digest
  readonly span: ByteSpan
  readonly chunkBytes: number
  /** The file is shorter than its record, or cannot be read. */
  readonly onDamage: () => void
}

/** Reads a span of an open file. Unlike `fs.createReadStream` it never closes the file and takes an early end for the error it is. */
export class BlobStream extends Readable {
  readonly #init: BlobStreamInit
  #position: number
  #isReading = false

  constructor (init: BlobStreamInit) {
    super({ highWaterMark: init.chunkBytes })
    this.#init = init
    this.#position = init.span.start
  }

  override _read (): void {
    const { fd, span, chunkBytes } = this.#init
    const length = Math.min(chunkBytes, span.end - this.#position)
    if (length === 0) {
      this.push(null)
      return
    }
    const buffer = Buffer.allocUnsafeSlow(length)
    this.#isReading = true
    read(fd, buffer, 0, length, this.#position, (error, bytesRead) => {
      this.#isReading = false
      if (this.destroyed) {
        this.emit('idle')
      } else if (error !== null) {
        this.#fail(error.message, error)
      } else if (bytesRead === 0) {
        this.#fail('the file ends here')
      } else {
        this.#position += bytesRead
        this.push(bytesRead === length ? buffer : buffer.subarray(0, bytesRead))
      }
    })
  }

  /** 'close' comes only when the file is no longer read, so that its owner may close it. */
  override _destroy (error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#isReading) this.once('idle', () => { callback(error) })
    else callback(error)
  }

  #fail (reason: string, cause?: Error): void {
    this.#init.onDamage()
    this.destroy(new BlobReadError(this.#init.digest, this.#position, reason, { cause }))
  }
}
