import { expect, it, onTestFinished, vi } from 'vitest'
import type { FrameTransport } from '../../src/net/frame-transport.ts'
import { SwarmLink, type LinkLanes, type SwarmLinkInit } from '../../src/net/swarm-link.ts'
import { SwarmMessageError, type SwarmMessage } from '../../src/net/swarm-message.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { MemoryTransport } from '../support/memory-transport.ts'
import { until } from '../../scenarios/live/until.ts'

const digest = digestOf(Buffer.from('a blob'))
const join = (channel: number): SwarmMessage => ({ type: 'join', channel, kind: 'blob', digest, size: 10, restricted: false, complete: false, leech: false, readsOrigin: false })

interface Side {
  readonly link: SwarmLink
  readonly channels: number[]
  readonly ends: Array<Error | undefined>
  onMessage: (message: SwarmMessage) => void
}

function sideOf (transport: FrameTransport, init: Partial<SwarmLinkInit> = {}): Side {
  const channels: number[] = []
  const ends: Array<Error | undefined> = []
  const side = { channels, ends, onMessage: (_message: SwarmMessage): void => {} }
  const link = new SwarmLink(transport, {
    onOpen () {},
    onMessage: (_link, message) => {
      if (message.type === 'join') channels.push(message.channel)
      side.onMessage(message)
    },
    onBody () {},
    onClosed: (_link, error) => { ends.push(error) }
  }, { peer: 'other', isOutbound: true, hello: { leech: false }, ...init })
  return Object.assign(side, { link })
}

/** Lanes in memory between two sides; one offer each. */
function lanesOf (): { lanes: [LinkLanes, LinkLanes], pairs: Array<[MemoryTransport, MemoryTransport]> } {
  const pairs = [MemoryTransport.pair('direct'), MemoryTransport.pair('direct')]
  const accepted = pairs.map(() => Promise.withResolvers<FrameTransport>())
  const lanes = [0, 1].map(self => ({
    offer: () => ({ message: { type: 'lane-offer', port: self + 1, fingerprint: new Uint8Array(32), token: new Uint8Array(32) } as const, accepted: accepted[self]?.promise ?? Promise.reject(new Error('none')) }),
    connect: async (_peer: string, { port }: { port: number }) => {
      const pair = pairs[port - 1]
      if (pair === undefined) throw new Error('no such lane')
      accepted[port - 1]?.resolve(pair[0])
      return pair[1]
    }
  })) as unknown as [LinkLanes, LinkLanes]
  return { lanes, pairs }
}

async function open (...sides: readonly Side[]): Promise<void> {
  await until(() => sides.every(({ link }) => link.hello !== undefined), { what: 'both hellos' })
}

it('says hello first, and sends all messages of one tick together', async () => {
  const [one, two] = MemoryTransport.pair()
  const [a, b] = [sideOf(one), sideOf(two, { isOutbound: false, hello: { leech: true, zone: 'z' } })]
  await open(a, b)
  expect(a.link.hello).toMatchObject({ leech: true, zone: 'z' })
  const before = one.sends.length
  for (const channel of [1, 2, 3]) a.link.send(join(channel))
  await until(() => b.channels.length === 3, { what: 'three joins' })
  expect(b.channels).toEqual([1, 2, 3])
  expect(one.sends.length - before).toBe(1)
  a.link.close()
  await until(() => b.ends.length === 1, { what: 'the end' })
  expect([a.ends, b.ends]).toEqual([[undefined], [undefined]])
})

it('is given up when no hello comes', async () => {
  const [one] = MemoryTransport.pair()
  const { ends, link } = sideOf(one, { helloTimeoutMs: 20 })
  await until(() => ends.length === 1, { what: 'the end' })
  expect(ends[0]).toMatchObject({ code: 'DEADLINE' })
  expect(link.isOpen).toBe(false)
})

it('keeps the order of messages when both sides move to a direct lane, whoever offers', async () => {
  for (const offers of [[0], [1], [0, 1]]) {
    const [one, two] = MemoryTransport.pair()
    const { lanes } = lanesOf()
    const sides = [sideOf(one, { lanes: lanes[0] }), sideOf(two, { lanes: lanes[1], isOutbound: false })]
    await open(...sides)
    for (const index of offers) sides[index]?.link.wantDirect()
    let channel = 0
    await until(() => {
      channel++
      for (const { link } of sides) link.send(join(channel))
      return sides.every(({ link }) => link.lane === 'direct')
    }, { what: 'the direct lane' })
    for (const { link } of sides) link.send(join(channel + 1))
    const expected = Array.from({ length: channel + 1 }, (_, index) => index + 1)
    await until(() => sides.every(({ channels }) => channels.length === expected.length), { what: 'all joins' })
    for (const { channels } of sides) expect(channels).toEqual(expected)
    sides[0]?.link.abort(new Error('over'))
    await until(() => sides.every(({ ends }) => ends.length === 1), { what: 'both ends' })
  }
})

