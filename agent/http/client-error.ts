import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ociError } from '../../src/oci/oci-error.ts'

const STATUSES: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }
const BAD_REQUEST = 400
/** How long a client that still writes may take to read its answer, in milliseconds: see `refuseWrite`. */
const LINGER_MS = 1000

const answered = new WeakSet<Socket>()

/**
 * What came is no HTTP: a malformed request, headers without end, the ClientHello of a client that tries TLS first. It
 * is answered only when nothing was sent on the connection before, for else the answer could end up in the middle of a
 * blob.
 */
export function answerClientError (error: NodeJS.ErrnoException, socket: Socket): void {
  if (answered.has(socket)) return
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy()
    return
  }
  answered.add(socket)
  const status = STATUSES[error.code ?? ''] ?? BAD_REQUEST
  const body = ociError('UNSUPPORTED', { message: `not an HTTP request this agent reads: ${STATUS_CODES[status]}` }).body()
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Docker-Distribution-API-Version: registry/2.0',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close'
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  const timer = setTimeout(() => { socket.destroy() }, LINGER_MS)
  socket.once('close', () => { clearTimeout(timer) })
}
