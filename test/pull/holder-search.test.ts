import { afterEach, beforeEach, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { findHolder, HolderSearch, type HolderSearchInit } from '../../src/pull/holder-search.ts'
import { MemoryRouter } from '../../src/routing/memory.ts'
import type { Provider, Router } from '../../src/routing/router.ts'
import { Gate } from '../support/gate.ts'
import { overriding } from '../support/overriding.ts'
import { bytesOf, makeKit, NEVER_MS, type Kit } from './kit.ts'

const bytes = bytesOf(1000)
const digest = digestOf(bytes)
const never: HolderSearchInit = { kind: 'blob', digest, graceMs: NEVER_MS, searchMs: NEVER_MS }
let kit: Kit
const searches: HolderSearch[] = []

beforeEach(async () => { kit = await makeKit() })
afterEach(async () => {
  for (const search of searches.splice(0)) search.stop()
  await kit.close()
})

function search (init: Partial<HolderSearchInit> = {}, router: Router = kit.router): HolderSearch {
  const search = new HolderSearch({ ...kit, router }, { ...never, ...init })
  searches.push(search)
  return search
}

/** A provider that only the router knows. */
async function provide (peer: string): Promise<void> {
  const router = new MemoryRouter({ network: kit.network }, { peer })
  router.start()
  kit.router.start()
  await router.provide(digest)
}

test('with nobody to ask it ends without waiting for a timer', async () => {
  expect(await search().next()).toBeUndefined()
  expect(await search().next({ patient: true })).toBeUndefined()
})

test('neighbours that have it not end it without waiting for a timer', async () => {
  kit.peers.connect('a')
  kit.peers.connect('b')
  expect(await search().next()).toBeUndefined()
  expect(kit.peers.asked('have')).toEqual(['a', 'b'])
})

test('a neighbour is found, and handed out once', async () => {
  kit.peers.add('a', digest, bytes)
  const found = search()
  expect(await found.next()).toEqual({ peer: 'a', size: 1000, restricted: false })
  expect(await found.next({ patient: true })).toBeUndefined()
})

test('a neighbour is found while the walk hangs', async () => {
  kit.peers.add('a', digest, bytes)
  const router = overriding<Router>(kit.router, { isReady: () => true, findProviders: hang })
  expect(await search({}, router).next()).toMatchObject({ peer: 'a' })
})

test('a neighbour that has it saves the walk when the search ends soon', async () => {
  kit.peers.add('a', digest, bytes)
  let walks = 0
  const router = overriding<Router>(kit.router, {
    isReady: () => true,
    findProviders: async function * () { walks++ }
  })
  const found = search({}, router)
  expect(await found.next()).toMatchObject({ peer: 'a' })
  found.stop()
  await new Promise(resolve => setTimeout(resolve, 40))
  expect(walks).toBe(0)
  const lasting = search({}, router)
  expect(await lasting.next()).toMatchObject({ peer: 'a' })
  expect(await lasting.next({ patient: true })).toBeUndefined()
  expect(walks).toBe(1)
})

test('where all agents have been asked nobody walks', async () => {
  kit.peers.connect('a')
  let walks = 0
  const router = overriding<Router>(kit.router, {
    isReady: () => true,
    mayKnowMore: asked => !asked.has('a'),
    findProviders: async function * () { walks++ }
  })
  expect(await search({}, router).next({ patient: true })).toBeUndefined()
  expect(walks).toBe(0)
})

test('a provider is found while a neighbour is silent', async () => {
  kit.peers.add('silent', digest, bytes, { isSilent: true })
  kit.peers.add('far', digest, bytes, {}, { isNeighbour: false })
  await provide('far')
  expect(await search().next()).toMatchObject({ peer: 'far' })
})

test('a silent neighbour costs the grace and no more', async () => {
  kit.peers.add('silent', digest, bytes, { isSilent: true })
  expect(await search({ graceMs: 1 }).next()).toBeUndefined()
})

test('patience waits beyond the grace for an answer', async () => {
  const haveGate = new Gate()
  kit.peers.add('slow', digest, bytes, { haveGate })
  const found = search({ graceMs: 1 })
  expect(await found.next()).toBeUndefined()
  haveGate.open()
  expect(await found.next({ patient: true })).toMatchObject({ peer: 'slow' })
})

test('patience ends with the search, whoever is silent', async () => {
  kit.peers.add('silent', digest, bytes, { isSilent: true })
  const router = overriding<Router>(kit.router, { isReady: () => true, findProviders: hang })
  expect(await search({ graceMs: 1, searchMs: 5 }, router).next({ patient: true })).toBeUndefined()
})

test('an answer that comes after the search has ended is still handed out', async () => {
  const haveGate = new Gate()
  kit.peers.add('slow', digest, bytes, { haveGate })
  const found = search({ graceMs: 1, searchMs: 2 })
  expect(await found.next({ patient: true })).toBeUndefined()
  haveGate.open()
  await new Promise(setImmediate)
  expect(await found.next()).toMatchObject({ peer: 'slow' })
})

test('the best of those known comes first', async () => {
  for (const peer of ['slow', 'fast']) kit.peers.add(peer, digest, bytes)
  kit.score.delivered('slow', 1, 1000)
  kit.score.delivered('fast', 1000, 1000)
  const found = search()
  await kit.peers.have('slow', 'blob', digest)
  expect(await found.next()).toMatchObject({ peer: 'fast' })
  expect(await found.next()).toMatchObject({ peer: 'slow' })
})

test('banned, resting and excluded peers are not asked', async () => {
  for (const peer of ['banned', 'resting', 'excluded', 'good']) kit.peers.add(peer, digest, bytes)
  kit.score.ban('banned', 'lied', kit.now())
  kit.score.failed('resting', kit.now())
  expect(await search({ excluded: new Set(['excluded']) }).next()).toMatchObject({ peer: 'good' })
  expect(kit.peers.asked('have')).toEqual(['good'])
})

test('resting peers are asked when told so', async () => {
  kit.peers.add('resting', digest, bytes)
  kit.score.failed('resting', kit.now())
  expect(await search({ includeResting: true }).next()).toMatchObject({ peer: 'resting' })
})

test('a peer banned after its answer is not handed out', async () => {
  kit.peers.add('a', digest, bytes)
  const found = search()
  await kit.peers.have('a', 'blob', digest)
  kit.score.ban('a', 'lied', kit.now())
  expect(await found.next({ patient: true })).toBeUndefined()
})

test('a peer both neighbour and provider is asked once', async () => {
  kit.peers.add('a', digest, bytes)
  await provide('a')
  const found = search()
  await found.next({ patient: true })
  expect(await found.next({ patient: true })).toBeUndefined()
  expect(kit.peers.asked('have')).toEqual(['a'])
})

test('a peer that fails to answer rests, a busy one does not', async () => {
  kit.peers.add('silent', digest, bytes, { isSilent: true })
  kit.peers.add('busy', digest, bytes, { busyHaves: 1 })
  const found = search()
  const next = found.next({ patient: true })
  await Promise.resolve()
  kit.peers.stall('silent')
  expect(await next).toBeUndefined()
  expect(kit.score.isResting('silent', kit.now())).toBe(true)
  expect(kit.score.isResting('busy', kit.now())).toBe(false)
  expect(found.metBusy).toBe(true)
})

test('a walk that fails has found whom it has found', async () => {
  kit.peers.add('far', digest, bytes, {}, { isNeighbour: false })
  const router = overriding<Router>(kit.router, {
    isReady: () => true,
    async * findProviders () {
      yield { peer: 'far', addresses: [] }
      throw new Error('no route')
    }
  })
  const found = search({}, router)
  expect(await found.next({ patient: true })).toMatchObject({ peer: 'far' })
  expect(await found.next({ patient: true })).toBeUndefined()
})

test('at most sixty-four neighbours and twenty providers are asked, however many there are', async () => {
  for (let index = 0; index < 100; index++) kit.peers.connect(`neighbour ${index}`)
  const router = overriding<Router>(kit.router, {
    isReady: () => true,
    async * findProviders () {
      for (let index = 0; index < 64; index++) yield { peer: `neighbour ${index}`, addresses: [] }
      for (let index = 0; ; index++) yield { peer: `far ${index}`, addresses: [] }
    }
  })
  expect(await search({}, router).next({ patient: true })).toBeUndefined()
  const asked = kit.peers.asked('have')
  expect(asked.filter(peer => peer.startsWith('neighbour'))).toHaveLength(64)
  expect(asked.filter(peer => peer.startsWith('far'))).toHaveLength(20)
})

test('a walk that names the same peers for ever is left', async () => {
  const router = overriding<Router>(kit.router, {
    isReady: () => true,
    async * findProviders () { for (;;) yield { peer: 'far', addresses: [] } }
  })
  expect(await search({}, router).next({ patient: true })).toBeUndefined()
})

test('parts that fail at once end the search and nothing else', async () => {
  const router = overriding<Router>(kit.router, { isReady: () => { throw new Error('broken') } })
  expect(await search({}, router).next({ patient: true })).toBeUndefined()
})

test('stopping ends all questions and all waiting', async () => {
  kit.peers.add('silent', digest, bytes, { isSilent: true })
  const found = search()
  const next = found.next({ patient: true })
  found.stop()
  expect(await next).toBeUndefined()
  expect(kit.score.isResting('silent', kit.now())).toBe(false)
})

test('no timer is left behind by one that has ended', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter(type => type === 'Timeout').length
  const before = timers()
  const found = search()
  expect(timers()).toBe(before + 2)
  expect(await found.next({ patient: true })).toBeUndefined()
  expect(timers()).toBe(before)
})

test('a caller that leaves is let go', async () => {
  kit.peers.add('silent', digest, bytes, { isSilent: true })
  const left = new AbortController()
  const next = search().next({ signal: left.signal })
  left.abort(new Error('gone'))
  await expect(next).rejects.toThrow('gone')
})

test('finding one holder ends the other questions', async () => {
  kit.peers.add('silent', digest, bytes, { isSilent: true })
  kit.peers.add('a', digest, bytes)
  let hasEnded = false
  const peers = overriding(kit.peers, {
    have: async (...args) => {
      try {
        return await kit.peers.have(...args)
      } finally {
        if (args[0] === 'silent') hasEnded = true
      }
    }
  })
  expect(await findHolder({ ...kit, peers }, never)).toMatchObject({ peer: 'a' })
  await new Promise(setImmediate)
  expect(hasEnded).toBe(true)
})

async function * hang (_digest: unknown, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<Provider> {
  await new Promise((_resolve, reject) => { signal?.addEventListener('abort', () => { reject(signal.reason as Error) }, { once: true }) })
}
