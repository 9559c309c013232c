import { open, stat } from 'node:fs/promises'

const CHUNK_BYTES = 256 * 1024

/** One event of an agent's log: `msg` is its type, such as `fetch:received`. */
export interface LogLine {
  /** ISO 8601. */
  readonly time: string
  readonly msg: string
  /** Short. */
  readonly digest?: string
  /** `origin`, or `peer:` and the peer's id. */
  readonly source?: string
  readonly bytes?: number
  readonly peer?: string
  readonly reason?: string
}

/** Reads a log as it grows. */
export class LogTail {
  readonly #path: string
  #offset = 0

  constructor (path: string) {
    this.#path = path
  }

  /** What is there already is of no interest. */
  async skip (): Promise<void> {
    this.#offset = (await stat(this.#path)).size
  }

  /** Events since the last reading, without those whose line is not whole yet, and without what is no event. */
  async read (): Promise<LogLine[]> {
    const bytes = await this.#newBytes()
    const end = bytes.lastIndexOf('\n') + 1
    this.#offset += end
    return bytes.toString('utf8', 0, end).split('\n').flatMap(eventIn)
  }

  async #newBytes (): Promise<Buffer> {
    await using file = await open(this.#path)
    const chunks: Buffer[] = []
    for (let at = this.#offset; ;) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, at)
      if (bytesRead === 0) return Buffer.concat(chunks)
      chunks.push(buffer.subarray(0, bytesRead))
      at += bytesRead
    }
  }
}

function eventIn (line: string): LogLine[] {
  if (!line.startsWith('{')) return []
  try {
    return [JSON.parse(line) as LogLine]
  } catch {
    return []
  }
}
