import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import type { AddressInfo, OnReadOpts } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, createServer, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { makeLaneCertificate } from '../../src/net/direct-certificate.ts'

/* One host of `bare-mesh.ts`, a process of its own. It prints its port, reads an order, obeys it and prints the result, each a line. */

/** What one host is to do with the others, from all of which it takes and to all of which it gives. */
export interface BareOrder {
  readonly others: ReadonlyArray<{ readonly host: string, readonly port: number }>
  /** From each of the others, and to each. */
  readonly bytesEach: number
  /** Given in all. */
  readonly bytesPerSecond: number
  readonly pieceBytes: number
  /** Where what has come is written. */
  readonly path: string
}

export interface BareResult {
  /** From the order until all has come, is hashed and written, and all is given. */
  readonly seconds: number
  readonly cpuSeconds: number
}

const READ_BYTES = 16 * 1024

const orders = Promise.withResolvers<BareOrder>()
const given: Array<Promise<void>> = []
const { cert, key } = makeLaneCertificate()
const server = createServer({ cert, key, minVersion: 'TLSv1.3', noDelay: true }, socket => { given.push(give(socket)) })
server.listen(0, process.argv[2])
await once(server, 'listening')
console.log((server.address() as AddressInfo).port)
process.stdin.once('data', (line: Buffer) => { orders.resolve(JSON.parse(line.toString()) as BareOrder) })

const order = await orders.promise
const startedAt = performance.now()
const cpuBefore = process.cpuUsage()
await takeAll(order)
await Promise.all(given)
const { user, system } = process.cpuUsage(cpuBefore)
console.log(JSON.stringify({ seconds: (performance.now() - startedAt) / 1000, cpuSeconds: (user + system) / 1e6 } satisfies BareResult))
process.exit()

async function give (socket: TLSSocket): Promise<void> {
  const { others, bytesEach, bytesPerSecond, pieceBytes } = await orders.promise
  const piece = Buffer.alloc(pieceBytes, process.pid)
  const startedAt = performance.now()
  for (let sent = 0; sent < bytesEach;) {
    const length = Math.min(pieceBytes, bytesEach - sent)
    await new Promise<void>(resolve => { socket.write(piece.subarray(0, length), () => { resolve() }) })
    sent += length
    const aheadMs = startedAt + 1000 * sent * others.length / bytesPerSecond - performance.now()
    if (aheadMs > 0) await delay(aheadMs)
  }
}

/** Each piece is hashed by itself and with the whole, as an agent does, and written by one write. */
async function takeAll ({ others, bytesEach, pieceBytes, path }: BareOrder): Promise<void> {
  const file = await open(path, 'w')
  await Promise.all(others.map(async ({ host, port }, turn) => {
    const whole = createHash('sha256')
    const writes: Array<Promise<unknown>> = []
    const done = Promise.withResolvers<void>()
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
    let piece = Buffer.allocUnsafeSlow(pieceBytes)
    let filled = 0
    let received = 0
    const endPiece = (): void => {
      const bytes = piece.subarray(0, filled)
      whole.update(bytes)
      createHash('sha256').update(bytes).digest()
      writes.push(file.write(bytes, 0, filled, turn * bytesEach + received - filled))
      piece = Buffer.allocUnsafeSlow(pieceBytes)
      filled = 0
    }
    const receive = (length: number): boolean => {
      for (let at = 0; at < length;) {
        const count = buffer.copy(piece, filled, at, length)
        at += count
        filled += count
        received += count
        if (filled === pieceBytes || received === bytesEach) endPiece()
      }
      if (received === bytesEach) done.resolve()
      return true
    }
    const options: ConnectionOptions & { readonly onread: OnReadOpts } = { host, port, rejectUnauthorized: false, onread: { buffer, callback: receive } }
    const socket = connect(options)
    socket.on('error', done.reject)
    await done.promise
    await Promise.all(writes)
    whole.digest()
  }))
  await file.close()
}
