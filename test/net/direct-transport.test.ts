import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DirectLanes, type DirectLanesInit } from '../../src/net/direct-lanes.ts'
import type { FrameTransport } from '../../src/net/frame-transport.ts'
import { seededBytes } from '../support/image.ts'
import { listen, testFrameTransport, type PairInit, type TransportPair } from './frame-transport-contract.ts'

/** Stands between the two ends, and can be cut. */
class Relay {
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer(socket => { this.#join(socket) })
  /** Where it leads to. */
  target = 0

  get port (): number {
    return (this.#server.address() as AddressInfo).port
  }

  async start (): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  cut (): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop (): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  #join (near: Socket): void {
    const far = connect(this.target, '127.0.0.1')
    for (const [from, to] of [[near, far], [far, near]] as const) {
      this.#sockets.add(from)
      from.on('error', () => { to.destroy() })
      from.once('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  }
}

const relay = new Relay()

beforeAll(async () => { await relay.start() })
afterAll(async () => { await relay.stop() })

interface Lane extends TransportPair {
  readonly client: FrameTransport
  readonly server: FrameTransport
}

/** A lane through a relay that can be cut. */
async function makeLane (transport?: PairInit): Promise<Lane> {
  const init: DirectLanesInit = { transport }
  const [offering, connecting] = [new DirectLanes(init), new DirectLanes(init)]
  const { port } = await offering.listen('127.0.0.1', 0)
  relay.target = port
  const made = offering.offer('peer')
  if (made === undefined) throw new Error('no offer')
  const client = await connecting.connect({ ...made.offer, port: relay.port }, '127.0.0.1')
  const server = await made.accepted
  return {
    client,
    server,
    local: client,
    remote: server,
    cut: () => { relay.cut() },
    close: async () => {
      client.abort(new Error('over'))
      server.abort(new Error('over'))
      offering.close()
    }
  }
}

testFrameTransport('a direct lane that we connected to', makeLane)

testFrameTransport('a direct lane that the peer connected to', async init => {
  const lane = await makeLane(init)
  return { ...lane, local: lane.server, remote: lane.client }
})

describe('a direct lane', () => {
  it.each(['client', 'server'] as const)('keeps for the %s what came before it listened, though the other side has ended since', async side => {
    const lane = await makeLane()
    const late = lane[side]
    const early = side === 'client' ? lane.server : lane.client
    listen(early)
    const sent = seededBytes(5_000, 'early')
    await early.send([sent])
    const closing = early.close()
    const heard = listen(late)
    expect(await heard.closed()).toBeUndefined()
    expect(heard.bytes()).toEqual(sent)
    await closing
    await lane.close()
  })

  it('lends the bytes that the client receives: they are overwritten later', async () => {
    const lane = await makeLane()
    const lent: Uint8Array[] = []
    const all = Promise.withResolvers<void>()
    lane.client.onBytes = bytes => {
      lent.push(bytes)
      if (lent.length === 2) all.resolve()
    }
    await lane.server.send([Buffer.of(1)])
    await lane.server.send([Buffer.of(2)])
    await all.promise
    expect(lent.map(bytes => bytes[0])).toEqual([2, 2])
    await lane.close()
  })
})
