import { once } from 'node:events'
import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { makeLaneCertificate } from '../../src/net/direct-certificate.ts'
import { DirectLanes, type DirectLanesInit, type MadeOffer } from '../../src/net/direct-lanes.ts'
import { until } from '../../scenarios/live/until.ts'
import { listen } from './frame-transport-contract.ts'

const HOST = '127.0.0.1'
const freeing: Array<() => unknown> = []

afterEach(async () => {
  for (const free of freeing.splice(0)) await free()
})

async function listening (init?: DirectLanesInit): Promise<DirectLanes> {
  const lanes = new DirectLanes(init)
  freeing.push(() => { lanes.close() })
  await lanes.listen(HOST, 0)
  return lanes
}

function offered (lanes: DirectLanes, peer = 'peer'): MadeOffer {
  const made = lanes.offer(peer)
  if (made === undefined) throw new Error('no offer')
  return made
}

/** The lane works in both directions; frees it. */
async function expectWorking (lanes: DirectLanes): Promise<void> {
  const { offer, accepted } = offered(lanes, 'a friend')
  const client = await new DirectLanes().connect(offer, HOST)
  const server = await accepted
  const [atClient, atServer] = [listen(client), listen(server)]
  await Promise.all([client.send([Buffer.from('ping')]), server.send([Buffer.from('pong')])])
  await until(() => atClient.bytes().toString() === 'pong' && atServer.bytes().toString() === 'ping', { what: 'both words' })
  await client.close()
  expect(await atServer.closed()).toBeUndefined()
}

/** A socket of ours that may do anything; resolves with what it was sent when it is closed. */
async function closedAfter (socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  const closed = Promise.withResolvers<Buffer>()
  socket.on('error', () => {})
  socket.on('data', chunk => { chunks.push(chunk) })
  socket.once('close', () => { closed.resolve(Buffer.concat(chunks)) })
  return closed.promise
}

function dialTls (port: number, onSecure: (socket: Socket) => void): Socket {
  const socket = connectTls({ host: HOST, port, rejectUnauthorized: false, minVersion: 'TLSv1.3' }, () => { onSecure(socket) })
  return socket
}

describe('direct lanes', () => {
  it('gives the side that made the offer the lane of that peer, and carries bytes both ways', async () => {
    await expectWorking(await listening())
  })

  it('keeps the lanes of several peers apart', async () => {
    const lanes = await listening()
    const [one, other] = [offered(lanes, 'one'), offered(lanes, 'other')]
    const [toOther, toOne] = await Promise.all([new DirectLanes().connect(other.offer, HOST), new DirectLanes().connect(one.offer, HOST)])
    const [ofOne, ofOther] = [listen(await one.accepted), listen(await other.accepted)]
    await Promise.all([toOne.send([Buffer.from('one')]), toOther.send([Buffer.from('other')])])
    await until(() => ofOne.bytes().toString() === 'one' && ofOther.bytes().toString() === 'other', { what: 'both words' })
    await Promise.all([toOne.close(), toOther.close()])
  })

  it('makes no offer while it does not listen', async () => {
    const lanes = new DirectLanes()
    expect(lanes.offer('peer')).toBeUndefined()
    await lanes.listen(HOST, 0)
    expect(lanes.offer('peer')).toBeDefined()
    lanes.close()
    expect(lanes.offer('peer')).toBeUndefined()
  })

  it('takes another port, and says so, when the one asked for is taken', async () => {
    const blocker = createServer().listen(0, HOST)
    freeing.push(async () => { blocker.close() })
    await once(blocker, 'listening')
    const { port } = blocker.address() as { port: number }
    const lanes = new DirectLanes()
    freeing.push(() => { lanes.close() })
    const result = await lanes.listen(HOST, port)
    expect(result).toEqual({ port: lanes.port, isPortTaken: true })
    expect(lanes.port).not.toBe(port)
    await expectWorking(lanes)
  })

  it('says when it cannot listen at all', async () => {
    await expect(new DirectLanes().listen('192.0.2.1', 0)).rejects.toMatchObject({ code: 'LANE_LISTEN' })
  })

  it('bounds its offers, and lets a newer one to a peer take the place of the older', async () => {
    const lanes = await listening({ maxOffers: 2 })
    const first = offered(lanes, 'one')
    offered(lanes, 'two')
    expect(lanes.offer('three')).toBeUndefined()
    const second = offered(lanes, 'one')
    await expect(first.accepted).rejects.toMatchObject({ code: 'LANE_EXPIRED' })
    await expect(new DirectLanes().connect(first.offer, HOST)).rejects.toMatchObject({ code: 'LANE_REFUSED' })
    const client = await new DirectLanes().connect(second.offer, HOST)
    expect(lanes.offer('three')).toBeDefined()
    client.abort(new Error('over'))
  })
})

