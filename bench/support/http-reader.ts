import { connect } from 'node:net'

/*
 * A process that reads HTTP bodies and throws them away, as cheaply as Node can: one reused buffer, no parsing after
 * the headers. Told by the parent what to read, so that its own start is not measured.
 */

export interface ReadOrder {
  readonly url: string
  /** Connections at once, each reading the whole body. */
  readonly parallel: number
}

export interface ReadResult {
  readonly seconds: number
  readonly bytes: number
  readonly error?: string
}

const BUFFER_BYTES = 1024 * 1024
const HEAD_END = '\r\n\r\n'

async function read (url: URL): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let head = ''
  let expected: number | undefined
  let received = 0
  const socket = connect({
    host: url.hostname,
    port: Number(url.port),
    onread: {
      buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
      callback: (length, buffer) => {
        let body = length
        if (expected === undefined) {
          head += Buffer.from(buffer.subarray(0, length)).toString('latin1')
          const end = head.indexOf(HEAD_END)
          if (end === -1) return true
          const size = /^content-length: (\d+)/im.exec(head)?.[1]
          if (!head.startsWith('HTTP/1.1 200') || size === undefined) {
            socket.destroy(new Error(`unexpected answer: ${head.slice(0, 200)}`))
            return false
          }
          expected = Number(size)
          body = head.length - end - HEAD_END.length
        }
        received += body
        if (received >= expected) {
          resolve(received)
          socket.destroy()
        }
        return true
      }
    }
  })
  socket.on('error', reject)
  socket.on('close', () => { reject(new Error(`cut after ${received} bytes`)) })
  socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n\r\n`)
  return promise
}

process.on('message', (order: ReadOrder) => {
  const startedAt = performance.now()
  Promise.all(Array.from({ length: order.parallel }, async () => read(new URL(order.url))))
    .then(all => ({ seconds: (performance.now() - startedAt) / 1000, bytes: all.reduce((sum, bytes) => sum + bytes, 0) }))
    .catch((error: unknown) => ({ seconds: 0, bytes: 0, error: String(error) }))
    .then(result => process.send?.(result satisfies ReadResult))
    .catch(() => { process.exit(1) })
})
