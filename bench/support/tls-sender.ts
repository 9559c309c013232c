import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createServer } from 'node:tls'

const CHUNK_BYTES = 1024 * 1024

/** Sends a file to whoever connects. Run as: tls-sender.ts FILE, with the PEM key and certificate in a message. */
process.once('message', ({ key, cert, path }: { key: string, cert: string, path: string }) => {
  const server = createServer({ key, cert, minVersion: 'TLSv1.3' }, socket => {
    pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), socket, () => {})
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.({ port: typeof address === 'object' ? address?.port : 0 })
  })
})
