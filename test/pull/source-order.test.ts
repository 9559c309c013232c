import { afterEach, beforeEach, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import type { Repository } from '../../src/oci/repository.ts'
import { SourceOrder, spanSource, type SourceOrderInit } from '../../src/pull/source-order.ts'
import { Gate } from '../support/gate.ts'
import { bytesOf, KIB, makeKit, NEVER_MS, repository, type Kit } from './kit.ts'

const bytes = bytesOf(1000)
const digest = digestOf(bytes)
const other: Repository = { registry: 'mirror.test', name: 'team/app' }
let kit: Kit
let stop: AbortController
const orders: SourceOrder[] = []

beforeEach(async () => {
  kit = await makeKit()
  stop = new AbortController()
})
afterEach(async () => {
  for (const order of orders.splice(0)) order.stop()
  await kit.close()
})

function orderOf (init: Partial<SourceOrderInit> = {}, ...repositories: Repository[]): SourceOrder {
  const order = new SourceOrder(kit, { kind: 'blob', digest, signal: stop.signal, graceMs: NEVER_MS, searchMs: NEVER_MS, busyPauseMs: 1, ...init })
  for (const repository of repositories) order.addRepository(repository)
  orders.push(order)
  return order
}

/** Who is asked, until nobody is left. */
async function all (order: SourceOrder): Promise<string[]> {
  const asked: string[] = []
  for (let source = await order.next(); source !== undefined; source = await order.next()) {
    asked.push(source.type === 'origin' ? source.repository.registry : spanSource(source))
  }
  return asked
}

test('peers come before origins, each once', async () => {
  kit.peers.add('a', digest, bytes)
  kit.peers.add('b', digest, bytes)
  expect(await all(orderOf({}, repository, other, repository))).toEqual(['peer:a', 'peer:b', 'registry.test', 'mirror.test'])
})

test('a peer found late comes after the origins', async () => {
  const haveGate = new Gate()
  kit.peers.add('late', digest, bytes, { haveGate })
  const order = orderOf({ graceMs: 1 }, repository)
  expect(await order.next()).toMatchObject({ type: 'origin' })
  haveGate.open()
  expect(await order.next()).toMatchObject({ holding: { peer: 'late' } })
  expect(await order.next()).toBeUndefined()
})

test('a round that brought enough is followed by another, one that brought less is not', async () => {
  const order = orderOf({}, repository)
  expect(await order.next()).toMatchObject({ type: 'origin' })
  order.progressed(64 * KIB)
  expect(await order.next()).toMatchObject({ type: 'origin' })
  order.progressed(64 * KIB - 1)
  expect(await order.next()).toBeUndefined()
})

test('the second round asks resting peers too', async () => {
  kit.peers.add('a', digest, bytes)
  kit.score.failed('a', kit.now())
  const order = orderOf({}, repository)
  expect(await order.next()).toMatchObject({ type: 'origin' })
  order.progressed(64 * KIB)
  expect(await order.next()).toMatchObject({ type: 'peer' })
})

test('busy peers get ten more rounds', async () => {
  const order = orderOf({}, repository)
  let rounds = 0
  while (await order.next() !== undefined) {
    rounds += 1
    order.metBusy()
  }
  expect(rounds).toBe(11)
})

test('an excluded peer is not handed out, not even one found before', async () => {
  kit.peers.add('a', digest, bytes)
  kit.peers.add('b', digest, bytes)
  const order = orderOf()
  expect(await order.next()).toMatchObject({ holding: { peer: 'a' } })
  order.exclude('b')
  expect(await order.next()).toBeUndefined()
  order.readmit('b')
  order.restart({ originFirst: false })
  expect(await all(order)).toEqual(['peer:a', 'peer:b'])
})

test('where origins settle it they come first, from the next source on', async () => {
  kit.peers.add('a', digest, bytes)
  const order = orderOf({}, repository)
  expect(await order.next()).toMatchObject({ type: 'peer' })
  order.restart({ originFirst: true })
  expect(await all(order)).toEqual(['registry.test', 'peer:a'])
})

test('a repository added while the last peers are waited for is asked', async () => {
  kit.peers.add('silent', digest, bytes, { isSilent: true })
  const order = orderOf({ graceMs: 1 }, repository)
  expect(await order.next()).toMatchObject({ repository })
  const next = order.next()
  await new Promise(setImmediate)
  order.addRepository(other)
  kit.peers.stall('silent')
  expect(await next).toMatchObject({ repository: other })
})

test('at most sixty-four repositories are asked', async () => {
  const order = orderOf({}, ...Array.from({ length: 100 }, (_, index) => ({ registry: 'registry.test', name: `app${index}` })))
  expect(await all(order)).toHaveLength(64)
})

test('who waits is let go by the signal', async () => {
  kit.peers.add('silent', digest, bytes, { isSilent: true })
  const next = orderOf().next()
  stop.abort(new Error('gone'))
  await expect(next).rejects.toThrow('gone')
})
