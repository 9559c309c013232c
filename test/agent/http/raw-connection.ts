import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const DEADLINE_MS = 10_000
const FIRST_CAPACITY_BYTES = 64 * 1024

/** A connection on which a test writes what it likes. */
export class RawConnection {
  readonly socket: Socket
  /** Settled when the other side has closed, however it did. */
  readonly closed: Promise<void>
  #buffer = Buffer.allocUnsafe(FIRST_CAPACITY_BYTES)
  #start = 0
  #end = 0
  #change = Promise.withResolvers<void>()

  private constructor (socket: Socket) {
    this.socket = socket
    const changed = (): void => {
      this.#change.resolve()
      this.#change = Promise.withResolvers()
    }
    socket.on('data', (chunk: Buffer) => {
      this.#append(chunk)
      changed()
    })
    socket.on('error', () => {})
    this.closed = new Promise(resolve => {
      socket.once('close', () => {
        resolve()
        changed()
      })
    })
  }

  static async open (url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    return new RawConnection(socket)
  }

  /** All that came so far, but for answers that were taken out. */
  get received (): Buffer {
    return this.#buffer.subarray(this.#start, this.#end)
  }

  write (data: string | Uint8Array): void {
    this.socket.write(data)
  }

  /** A request without a body, as a client would write it. */
  request (target: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): void {
    const lines = [`${method} ${target} HTTP/1.1`, ...Object.entries({ Host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`)]
    this.write(`${lines.join('\r\n')}\r\n\r\n`)
  }

  /** Waits until so much has come that `find` returns something. @throws Error with what came, when it never does */
  async until<T> (find: (received: Buffer) => T | undefined): Promise<T> {
    const timer = setTimeout(() => { this.socket.destroy() }, DEADLINE_MS)
    try {
      for (;;) {
        const found = find(this.received)
        if (found !== undefined) return found
        if (this.socket.destroyed) throw new Error(`closed after ${JSON.stringify(this.received.subarray(0, 300).toString('latin1'))}`)
        await this.#change.promise
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** The next answer, whole by its Content-Length, which is taken out of what came. */
  async answer ({ hasBody = true }: { hasBody?: boolean } = {}): Promise<RawAnswer> {
    return this.until(received => {
      const headEnd = received.indexOf('\r\n\r\n')
      if (headEnd === -1) return undefined
      const [statusLine = '', ...lines] = received.subarray(0, headEnd).toString('latin1').split('\r\n')
      const headers = new Headers(lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]))
      const end = headEnd + 4 + (hasBody ? Number(headers.get('content-length') ?? 0) : 0)
      if (received.length < end) return undefined
      this.#start += end
      return { status: Number(statusLine.split(' ')[1]), headers, body: received.subarray(headEnd + 4, end) }
    })
  }

  close (): void {
    this.socket.destroy()
  }

  #append (chunk: Buffer): void {
    if (this.#end + chunk.length > this.#buffer.length) {
      const grown = Buffer.allocUnsafe((this.#end + chunk.length) * 2)
      this.#buffer.copy(grown, 0, 0, this.#end)
      this.#buffer = grown
    }
    this.#end += chunk.copy(this.#buffer, this.#end)
  }
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}
