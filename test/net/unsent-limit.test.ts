import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { platform } from 'node:os'
import { describe, expect, it } from 'vitest'
import { until } from '../../scenarios/live/until.ts'
import { DirectLanes } from '../../src/net/direct-lanes.ts'
import { limitUnsent } from '../../src/net/unsent-limit.ts'
import { unsentBytes } from '../support/unsent-bytes.ts'

const LIMIT = 64 * 1024
/** The kernel looks when it begins a packet, which has 64 KiB at the most, and counts what it has beside the bytes. */
const SLACK = 128 * 1024
const CHUNK = Buffer.alloc(64 * 1024)
const CHUNKS = 256

/** What the kernel takes of 16 MiB that nobody reads, given piece by piece. */
async function unsentWith (prepare: (socket: Socket) => void): Promise<number> {
  const accepted = Promise.withResolvers<Socket>()
  const server = createServer({ pauseOnConnect: true }, accepted.resolve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  const other = await accepted.promise
  other.on('error', () => {})
  prepare(socket)
  for (let chunk = 0; chunk < CHUNKS; chunk++) socket.write(CHUNK)
  const unsent = await settled(port)
  socket.destroy()
  other.destroy()
  server.close()
  return unsent
}

/** @returns what no longer grows */
async function settled (port: number): Promise<number> {
  let last = 0
  return until(async () => {
    const before = last
    last = await unsentBytes(port)
    return last > 0 && last === before && last
  }, { what: 'what waits in the kernel no longer grows', pollMs: 200 })
}

describe.runIf(platform() === 'linux')('limitUnsent', () => {
  it('keeps what waits in the kernel short, which else takes what it can', async () => {
    let wasTaken = false
    const limited = await unsentWith(socket => { wasTaken = limitUnsent(socket, LIMIT) })
    expect(wasTaken).toBe(true)
    expect(limited).toBeLessThanOrEqual(LIMIT + SLACK)
    expect(await unsentWith(() => {})).toBeGreaterThan(2 * (LIMIT + SLACK))
  })

  it('says so where a socket has closed', async () => {
    const socket = connect(1, '127.0.0.1')
    socket.on('error', () => {})
    await new Promise(resolve => { socket.once('close', resolve) })
    expect(limitUnsent(socket, LIMIT)).toBe(false)
  })

  it('holds for both ends of a direct lane', async () => {
    const lanes = new DirectLanes()
    const { port } = await lanes.listen('127.0.0.1', 0)
    const made = lanes.offer('somebody')
    if (made === undefined) throw new Error('no offer')
    const near = await lanes.connect(made.offer, '127.0.0.1')
    const far = await made.accepted
    for (const [from, to] of [[near, far], [far, near]] as const) {
      to.onBytes = () => {}
      to.pause()
      for (let chunk = 0; chunk < CHUNKS; chunk++) from.send([CHUNK]).catch(() => {})
      expect(await settled(port)).toBeLessThanOrEqual(LIMIT + SLACK)
      // the other direction is looked at alone
      to.resume()
      await until(async () => from.unsentBytes === 0 && await unsentBytes(port) === 0, { what: 'all is read' })
    }
    near.abort(new Error('done'))
    far.abort(new Error('done'))
    lanes.close()
  })
})