it('stays where it is when the lane is refused', async () => {
  const [one, two] = MemoryTransport.pair()
  const { lanes } = lanesOf()
  const a = sideOf(one, { lanes: lanes[0] })
  const b = sideOf(two, { isOutbound: false })
  await open(a, b)
  a.link.wantDirect()
  a.link.send(join(1))
  await until(() => b.channels.length === 1, { what: 'the join' })
  expect([a.link.lane, a.link.isOpen, b.link.isOpen]).toEqual(['libp2p', true, true])
  a.link.abort(new Error('over'))
})

it('tries again after five seconds when a lane could not be made, and not before', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => { vi.useRealTimers() })
  const [one, two] = MemoryTransport.pair()
  const { lanes } = lanesOf()
  let isReachable = false
  let tries = 0
  const busy: LinkLanes = {
    offer: () => undefined,
    connect: async (...offer) => {
      tries++
      if (isReachable) return lanes[1].connect(...offer)
      throw new Error('not within its time')
    }
  }
  const a = sideOf(one, { lanes: lanes[0] })
  const b = sideOf(two, { lanes: busy, isOutbound: false })
  await open(a, b)
  a.link.wantDirect()
  await until(() => tries === 1, { what: 'the first try' })
  for (let channel = 1; channel <= 3; channel++) {
    b.link.send(join(channel))
    await until(() => a.channels.length === channel, { what: 'a word behind the refusal' })
    a.link.wantDirect()
    vi.advanceTimersByTime(1_600)
  }
  expect(tries).toBe(1)
  isReachable = true
  vi.advanceTimersByTime(200)
  a.link.wantDirect()
  await until(() => a.link.lane === 'direct' && b.link.lane === 'direct', { what: 'the lane' })
  expect(tries).toBe(2)
  a.link.abort(new Error('over'))
})

it('connects to one offer at a time, however many come and whatever is refused between', async () => {
  const [one, two] = MemoryTransport.pair()
  let connects = 0
  const never = new Promise<FrameTransport>(() => {})
  const a = sideOf(one, { lanes: { offer: () => undefined, connect: async () => { connects++; return never } } })
  const b = sideOf(two, { isOutbound: false })
  await open(a, b)
  for (let port = 1; port <= 5; port++) {
    b.link.send({ type: 'lane-offer', port, fingerprint: new Uint8Array(32), token: new Uint8Array(32) })
    b.link.send({ type: 'lane-refused' })
  }
  b.link.send(join(1))
  await until(() => a.channels.length === 1, { what: 'the join' })
  expect(connects).toBe(1)
  a.link.abort(new Error('over'))
})

it('gives up a peer that reads nothing, and tells of the end once', async () => {
  for (const isClosing of [false, true]) {
    const [one, two] = MemoryTransport.pair()
    const [a, b] = [sideOf(one), sideOf(two, { isOutbound: false })]
    await open(a, b)
    two.pause()
    const message: SwarmMessage = { type: 'attest', channel: 1, attestation: new Uint8Array(40_000) }
    for (let sent = 0; sent < 9 * 1024 * 1024; sent += 40_000) a.link.send(message)
    if (isClosing) a.link.close()
    await until(() => a.ends.length > 0, { what: 'the end' })
    await new Promise(resolve => { setImmediate(resolve) })
    expect(a.ends).toHaveLength(1)
    expect(a.ends[0]).toMatchObject({ code: 'DEADLINE' })
  }
})

it.each(['close', 'abort', 'throw'] as const)('delivers nothing more after a %s from within', async how => {
  const [one, two] = MemoryTransport.pair()
  const [a, b] = [sideOf(one), sideOf(two, { isOutbound: false })]
  await open(a, b)
  b.onMessage = () => {
    if (how === 'close') b.link.close()
    else if (how === 'abort') b.link.abort(new Error('enough'))
    else throw new SwarmMessageError('not like this')
  }
  for (const channel of [1, 2, 3]) a.link.send(join(channel))
  await until(() => a.ends.length === 1 && b.ends.length === 1, { what: 'both ends' })
  expect(b.channels).toEqual([1])
  b.link.send(join(9))
  b.link.close()
  expect(b.ends).toHaveLength(1)
})
