import { once } from 'node:events'
import type { AddressInfo, OnReadOpts } from 'node:net'
import { connect, createServer, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { makeLaneCertificate } from '../../src/net/direct-certificate.ts'
import { LANE_TLS } from '../../src/net/direct-tls.ts'

const READ_BYTES = 64 * 1024
const HOST = '127.0.0.1'

/** As much of a transport as is measured. */
export interface BenchLane {
  onBytes: ((bytes: Uint8Array) => void) | undefined
  send (parts: readonly Uint8Array[]): Promise<void>
}

/** The floor: node:tls as it is, each part a write, the next frame when the last part has gone. */
export class RawLane implements BenchLane {
  onBytes: BenchLane['onBytes']
  #socket: TLSSocket | undefined

  /** @returns the port to connect to, and the lane of whoever does */
  static async listen (): Promise<{ readonly port: number, readonly lane: Promise<RawLane> }> {
    const { cert, key } = makeLaneCertificate()
    const { promise, resolve } = Promise.withResolvers<RawLane>()
    const server = createServer({ ...LANE_TLS, cert, key, noDelay: true }, socket => {
      const lane = new RawLane()
      lane.#socket = socket
      socket.on('data', (bytes: Buffer) => { lane.onBytes?.(bytes) })
      resolve(lane)
    })
    server.listen(0, HOST)
    await once(server, 'listening')
    return { port: (server.address() as AddressInfo).port, lane: promise }
  }

  /** @param isOnread reads by Node's `onread` into one buffer; else by `data` events */
  static async connect (port: number, isOnread: boolean): Promise<RawLane> {
    const lane = new RawLane()
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
    const onread: OnReadOpts = {
      buffer,
      callback: length => {
        lane.onBytes?.(buffer.subarray(0, length))
        return true
      }
    }
    const options: ConnectionOptions & { onread?: OnReadOpts } = { ...LANE_TLS, host: HOST, port, rejectUnauthorized: false, ...isOnread ? { onread } : {} }
    const socket = connect(options)
    lane.#socket = socket
    await once(socket, 'secureConnect')
    socket.setNoDelay(true)
    if (!isOnread) socket.on('data', (bytes: Buffer) => { lane.onBytes?.(bytes) })
    return lane
  }

  async send (parts: readonly Uint8Array[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    for (const part of parts) {
      this.#socket?.write(part, error => {
        if (error instanceof Error) reject(error)
        else if (part === parts.at(-1)) resolve()
      })
    }
    await promise
  }
}
