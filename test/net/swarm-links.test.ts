import type { Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import { afterEach, expect, it } from 'vitest'
import type { LinkLanes, SwarmLink } from '../../src/net/swarm-link.ts'
import { SwarmLinks, type SwarmLinksInit } from '../../src/net/swarm-links.ts'
import { until } from '../../scenarios/live/until.ts'

interface Node {
  readonly links: SwarmLinks
  /** Our ends of the streams that it opened. */
  readonly streams: Stream[]
  /** Whether a session uses its links. */
  isUsed: boolean
  readonly opened: SwarmLink[]
  readonly closed: SwarmLink[]
}

const nodes = new Map<string, Node>()

afterEach(() => {
  for (const { links } of nodes.values()) links.stop()
  nodes.clear()
})

/** Links that open streams in memory; `before` is waited for with each. */
function nodeOf (self: string, init: SwarmLinksInit = {}, before: () => Promise<void> = async () => {}, lanes?: LinkLanes): Node {
  const links = new SwarmLinks({
    self: () => self,
    addressesOf: () => [],
    lanes,
    openStream: async (peer, { signal }): Promise<Stream> => {
      await before()
      signal.throwIfAborted()
      const other = nodes.get(peer)
      if (other === undefined) throw new Error('nobody is there')
      const [ours, theirs] = await streamPair({ delay: 0 })
      node.streams.push(ours)
      other.links.accept(theirs, self)
      return ours
    }
  }, init)
  const node: Node = { links, streams: [], isUsed: true, opened: [], closed: [] }
  links.use({
    onOpen: link => { node.opened.push(link) },
    onMessage () {},
    onBody () {},
    onClosed: link => { node.closed.push(link) },
    isUsed: () => node.isUsed
  }, { leech: false })
  nodes.set(self, node)
  return node
}

it('leaves one link, the same on both sides, when both open one at once', async () => {
  const [a, b] = [nodeOf('a'), nodeOf('b')]
  const [ab, ba] = await Promise.all([a.links.connect('b'), b.links.connect('a')])
  await until(() => a.links.of('b')?.isOutbound === true && b.links.of('a')?.isOutbound === false, { what: 'the link of the lower id' })
  expect([ab.peer, ba.peer]).toEqual(['b', 'a'])
  expect([a.links.open().length, b.links.open().length]).toEqual([1, 1])
})

it('opens a link again after it has ended', async () => {
  const [a, b] = [nodeOf('a'), nodeOf('b')]
  const first = await a.links.connect('b')
  expect(await a.links.connect('b')).toBe(first)
  first.abort(new Error('cut'))
  await until(() => b.links.of('a') === undefined, { what: 'the end' })
  const second = await a.links.connect('b')
  expect(second).not.toBe(first)
  expect(second.isOpen).toBe(true)
})

it('gives up when no link comes up in time, and when nobody is there', async () => {
  const a = nodeOf('a', { openTimeoutMs: 50 }, async () => new Promise(resolve => { setTimeout(resolve, 80) }))
  nodeOf('b')
  await expect(a.links.connect('b')).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  await expect(nodeOf('c').links.connect('nobody')).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
})

it('lets the one who dialled open the link, and does so itself when that one does not', async () => {
  const [a, b] = [nodeOf('a'), nodeOf('b', { yieldMs: 10 })]
  b.links.met('a', { weDialled: false })
  expect(b.links.open()).toEqual([])
  await until(() => a.links.of('b') !== undefined, { what: 'the link' })
})

it('keeps no link that comes up after it was stopped', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const a = nodeOf('a', { openTimeoutMs: 100 }, async () => promise)
  nodeOf('b')
  const connecting = expect(a.links.connect('b')).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  a.links.stop()
  resolve()
  await connecting
  expect([a.opened, a.links.open()]).toEqual([[], []])
})

