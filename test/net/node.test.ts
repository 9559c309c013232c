import { randomBytes } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { EventHub, type ShoalEvent } from '../../src/events.ts'
import { createSwarmNode, type SwarmNode } from '../../src/net/node.ts'
import type { SwarmNodeInit } from '../../src/net/node-init.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { makeTempDir } from '../../scenarios/live/temp-dir.ts'
import { until } from '../../scenarios/live/until.ts'
import { collect, MapContent } from './exchange.ts'

const LOOPBACK = '/ip4/127.0.0.1/tcp/0'
const BYTES = randomBytes(700_000)
const DIGEST = digestOf(BYTES)

interface Member {
  readonly node: SwarmNode
  readonly events: ShoalEvent[]
}

const running: SwarmNode[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(async node => { await node.stop() }))
})

function makeMember (init: Partial<SwarmNodeInit> = {}): Member {
  const hub = new EventHub()
  const events: ShoalEvent[] = []
  hub.subscribe(event => { events.push(event) })
  const node = createSwarmNode({ events: hub }, { listen: [LOOPBACK], ...init })
  running.push(node)
  return { node, events }
}

async function startMember (init: Partial<SwarmNodeInit> = {}): Promise<Member> {
  const member = makeMember(init)
  await member.node.start()
  return member
}

/** Waits until each knows the other to speak the blob protocol. */
async function meet (one: Member, other: Member): Promise<void> {
  await until(() => one.node.content.neighbours().includes(other.node.peerId) && other.node.content.neighbours().includes(one.node.peerId), { what: 'they are neighbours' })
}

function swarmKey (): string {
  return `/key/swarm/psk/1.0.0/\n/base16/\n${randomBytes(32).toString('hex')}\n`
}

function bootstrapEvents ({ events }: { readonly events: readonly ShoalEvent[] }): string[] {
  return events.map(({ type }) => type).filter(type => type.startsWith('bootstrap:'))
}

async function freePort (): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => { server.close(resolve) })
  return port
}

