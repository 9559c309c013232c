import { constants } from 'node:fs'
import { open, readFile, type FileHandle } from 'node:fs/promises'
import { asStoreError } from './fs-errors.ts'
import { decodeJournal, encodeEntry, replayJournal, type JournalEntry, type JournalState } from './partial-journal.ts'

/** What a journal says that nobody has open. */
export async function readJournal (path: string): Promise<JournalState> {
  return replayJournal(decodeJournal(await readFile(path)).entries)
}

/** The journal of one open partial. Entries are handed to the kernel in batches; a kill loses none that was written. */
export class JournalFile {
  readonly #path: string
  readonly #handle: FileHandle
  #position: number
  #pending: string[] = []
  #writing: Promise<void> | undefined
  #failure: Error | undefined

  private constructor (path: string, handle: FileHandle, position: number) {
    this.#path = path
    this.#handle = handle
    this.#position = position
  }

  /** Reads what is there, cuts off a torn end, and goes on behind it. */
  static async open (path: string): Promise<{ journal: JournalFile, state: JournalState }> {
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT)
    try {
      const { entries, length } = decodeJournal(await handle.readFile())
      await handle.truncate(length)
      return { journal: new JournalFile(path, handle, length), state: replayJournal(entries) }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Remembers the entry soon. A failure shows at the next `flush`. */
  append (entry: JournalEntry): void {
    this.#pending.push(encodeEntry(entry))
    this.#writing ??= this.#writePending()
  }

  /** Resolves when all entries are with the kernel. @throws StoreFullError; the entries are tried again by the next flush */
  async flush (): Promise<void> {
    this.#failure = undefined
    if (this.#pending.length > 0) this.#writing ??= this.#writePending()
    await this.#writing
    const failure = this.#failure as Error | undefined
    if (failure !== undefined) throw asStoreError(failure, this.#path)
  }

  async sync (): Promise<void> {
    await this.flush()
    await this.#handle.datasync()
  }

  async close (): Promise<void> {
    await this.#writing
    await this.#handle.close()
  }

  async #writePending (): Promise<void> {
    // Entries of the same turn go together, and `#writing` is set before it is cleared.
    await Promise.resolve()
    while (this.#pending.length > 0 && this.#failure === undefined) {
      const lines = this.#pending
      this.#pending = []
      try {
        const bytes = Buffer.from(lines.join(''))
        let written = 0
        while (written < bytes.length) {
          const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, this.#position + written)
          written += bytesWritten
        }
        this.#position += written
      } catch (error) {
        this.#pending = [...lines, ...this.#pending]
        this.#failure = error as Error
      }
    }
    this.#writing = undefined
  }
}