describe('who connects to a direct lane', () => {
  it('turns away from another certificate before it sends anything', async () => {
    const { cert, key } = makeLaneCertificate()
    const server = createTlsServer({ cert, key })
    const heard: Buffer[] = []
    let closedCount = 0
    server.on('secureConnection', socket => { socket.on('error', () => {}).on('data', (bytes: Buffer) => { heard.push(bytes) }) })
    server.on('connection', (socket: Socket) => { socket.once('close', () => { closedCount++ }) })
    server.listen(0, HOST)
    freeing.push(() => { server.close() })
    await once(server, 'listening')
    const { offer } = offered(await listening())
    const { port } = server.address() as { port: number }
    await expect(new DirectLanes().connect({ ...offer, port }, HOST)).rejects.toMatchObject({ code: 'LANE_FINGERPRINT' })
    await expect(new DirectLanes().connect({ ...offer, port, fingerprint: new Uint8Array(5) }, HOST)).rejects.toMatchObject({ code: 'LANE_FINGERPRINT' })
    await until(() => closedCount === 2, { what: 'the end of both connections' })
    expect(heard).toEqual([])
  })

  it.each([
    ['a token of nobody', 32],
    ['a token of zero bytes', 0],
    ['a token of 33 bytes', 33]
  ])('is refused with %s', async (_, length) => {
    const lanes = await listening({ proofTimeoutMs: 300 })
    const { offer } = offered(lanes)
    await expect(new DirectLanes().connect({ ...offer, token: new Uint8Array(length) }, HOST)).rejects.toMatchObject({ code: 'LANE_REFUSED' })
    await expectWorking(lanes)
  })

  it('is refused with a token that was used, and the lane it opened lives on', async () => {
    const lanes = await listening()
    const { offer, accepted } = offered(lanes)
    const client = await new DirectLanes().connect(offer, HOST)
    const heard = listen(await accepted)
    offered(lanes, 'another')
    await expect(new DirectLanes().connect(offer, HOST)).rejects.toMatchObject({ code: 'LANE_REFUSED' })
    await client.send([Buffer.from('still here')])
    await until(() => heard.bytes().toString() === 'still here', { what: 'the word' })
    client.abort(new Error('over'))
  })

  it('is refused with a token that has expired', async () => {
    const lanes = await listening({ offerTimeoutMs: 30 })
    const { offer, accepted } = offered(lanes)
    await expect(accepted).rejects.toMatchObject({ code: 'LANE_EXPIRED' })
    await expect(new DirectLanes().connect(offer, HOST)).rejects.toMatchObject({ code: expect.stringMatching(/^LANE_(REFUSED|UNREACHABLE)$/) as string })
  })

  it('never names the token in what it throws', async () => {
    const lanes = await listening()
    const { offer, accepted } = offered(lanes)
    lanes.close()
    const errors = await Promise.all([accepted, new DirectLanes().connect(offer, HOST)].map(async promise => promise.catch((error: unknown) => error)))
    for (const error of errors) {
      expect(error).toBeInstanceOf(Error)
      expect(String((error as Error).message)).not.toContain(Buffer.from(offer.token).toString('hex'))
      expect(Object.values(error as object)).not.toContain(offer.token)
    }
  })

  it('hears that nobody listens there', async () => {
    const lanes = await listening()
    const { offer } = offered(lanes)
    lanes.close()
    await expect(new DirectLanes().connect(offer, HOST)).rejects.toMatchObject({ code: 'LANE_UNREACHABLE', retryable: true })
  })

  it.each([
    ['says nothing', () => {}],
    ['answers with garbage', (socket: Socket) => { socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') }]
  ])('gives up on a server that %s', async (_, answer) => {
    const sockets: Socket[] = []
    const server = createServer(socket => {
      sockets.push(socket)
      socket.on('error', () => {})
      answer(socket)
    }).listen(0, HOST)
    freeing.push(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    await once(server, 'listening')
    const { offer } = offered(await listening())
    const { port } = server.address() as { port: number }
    await expect(new DirectLanes({ connectTimeoutMs: 200 }).connect({ ...offer, port }, HOST)).rejects.toMatchObject({ code: 'LANE_UNREACHABLE' })
  })

  it('stops when it is told to', async () => {
    const server = createServer(() => {}).listen(0, HOST)
    const connected = once(server, 'connection')
    freeing.push(() => { server.close() })
    await once(server, 'listening')
    const { offer } = offered(await listening())
    const { port } = server.address() as { port: number }
    const controller = new AbortController()
    const connecting = expect(new DirectLanes().connect({ ...offer, port }, HOST, { signal: controller.signal })).rejects.toThrow('no longer')
    const [socket] = await connected as [Socket]
    const closed = closedAfter(socket)
    controller.abort(new Error('no longer'))
    await connecting
    await closed
  })
})

describe('the listener of direct lanes', () => {
  it('does not even shake hands while nobody is expected', async () => {
    const lanes = await listening()
    let isSecure = false
    await closedAfter(dialTls(lanes.port ?? 0, () => { isSecure = true }))
    expect(isSecure).toBe(false)
    await expectWorking(lanes)
  })

  it('drops a client that shows nothing in time, one that sends a byte at a time, and one that never shakes hands', async () => {
    const lanes = await listening({ proofTimeoutMs: 300 })
    offered(lanes)
    const port = lanes.port ?? 0
    const mute = closedAfter(dialTls(port, () => {}))
    const raw = closedAfter(connectTcp(port, HOST))
    const slow = dialTls(port, socket => {
      const timer = setInterval(() => { socket.write('x') }, 20)
      socket.once('close', () => { clearInterval(timer) })
    })
    const answers = await Promise.all([mute, raw, closedAfter(slow)])
    expect(answers.map(bytes => bytes.length)).toEqual([0, 0, 0])
    await until(() => lanes.unprovenCount === 0, { what: 'all forgotten' })
    await expectWorking(lanes)
  })

  it('bounds those who have shown nothing', async () => {
    const lanes = await listening({ maxUnproven: 3, proofTimeoutMs: 10_000 })
    offered(lanes)
    const sockets = Array.from({ length: 3 }, () => connectTcp(lanes.port ?? 0, HOST))
    await until(() => lanes.unprovenCount === 3, { what: 'three held' })
    expect(await closedAfter(connectTcp(lanes.port ?? 0, HOST))).toHaveLength(0)
    expect(lanes.unprovenCount).toBe(3)
    for (const socket of sockets) socket.destroy()
    await until(() => lanes.unprovenCount === 0, { what: 'none held' })
    await expectWorking(lanes)
  })

  it('does not count those who have shown their token', async () => {
    const lanes = await listening({ maxUnproven: 1 })
    const clients = []
    for (const peer of ['one', 'two', 'three']) {
      const { offer, accepted } = offered(lanes, peer)
      clients.push(await new DirectLanes().connect(offer, HOST), await accepted)
    }
    expect(lanes.unprovenCount).toBe(0)
    for (const client of clients) client.abort(new Error('over'))
  })

  it('works on while a thousand connections bring garbage', async () => {
    const lanes = await listening({ proofTimeoutMs: 500 })
    const pending = offered(lanes, 'patient')
    const garbage = ['GET / HTTP/1.1\r\n\r\n', Buffer.from([0x16, 0x03, 0x01, 0xff, 0xff, 0x01]), Buffer.alloc(3_000, 0xa5), '']
    const closed = Array.from({ length: 1_000 }, async (_, index) => {
      const socket = connectTcp(lanes.port ?? 0, HOST, () => { socket.write(garbage[index % garbage.length] ?? '') })
      await closedAfter(socket)
    })
    await Promise.all(closed)
    await until(() => lanes.unprovenCount === 0, { what: 'all forgotten' })
    const client = await new DirectLanes().connect(pending.offer, HOST)
    client.abort(new Error('over'))
    await expectWorking(lanes)
  })

  it('leaves the lanes open when it is closed, and drops the rest', async () => {
    const lanes = await listening()
    const { offer, accepted } = offered(lanes)
    const client = await new DirectLanes().connect(offer, HOST)
    const heard = listen(await accepted)
    const waiting = offered(lanes, 'another')
    const stranger = closedAfter(connectTcp(lanes.port ?? 0, HOST))
    await until(() => lanes.unprovenCount === 1, { what: 'a stranger' })
    lanes.close()
    await stranger
    await expect(waiting.accepted).rejects.toMatchObject({ code: 'LANE_EXPIRED' })
    await client.send([Buffer.from('on')])
    await until(() => heard.bytes().toString() === 'on', { what: 'the word' })
    await client.close()
  })
})
