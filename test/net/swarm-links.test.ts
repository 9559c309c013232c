import type { Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import { afterEach, expect, it } from 'vitest'
import type { SwarmLink } from '../../src/net/swarm-link.ts'
import { SwarmLinks, type SwarmLinksInit } from '../../src/net/swarm-links.ts'
import { until } from '../support/until.ts'

interface Node {
  readonly links: SwarmLinks
  readonly opened: SwarmLink[]
  readonly closed: SwarmLink[]
}

const nodes = new Map<string, Node>()

afterEach(() => {
  for (const { links } of nodes.values()) links.stop()
  nodes.clear()
})

/** Links that open streams in memory; `before` is waited for with each. */
function nodeOf (self: string, init: SwarmLinksInit = {}, before: () => Promise<void> = async () => {}): Node {
  const links = new SwarmLinks({
    self: () => self,
    addressesOf: () => [],
    openStream: async (peer, { signal }): Promise<Stream> => {
      await before()
      signal.throwIfAborted()
      const other = nodes.get(peer)
      if (other === undefined) throw new Error('nobody is there')
      const [ours, theirs] = await streamPair({ delay: 0 })
      other.links.accept(theirs, self)
      return ours
    }
  }, init)
  const node: Node = { links, opened: [], closed: [] }
  links.use({ onOpen: link => { node.opened.push(link) }, onMessage () {}, onBody () {}, onClosed: link => { node.closed.push(link) } }, { leech: false })
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
