import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What has come to a process over TCP. */
export interface SocketBytes {
  /** Bytes that its machine has received for it. */
  readonly received: number
  /** Those that it has read. */
  readonly read: number
}

/** Counts what comes to a process by the kernel's word (ss(8)), also of connections that have ended since the last look. */
export class SocketCounter {
  readonly #pid: number
  readonly #sockets = new Map<string, SocketBytes>()

  constructor (pid: number) {
    this.#pid = pid
  }

  async count (): Promise<SocketBytes> {
    const { stdout } = await run('ss', ['--no-header', '--tcp', '--info', '--processes', '--numeric', '--oneline', 'state', 'established'], { maxBuffer: 64 * 1024 * 1024 })
    for (const line of stdout.split('\n')) {
      if (!line.includes(`pid=${this.#pid},`)) continue
      const [unread = '', , local, remote] = line.trim().split(/\s+/)
      const received = Number(/bytes_received:(\d+)/.exec(line)?.[1] ?? 0)
      this.#sockets.set(`${local} ${remote}`, { received, read: received - Number(unread) })
    }
    const sum = { received: 0, read: 0 }
    for (const { received, read } of this.#sockets.values()) {
      sum.received += received
      sum.read += read
    }
    return sum
  }
}
