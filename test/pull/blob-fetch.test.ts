import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Digest } from '../../src/oci/digest.ts'
import { BlobFetch } from '../../src/pull/blob-fetch.ts'
import { OriginSlots } from '../../src/pull/origin-slots.ts'
import type { Puller } from '../../src/pull/puller.ts'
import { StoreFullError, StoreUnwritableError } from '../../src/store/store-errors.ts'
import type { PartialBlob, Store } from '../../src/store/store.ts'
import { lastPieceStart, MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { Gate } from '../support/gate.ts'
import { overriding } from '../support/overriding.ts'
import { banned, bytesOf, describeBlob, KIB, makeKit, NEVER_MS, pullBlob, readAll, repository, settled, type Kit, type KitInit } from './kit.ts'

const SIZE = 300 * KIB
const kits: Kit[] = []

async function kitOf (init?: KitInit): Promise<Kit> {
  const kit = await makeKit(init)
  kits.push(kit)
  return kit
}

/** A kit whose partials have some members replaced; `state.isBroken` says whether. */
async function kitWithPartials (override: (partial: PartialBlob) => Partial<PartialBlob>): Promise<{ kit: Kit, state: { isBroken: boolean } }> {
  const state = { isBroken: true }
  const wrap = (store: Store): Store => overriding(store, {
    openPartial: async digest => {
      const partial = await store.openPartial(digest)
      return state.isBroken ? overriding(partial, override(partial)) : partial
    }
  })
  return { kit: await kitOf({ wrap }), state }
}

afterEach(async () => { await Promise.all(kits.splice(0).map(kit => kit.close())) })

describe('what a fetch keeps whatever its sources do', () => {
  const sizes = fc.oneof(
    fc.constantFrom(0, 1, MIN_PIECE_LENGTH - 1, MIN_PIECE_LENGTH, MIN_PIECE_LENGTH + 1, 2 * MIN_PIECE_LENGTH),
    fc.integer({ min: 0, max: 4 * MIN_PIECE_LENGTH })
  )

  test('before the whole is right no byte of the last piece is given out', async () => {
    await fc.assert(fc.asyncProperty(sizes, fc.boolean(), fc.integer({ min: 1000, max: 100_000 }), async (size, hasLength, chunkBytes) => {
      const kit = await kitOf()
      const gate = new Gate()
      const bytes = bytesOf(size)
      const digest = kit.origin.addBlob(repository, bytes, { gate, chunkBytes, size: hasLength ? size : null })
      const puller = kit.puller()
      let isRight = false
      kit.events.subscribe(({ type }) => { if (type === 'blob:committed') isRight = true })
      const opening = puller.blobs.open(repository, digest)
      gate.open()
      const blob = await opening
      let position = 0
      for (const buffer = new Uint8Array(10_000); ;) {
        const wasRight = isRight
        const read = await blob.read(buffer, position)
        if (!wasRight && !isRight && read > 0) expect(position + read).toBeLessThanOrEqual(hasLength ? lastPieceStart(size) : Math.max(0, size - 1))
        expect(Buffer.compare(buffer.subarray(0, read), bytes.subarray(position, position + read))).toBe(0)
        position += read
        if (read === 0) break
      }
      expect(position).toBe(size)
      await blob.close()
      await kit.close()
    }), { numRuns: 40 })
  })

  const source = fc.record({
    lie: fc.constantFrom('none', 'flip', 'size'),
    deaths: fc.array(fc.integer({ min: 0, max: SIZE }), { maxLength: 2 }),
    at: fc.nat(SIZE - 1),
    claim: fc.integer({ min: 0, max: SIZE + 100_000 }).filter(size => size !== SIZE),
    pace: fc.nat(100)
  })

  test('among liars, the dying and one honest peer the blob is right and none but liars are banned', async () => {
    await fc.assert(fc.asyncProperty(fc.array(source, { maxLength: 5 }), fc.boolean(), async (sources, isDescribed) => {
      const kit = await kitOf()
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob({ registry: 'elsewhere.test', name: 'x' }, bytes)
      if (isDescribed) await describeBlob(kit, digest, SIZE)
      const liars = new Set<string>()
      for (const [index, { lie, deaths, at, claim, pace }] of sources.entries()) {
        const peer = `${lie}-${index}`
        if (lie !== 'none') liars.add(peer)
        kit.peers.add(peer, digest, bytes, {
          dieAt: deaths,
          ...(lie === 'flip' ? { flipAt: at } : {}),
          ...(lie === 'size' ? { size: claim } : {})
        })
        kit.score.delivered(peer, pace + 1, 1000)
      }
      kit.peers.add('honest', digest, bytes)
      const puller = kit.puller()
      expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
      await settled(puller)
      for (const peer of banned(kit)) expect(liars).toContain(peer)
      const mismatches = kit.log.flatMap(event => event.type === 'fetch:mismatch' ? [event.sources] : [])
      for (const [author, ...others] of mismatches) {
        if (author !== undefined && others.length === 0) expect(banned(kit)).toContain(author.slice('peer:'.length))
      }
      for (const event of kit.log) {
        if (event.type === 'fetch:received') expect(event.bytes).toBeGreaterThan(0)
      }
      await kit.close()
    }), { numRuns: 150 })
  })

  test('a peer that dies at any byte leaves one right blob', async () => {
    const bytes = bytesOf(3000)
    for (let at = 0; at <= bytes.length; at += 150) {
      const kit = await kitOf()
      const digest = kit.origin.addBlob(repository, bytes)
      kit.peers.add('a', digest, bytes, { alwaysDiesAt: at, chunkBytes: 700 })
      expect(Buffer.compare(await pullBlob(kit.puller(), digest), bytes)).toBe(0)
      expect(kit.origin.blobStarts(digest)).toEqual(at === bytes.length ? [] : [at])
    }
  })
})

describe('a fetch whose store fails', () => {
  /** A fetch from a peer whose store fails at the sixth chunk. */
  async function failingWith (error: Error): Promise<{ kit: Kit, state: { isBroken: boolean }, puller: Puller, digest: Digest }> {
    let left = 5
    const { kit, state } = await kitWithPartials(partial => ({
      append: async (chunk, source) => {
        if (left-- === 0) throw error
        await partial.append(chunk, source)
      }
    }))
    const digest = kit.origin.addBlob(repository, bytesOf(SIZE))
    kit.peers.add('a', digest, bytesOf(SIZE))
    const puller = kit.puller()
    await expect(puller.blobs.fetch(repository, digest)).rejects.toThrow(error)
    await settled(puller)
    return { kit, state, puller, digest }
  }

  test('ends with the store\'s error, blames no source and keeps what it has', async () => {
    const { kit, state, puller, digest } = await failingWith(new StoreUnwritableError('blobs', { cause: new Error('read-only') }))
    expect(kit.score.isResting('a', kit.now())).toBe(false)
    expect(kit.origin.requests).toEqual([])
    expect(kit.log.at(-1)).toMatchObject({ type: 'fetch:failed', code: 'STORE_UNWRITABLE' })
    state.isBroken = false
    await puller.blobs.fetch(repository, digest)
    expect(kit.peers.requests.at(-1)).toMatchObject({ type: 'read', start: 5 * 16 * KIB })
  })

  test('gives the room back when it has filled the disk', async () => {
    const { kit } = await failingWith(new StoreFullError('blobs'))
    expect(kit.origin.requests).toEqual([])
    expect(await kit.store.usage()).toMatchObject({ partials: 0, partialBytes: 0 })
  })

  test('ends with an error of the disk that the store has no name for, too', async () => {
    const { kit } = await kitWithPartials(() => ({ append: async () => { throw Object.assign(new Error('i/o error'), { code: 'EIO' }) } }))
    const digest = kit.origin.addBlob(repository, bytesOf(SIZE))
    kit.peers.add('a', digest, bytesOf(SIZE))
    await expect(kit.puller().blobs.open(repository, digest)).rejects.toThrow('i/o error')
    expect(kit.origin.requests).toEqual([])
  })

  test('is told when the partial cannot be opened, and the next one works', async () => {
    const { kit, state } = await kitWithPartials(partial => ({
      setSize: async () => {
        await partial.flush()
        throw new StoreFullError('journal')
      }
    }))
    const bytes = bytesOf(SIZE)
    const digest = kit.origin.addBlob(repository, bytes)
    await describeBlob(kit, digest, SIZE)
    const puller = kit.puller()
    await expect(puller.blobs.open(repository, digest)).rejects.toMatchObject({ code: 'STORE_FULL' })
    await settled(puller)
    state.isBroken = false
    expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
  })

  test('that cannot open the partial at all fails with the store\'s error', async () => {
    const kit = await kitOf({ wrap: store => overriding(store, { openPartial: async () => { throw new StoreFullError('partial') } }) })
    const digest = kit.origin.addBlob(repository, bytesOf(SIZE))
    const puller = kit.puller()
    await expect(puller.blobs.open(repository, digest)).rejects.toMatchObject({ code: 'STORE_FULL' })
    await settled(puller)
  })

  test('serves a verified blob to its readers although it cannot be committed', async () => {
    const { kit } = await kitWithPartials(() => ({ commit: async () => { throw new StoreFullError('blobs') } }))
    const bytes = bytesOf(SIZE)
    const digest = kit.origin.addBlob(repository, bytes)
    const puller = kit.puller()
    const blob = await puller.blobs.open(repository, digest)
    const fetching = puller.blobs.fetch(repository, digest)
    await expect(fetching).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(Buffer.compare(await readAll(blob), bytes)).toBe(0)
    await blob.close()
    await settled(puller)
    expect(await kit.store.stat(digest)).toBeUndefined()
  })

  test('is over even if the partial cannot be closed', async () => {
    const { kit } = await kitWithPartials(partial => ({
      close: async () => {
        await partial.close()
        throw new Error('cannot close')
      }
    }))
    const digest = kit.origin.addBlob(repository, bytesOf(SIZE))
    const puller = kit.puller()
    await puller.blobs.fetch(repository, digest)
    await settled(puller)
  })
})

describe('callers that come and go late', () => {
  test('the last that leaves while the whole is verified ends the fetch, which keeps its bytes', async () => {
    const verifying = new Gate()
    const { kit, state } = await kitWithPartials(() => ({ verify: async options => { await verifying.pass(options?.signal) } }))
    const bytes = bytesOf(SIZE)
    const digest = kit.origin.addBlob(repository, bytes)
    const puller = kit.puller()
    const left = new AbortController()
    const fetching = puller.blobs.fetch(repository, digest, { signal: left.signal })
    await verifying.reached()
    left.abort(new Error('gone'))
    await expect(fetching).rejects.toThrow('gone')
    await settled(puller)
    state.isBroken = false
    expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
    expect(kit.origin.blobStarts(digest)).toEqual([0])
  })

  test('one that joins while the whole is verified is served', async () => {
    const verifying = new Gate()
    const { kit } = await kitWithPartials(partial => ({
      verify: async options => {
        await verifying.pass(options?.signal)
        await partial.verify(options)
      }
    }))
    const bytes = bytesOf(SIZE)
    const digest = kit.origin.addBlob(repository, bytes)
    const puller = kit.puller()
    const first = pullBlob(puller, digest)
    await verifying.reached()
    const second = pullBlob(puller, digest)
    verifying.open()
    for (const read of await Promise.all([first, second])) expect(Buffer.compare(read, bytes)).toBe(0)
    expect(kit.origin.blobStarts(digest)).toEqual([0])
  })

  test('one that joins while the blob is committed is served', async () => {
    const committing = new Gate()
    const { kit } = await kitWithPartials(partial => ({
      commit: async facts => {
        await committing.pass()
        return partial.commit(facts)
      }
    }))
    const bytes = bytesOf(SIZE)
    const digest = kit.origin.addBlob(repository, bytes)
    const puller = kit.puller()
    const first = await puller.blobs.open(repository, digest)
    await committing.reached()
    const second = pullBlob(puller, digest)
    expect(Buffer.compare(await second, bytes)).toBe(0)
    await first.close()
    const third = pullBlob(puller, digest)
    committing.open()
    expect(Buffer.compare(await third, bytes)).toBe(0)
    expect(kit.origin.blobStarts(digest)).toEqual([0])
  })
})

test('a fetch that has ended asks nobody any more', async () => {
  const kit = await kitOf()
  const bytes = bytesOf(SIZE)
  const digest = kit.origin.addBlob(repository, bytes)
  kit.peers.add('silent', digest, bytes, { isSilent: true })
  const asked = Promise.withResolvers<unknown>()
  const peers = overriding(kit.peers, {
    have: async (...args) => {
      try {
        return await kit.peers.have(...args)
      } catch (error) {
        asked.resolve(error)
        throw error
      }
    }
  })
  const fetch = new BlobFetch({ ...kit, peers, originSlots: new OriginSlots() }, digest, { graceMs: 1, searchMs: NEVER_MS })
  fetch.join(repository)
  await fetch.committed
  fetch.leave()
  await fetch.closed
  expect(await asked.promise).toMatchObject({ name: 'AbortError' })
  expect(kit.score.isResting('silent', kit.now())).toBe(false)
})
