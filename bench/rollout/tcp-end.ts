import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'

/*
 * One end of a plain TCP transfer, in a process of its own. Run as `tcp-end.ts send HOST BYTES`, which prints its port
 * and sends to whoever connects, or as `tcp-end.ts receive HOST PORT`, which reads to the end and prints bytes a second.
 */

const CHUNK_BYTES = 64 * 1024
/** Left out at the beginning: TCP's start, and the bucket's tokens. */
const WARM_UP_MS = 300

const [mode, host = '', number = ''] = process.argv.slice(2)
if (mode === 'send') await send(Number(number))
else await receive(Number(number))

async function send (bytes: number): Promise<void> {
  const server = createServer(socket => {
    let left = bytes
    const chunk = Buffer.alloc(CHUNK_BYTES)
    const write = (): void => {
      while (left > 0) {
        left -= chunk.length
        if (!socket.write(chunk)) return
      }
      socket.end()
    }
    socket.on('drain', write).on('error', () => {}).on('close', () => { server.close() })
    write()
  })
  server.listen(0, host)
  await once(server, 'listening')
  console.log((server.address() as AddressInfo).port)
}

async function receive (port: number): Promise<void> {
  let bytes = 0
  let beganAt = 0
  let endedAt = 0
  const socket = connect({
    host,
    port,
    onread: {
      buffer: Buffer.allocUnsafeSlow(CHUNK_BYTES),
      callback: length => {
        const now = performance.now()
        if (beganAt === 0) beganAt = now + WARM_UP_MS
        if (now >= beganAt) bytes += length
        endedAt = now
        return true
      }
    }
  })
  await once(socket, 'close')
  console.log(bytes / (endedAt - beganAt) * 1000)
}
