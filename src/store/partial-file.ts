import { constants } from 'node:fs'
import { copyFile, open, rename, rm, truncate, type FileHandle } from 'node:fs/promises'
import { writing } from './fs-errors.ts'

/** Bytes after which a sync in the background begins, so that the one at the commit has little left to do. */
const SYNC_INTERVAL_BYTES = 64 * 1024 * 1024

/** The data file of a partial: positioned writes and reads, and syncs alongside. */
export class PartialFileHandle {
  readonly path: string
  #handle: FileHandle
  /** Another name holds the same bytes: they must not be cut in place. */
  #isShared = false
  #syncedTo = 0
  #syncing: Promise<void> | undefined
  #syncFailure: unknown

  private constructor (path: string, handle: FileHandle) {
    this.path = path
    this.#handle = handle
  }

  static async open (path: string): Promise<PartialFileHandle> {
    return writing(path, async () => new PartialFileHandle(path, await open(path, constants.O_RDWR | constants.O_CREAT)))
  }

  async length (): Promise<number> {
    return (await this.#handle.stat()).size
  }

  async read (buffer: Uint8Array, length: number, position: number): Promise<number> {
    const { bytesRead } = await this.#handle.read(buffer, 0, length, position)
    return bytesRead
  }

  /** @throws StoreFullError */
  async write (bytes: Uint8Array, position: number): Promise<void> {
    await writing(this.path, async () => {
      for (let written = 0; written < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, position + written)
        written += bytesWritten
      }
    })
  }

  /** Starts a sync in the background when enough was written since the last. */
  written (edge: number): void {
    if (edge - this.#syncedTo < SYNC_INTERVAL_BYTES || this.#syncing !== undefined) return
    this.#syncedTo = edge
    this.#syncing = this.#syncBehind()
  }

  /** All that was written is on the disk. @throws StoreFullError */
  async sync (): Promise<void> {
    await this.#syncing
    await writing(this.path, async () => {
      // The kernel tells of a lost write once only.
      if (this.#syncFailure !== undefined) throw this.#syncFailure as Error
      await this.#handle.datasync()
    })
  }

  share (): void {
    this.#isShared = true
  }

  /** Drops what lies at and beyond `edge`; a shared file is replaced by a copy, made under the name `temporary`. */
  async truncate (edge: number, temporary: string): Promise<void> {
    await this.#syncing
    this.#syncedTo = Math.min(this.#syncedTo, edge)
    await writing(this.path, async () => {
      if (this.#isShared) await this.#replace(edge, temporary)
      else await this.#handle.truncate(edge)
    })
    this.#syncFailure = undefined
  }

  async close (): Promise<void> {
    await this.#syncing
    await this.#handle.close()
  }

  async #replace (edge: number, temporary: string): Promise<void> {
    try {
      if (edge > 0) {
        await copyFile(this.path, temporary, constants.COPYFILE_FICLONE)
        await truncate(temporary, edge)
      }
      const handle = await open(temporary, constants.O_RDWR | constants.O_CREAT)
      await rename(temporary, this.path)
      const shared = this.#handle
      this.#handle = handle
      this.#isShared = false
      await shared.close()
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  async #syncBehind (): Promise<void> {
    try {
      await this.#handle.datasync()
    } catch (error) {
      this.#syncFailure = error
    }
    this.#syncing = undefined
  }
}