describe('a node and its peers', () => {
  it('meets a bootstrap peer, tells of it, and gives it what it shares', async () => {
    const a = await startMember()
    a.node.share(new MapContent([[DIGEST, BYTES]]))
    const b = await startMember({ bootstrap: a.node.addresses() })
    await meet(a, b)
    expect(await b.node.content.have(a.node.peerId, 'blob', DIGEST)).toMatchObject({ size: BYTES.length })
    expect(digestOf(await collect((await b.node.content.read(a.node.peerId, 'blob', DIGEST, 0)).body))).toBe(DIGEST)
    expect(b.events).toContainEqual({ type: 'peer:connected', peer: a.node.peerId })
    expect(b.events).toContainEqual({ type: 'bootstrap:joined', peer: a.node.peerId })
    expect(b.node.connections()).toMatchObject([{ peer: a.node.peerId, direction: 'outbound', address: expect.stringContaining('/ip4/127.0.0.1/tcp/') as string }])
  })

  it.each([
    ['without a peer id', (port: string) => `/ip4/127.0.0.1/tcp/${port}`],
    ['by name', (port: string) => `/dns4/localhost/tcp/${port}`]
  ])('meets a bootstrap peer given %s', async (_, address) => {
    const a = await startMember()
    const port = /tcp\/(\d+)/.exec(a.node.addresses()[0] ?? '')?.[1] ?? ''
    const b = await startMember({ bootstrap: [address(port)] })
    await meet(a, b)
  })

  it('tells when a peer has left, and counts it as a neighbour no more', async () => {
    const a = await startMember()
    const b = await startMember({ bootstrap: a.node.addresses() })
    await meet(a, b)
    const left = b.node.peerId
    await b.node.stop()
    await until(() => a.events.some(event => event.type === 'peer:disconnected' && event.peer === left), { what: 'a is told' })
    expect(a.node.content.neighbours()).toEqual([])
  })

  it('takes in many peers that come at once from one address', async () => {
    const a = await startMember()
    const others = await Promise.all(Array.from({ length: 14 }, async () => startMember({ bootstrap: a.node.addresses() })))
    await until(() => a.node.content.neighbours().length === others.length, { what: 'all are neighbours', timeoutMs: 15_000 })
    expect(others.flatMap(({ events }) => events).filter(({ type }) => type === 'bootstrap:unreachable')).toEqual([])
  })

  it('calls a peer unreachable that nobody knows, at once and again later', async () => {
    const a = await startMember({ client: { dialTimeoutMs: 300 } })
    const { peerId } = (await startMember()).node
    const stranger = (await startMember()).node
    await stranger.stop()
    await expect(a.node.content.have(peerId, 'blob', DIGEST)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE', retryable: true })
    await expect(a.node.content.have('no peer id', 'blob', DIGEST)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  })

  it('is not ready and reaches nobody before it starts, and can be asked for both', async () => {
    const { node } = makeMember()
    expect(node.router.isReady()).toBe(false)
    expect(node.content.neighbours()).toEqual([])
    expect(node.addresses()).toEqual([])
    await expect(node.content.have('peer', 'blob', DIGEST)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  })

  it('connects to an address on demand, and says why it cannot', async () => {
    const a = await startMember()
    const b = await startMember()
    expect(await b.node.connect(a.node.addresses()[0] ?? '')).toBe(a.node.peerId)
    await expect(b.node.connect(`/ip4/127.0.0.1/tcp/${await freePort()}`)).rejects.toMatchObject({ code: 'NET_CONNECT', message: expect.stringContaining('ECONNREFUSED') as string })
    await expect(b.node.connect(b.node.addresses()[0] ?? '')).rejects.toMatchObject({ code: 'NET_CONNECT', message: expect.stringContaining('our own') as string })
    await expect(b.node.connect('/ip4/127.0.0.1/udp/1')).rejects.toMatchObject({ code: 'NET_ADDRESS' })
  })
})

describe('the rejoin loop of a node', () => {
  it('says once that no bootstrap peer can be reached, and joins when one can', async () => {
    const port = await freePort()
    const b = await startMember({ bootstrap: [`/ip4/127.0.0.1/tcp/${port}`] })
    await until(() => b.events.some(({ type }) => type === 'bootstrap:unreachable'), { what: 'it says so' })
    const a = await startMember({ listen: [`/ip4/127.0.0.1/tcp/${port}`] })
    await meet(a, b)
    await until(() => bootstrapEvents(b).length === 2, { what: 'b says that it joined' })
    expect(bootstrapEvents(b)).toEqual(['bootstrap:unreachable', 'bootstrap:joined'])
  })

  it('rejoins when the only peer was away', async () => {
    const dataDirectory = await makeTempDir('node')
    const port = await freePort()
    const listen = [`/ip4/127.0.0.1/tcp/${port}`]
    const first = await startMember({ listen, dataDirectory })
    const b = await startMember({ bootstrap: first.node.addresses() })
    await meet(first, b)
    await first.node.stop()
    await until(() => b.events.some(({ type }) => type === 'bootstrap:unreachable'), { what: 'b is alone' })
    await meet(await startMember({ listen, dataDirectory }), b)
    // It is a neighbour as soon as the other side has it, a moment before our own dial is done.
    await until(() => bootstrapEvents(b).length === 3, { what: 'b says that it joined again' })
    expect(bootstrapEvents(b)).toEqual(['bootstrap:joined', 'bootstrap:unreachable', 'bootstrap:joined'])
  })

  it('finds the peers it knew after a restart, without a bootstrap address', async () => {
    const dataDirectory = await makeTempDir('node')
    const a = await startMember()
    const b = await startMember({ bootstrap: a.node.addresses(), dataDirectory })
    await meet(a, b)
    await b.node.stop()
    await until(() => a.node.content.neighbours().length === 0, { what: 'b has left' })
    await meet(a, await startMember({ dataDirectory }))
  })

  it('takes its own address among the bootstrap addresses for what it is', async () => {
    const port = await freePort()
    const address = `/ip4/127.0.0.1/tcp/${port}`
    const a = await startMember({ listen: [address], bootstrap: [address] })
    const b = await startMember({ bootstrap: [address] })
    await meet(a, b)
    expect(a.events.filter(({ type }) => type.startsWith('bootstrap:'))).toEqual([])
  })
})

describe('a node in a swarm with a key', () => {
  it('meets those with the same key and carries content between them', async () => {
    const key = swarmKey()
    const a = await startMember({ swarmKey: key })
    a.node.share(new MapContent([[DIGEST, BYTES]]))
    const b = await startMember({ swarmKey: Buffer.from(key), bootstrap: a.node.addresses() })
    await meet(a, b)
    expect(digestOf(await collect((await b.node.content.read(a.node.peerId, 'blob', DIGEST, 0)).body))).toBe(DIGEST)
  })

  it.each([
    ['another key', () => ({ swarmKey: swarmKey() })],
    ['no key', () => ({})]
  ])('is not met by one with %s, which says what may be wrong', async (_, init) => {
    const a = await startMember({ swarmKey: swarmKey() })
    const b = await startMember({ ...init(), bootstrap: a.node.addresses(), connectTimeoutMs: 1_500 })
    const event = await until(() => b.events.find(({ type }) => type === 'bootstrap:unreachable'), { what: 'b says so' })
    expect(event).toMatchObject({ reason: expect.stringContaining('perhaps a different swarm key') as string })
    expect(a.node.content.neighbours()).toEqual([])
  })

  it.each([
    ['', 'first line'],
    ['/key/swarm/psk/1.0.0/\n/base64/\nabcd', 'second line'],
    ['/key/swarm/psk/1.0.0/\n/base16/\nabcd', '64 hexadecimal digits']
  ])('is refused a key file that is not one', (text, named) => {
    expect(() => makeMember({ swarmKey: text })).toThrow(expect.objectContaining({ code: 'NET_SWARM_KEY', message: expect.stringContaining(named) as string }))
  })
})

describe('the start of a node', () => {
  it('keeps its identity in a file that only its owner can read', async () => {
    const dataDirectory = await makeTempDir('node')
    const first = await startMember({ dataDirectory })
    const { peerId } = first.node
    await first.node.stop()
    expect((await stat(join(dataDirectory, 'identity.key'))).mode & 0o777).toBe(0o600)
    expect((await startMember({ dataDirectory })).node.peerId).toBe(peerId)
  })

  it('refuses an identity file that holds no key, and leaves it as it is', async () => {
    const dataDirectory = await makeTempDir('node')
    const path = join(dataDirectory, 'identity.key')
    await writeFile(path, 'no key')
    await expect(startMember({ dataDirectory })).rejects.toMatchObject({ code: 'NET_IDENTITY', path })
    expect(await readFile(path, 'utf8')).toBe('no key')
  })

  it('names the address whose port is in use, and can be started again elsewhere', async () => {
    const port = await freePort()
    const address = `/ip4/127.0.0.1/tcp/${port}`
    await startMember({ listen: [address] })
    const dataDirectory = await makeTempDir('node')
    await expect(startMember({ listen: [LOOPBACK, address], dataDirectory })).rejects.toMatchObject({ code: 'NET_LISTEN', address, message: expect.stringContaining('in use') as string })
    await startMember({ dataDirectory })
  })

  it('refuses a directory that another node uses', async () => {
    const dataDirectory = await makeTempDir('node')
    await startMember({ dataDirectory })
    await expect(startMember({ dataDirectory })).rejects.toMatchObject({ code: 'NET_DATASTORE', message: expect.stringContaining('another agent') as string })
  })

  it('begins anew with what it knew of the network when that is damaged', async () => {
    const dataDirectory = await makeTempDir('node')
    const first = await startMember({ dataDirectory })
    await first.node.stop()
    await writeFile(join(dataDirectory, 'db', 'net', 'CURRENT'), 'rubbish\n')
    const { node } = await startMember({ dataDirectory })
    expect(node.addresses()).toHaveLength(1)
  })

  it.each([
    [{ listen: ['127.0.0.1:5001'] }],
    [{ listen: ['/ip4/127.0.0.1/udp/5001'] }],
    [{ bootstrap: ['/ip4/127.0.0.1'] }]
  ])('refuses %j', init => {
    expect(() => makeMember(init)).toThrow(expect.objectContaining({ code: 'NET_ADDRESS' }))
  })
})
