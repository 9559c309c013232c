import { constants } from 'node:fs'
import { copyFile, open, rename, rm, truncate } from 'node:fs/promises'
import { writing } from './fs-errors.ts'
import { OpenFile } from './open-file.ts'

/**
 * Bytes after which a sync in the background begins, so that the one at the commit has little left to do: it meets the
 * sync of the engine that was served.
 */
const SYNC_INTERVAL_BYTES = 128 * 1024 * 1024

/** The data file of a partial: positioned writes and reads, and syncs alongside. */
export class PartialFileHandle {
  readonly path: string
  #file: OpenFile
  /** Another name holds the same bytes: they must not be cut in place. */
  #isShared = false
  #unsyncedBytes = 0
  #syncing: Promise<void> | undefined
  #syncFailure: unknown

  private constructor (path: string, file: OpenFile) {
    this.path = path
    this.#file = file
  }

  static async open (path: string): Promise<PartialFileHandle> {
    return writing(path, async () => new PartialFileHandle(path, await openFile(path)))
  }

  get isShared (): boolean {
    return this.#isShared
  }

  async length (): Promise<number> {
    return (await this.#file.handle.stat()).size
  }

  async read (buffer: Uint8Array, length: number, position: number): Promise<number> {
    return this.#file.read(buffer, length, position)
  }

  /** Writes all of the buffers, one behind the other. @throws StoreFullError */
  async write (buffers: readonly Uint8Array[], position: number): Promise<void> {
    await writing(this.path, async () => this.#file.write(buffers, position))
  }

  /** Starts a sync in the background when enough was written since the last. */
  written (bytes: number): void {
    this.#unsyncedBytes += bytes
    if (this.#unsyncedBytes < SYNC_INTERVAL_BYTES || this.#syncing !== undefined) return
    this.#unsyncedBytes = 0
    this.#syncing = this.#syncBehind()
  }

  /** All that was written is on the disk. @throws StoreFullError */
  async sync (): Promise<void> {
    await this.#syncing
    await writing(this.path, async () => {
      // The kernel tells of a lost write once only.
      if (this.#syncFailure !== undefined) throw this.#syncFailure as Error
      await this.#file.handle.datasync()
    })
  }

  share (): void {
    this.#isShared = true
  }

  /**
   * Drops what lies at and beyond `edge`; a shared file is replaced by a copy, made under the name `temporary`.
   * @returns whether another file lies there now
   */
  async truncate (edge: number, temporary: string): Promise<boolean> {
    await this.#syncing
    const isReplaced = this.#isShared
    await writing(this.path, async () => {
      if (isReplaced) await this.#replace(edge, temporary)
      else await this.#file.handle.truncate(edge)
    })
    // what was lost may lie below any other edge
    if (edge === 0) this.#syncFailure = undefined
    return isReplaced
  }

  /** A shared file is replaced by a copy, made under the name `temporary`. */
  async replace (temporary: string): Promise<void> {
    await this.truncate(await this.length(), temporary)
  }

  async close (): Promise<void> {
    await this.#syncing
    await this.#file.close()
  }

  async #replace (edge: number, temporary: string): Promise<void> {
    try {
      if (edge > 0) {
        await copyFile(this.path, temporary, constants.COPYFILE_FICLONE)
        await truncate(temporary, edge)
      }
      const file = await openFile(temporary)
      await rename(temporary, this.path)
      const shared = this.#file
      this.#file = file
      this.#isShared = false
      await shared.close()
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  async #syncBehind (): Promise<void> {
    try {
      await this.#file.handle.datasync()
    } catch (error) {
      this.#syncFailure = error
    }
    this.#syncing = undefined
  }
}

async function openFile (path: string): Promise<OpenFile> {
  return new OpenFile(await open(path, constants.O_RDWR | constants.O_CREAT))
}
