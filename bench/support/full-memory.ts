import { open, readFile, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

/** Left free, as the kernel does. */
const RESERVE_BYTES = 512 * 1024 * 1024
const READ_BYTES = 4 * 1024 * 1024

/**
 * Keeps free memory full of the page cache of a file without content, as that of a host that has run for a day is full of
 * something. A virtual machine that gives free pages back to its hypervisor pays up to 1 s of CPU for each GiB it takes
 * again, and would charge it to whoever writes more.
 */
export class FullMemory {
  readonly #path: string
  readonly #file: FileHandle
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  #end = 0

  private constructor (path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  static async in (dir: string): Promise<FullMemory> {
    const path = join(dir, 'holes')
    return new FullMemory(path, await open(path, 'w+'))
  }

  /** Call it right before what is measured. */
  async topUp (): Promise<void> {
    const excess = await freeBytes() - RESERVE_BYTES
    if (excess <= 0) return
    await this.#file.truncate(this.#end + excess)
    for (const end = this.#end + excess; this.#end < end;) {
      const { bytesRead } = await this.#file.read(this.#buffer, 0, Math.min(READ_BYTES, end - this.#end), this.#end)
      this.#end += bytesRead
    }
  }

  async close (): Promise<void> {
    await this.#file.close()
    await rm(this.#path)
  }
}

/** Memory that nothing uses, not even as page cache; 0 where the system does not tell. */
async function freeBytes (): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '')
  return Number(/^MemFree:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024
}