it('leaves an opening when its signal fires, and ends the opening when nobody waits for it any more', async () => {
  const opening = Promise.withResolvers<AbortSignal>()
  const links = new SwarmLinks({
    self: () => 'a',
    addressesOf: () => [],
    openStream: async (_peer, { signal }) => {
      opening.resolve(signal)
      return new Promise((_resolve, reject) => { signal.addEventListener('abort', () => { reject(new Error('over')) }) })
    }
  })
  const [one, two] = [new AbortController(), new AbortController()]
  const [first, second] = [links.connect('b', { signal: one.signal }), links.connect('b', { signal: two.signal })]
  const signal = await opening.promise
  one.abort(new Error('enough'))
  await expect(first).rejects.toThrow('enough')
  expect(signal.aborted).toBe(false)
  two.abort(new Error('enough too'))
  await expect(second).rejects.toThrow('enough too')
  expect(signal.aborted).toBe(true)
  links.stop()
})

it('opens a link for who comes when another has just given up', async () => {
  const a = nodeOf('a')
  nodeOf('b')
  const gone = new AbortController()
  const first = expect(a.links.connect('b', { signal: gone.signal })).rejects.toThrow()
  gone.abort()
  expect((await a.links.connect('b')).isOpen).toBe(true)
  await first
})

it('gives up a link on which nothing comes any more, though nobody has ended it', async () => {
  const a = nodeOf('a', { beatMs: 10 })
  nodeOf('b')
  const link = await a.links.connect('b')
  await until(() => link.rttMs !== undefined, { what: 'a measured way' })
  const [stream] = a.streams
  // what b says from now on is lost
  stream?.pause()
  await until(() => a.closed.includes(link), { what: 'the end' })
  expect(a.links.of('b')).toBeUndefined()
})

it('takes a new stream for one that has been up for long, even with the lower id, since the other side has lost it', async () => {
  const a = nodeOf('a', { beatMs: 5, openTimeoutMs: 20 })
  nodeOf('b')
  const first = await a.links.connect('b')
  const [ours, theirs] = await streamPair({ delay: 0 })
  a.links.accept(theirs, 'b')
  expect(a.links.of('b')).toBe(first)
  ours.abort(new Error('refused'))
  await until(async () => {
    const [, again] = await streamPair({ delay: 0 })
    a.links.accept(again, 'b')
    return !first.isOpen
  }, { what: 'the second link' })
})

it('closes links that no session has used for long, but only when there are too many', async () => {
  const a = nodeOf('a', { beatMs: 1, maxIdleLinks: 1 })
  for (const peer of ['b', 'c', 'd']) nodeOf(peer)
  for (const peer of ['b', 'c', 'd']) await a.links.connect(peer)
  a.isUsed = false
  await until(() => a.links.open().length === 1, { what: 'the end of two' })
  expect(a.links.open().map(({ peer }) => peer)).toEqual(['d'])
})

it('offers a direct lane to the first 32 that open a link, before anybody asks for pieces', async () => {
  const offered: string[] = []
  nodeOf('b', {}, undefined, {
    offer: peer => {
      offered.push(peer)
      return undefined
    },
    connect: async () => new Promise(() => {})
  })
  const others = Array.from({ length: 34 }, (_, index) => nodeOf(`a${index}`))
  await Promise.all(others.map(async ({ links }) => links.connect('b')))
  await until(() => nodes.get('b')?.opened.length === 34, { what: '34 links' })
  expect(offered).toHaveLength(32)
  others.find((_, index) => offered.includes(`a${index}`))?.links.of('b')?.abort(new Error('cut'))
  await until(() => nodes.get('b')?.links.open().length === 33, { what: 'one link less' })
  await nodeOf('c').links.connect('b')
  await until(() => offered.includes('c'), { what: 'an offer in its place' })
})

it('offers no lane on a link that it has opened itself', async () => {
  const offered: string[] = []
  nodeOf('b')
  const a = nodeOf('a', {}, undefined, {
    offer: peer => {
      offered.push(peer)
      return undefined
    },
    connect: async () => new Promise(() => {})
  })
  await a.links.connect('b')
  expect(offered).toEqual([])
})
