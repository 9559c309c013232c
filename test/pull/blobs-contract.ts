import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ContentUnavailableError } from '../../src/pull/errors.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { Gate } from '../support/gate.ts'
import { until } from '../../scenarios/live/until.ts'
import { banned, bytesOf, describeBlob, KIB, makeKit, pullBlob, readAll, repository, settled, type Kit } from './kit.ts'

const SIZE = 300 * KIB
const other = { registry: 'mirror.test', name: 'team/app' }

/** What a fetch does whatever store is below it. */
export function describeBlobs (kind: 'memory' | 'disk'): void {
  describe(`blobs over a store ${kind === 'disk' ? 'on disk' : 'in memory'}`, () => {
    let kit: Kit
    beforeEach(async () => { kit = await makeKit({ store: kind }) })
    afterEach(async () => { await kit.close() })

    test('a blob comes from the origin and is in the store afterwards', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes)
      const puller = kit.puller()
      expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
      await puller.blobs.fetch(repository, digest)
      expect(await kit.store.stat(digest)).toMatchObject({ digest, size: SIZE, kind: 'blob', access: 'public' })
      expect(kit.origin.blobStarts(digest)).toEqual([0])
    })

    test.each([0, 1, MIN_PIECE_LENGTH, MIN_PIECE_LENGTH + 1, 3 * MIN_PIECE_LENGTH])('a blob of %i bytes comes from a peer and the origin is not asked', async size => {
      const bytes = bytesOf(size)
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('a', digest, bytes)
      expect(Buffer.compare(await pullBlob(kit.puller(), digest), bytes)).toBe(0)
      expect(kit.origin.requests).toEqual([])
    })

    test('with nobody to ask the origin is asked without waiting for any timer', async () => {
      const digest = kit.origin.addBlob(repository, bytesOf(SIZE))
      await pullBlob(kit.puller(), digest)
      expect(kit.origin.blobStarts(digest)).toEqual([0])
    })

    test('a hit on a connected peer waits for no timer', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('a', digest, bytes)
      await pullBlob(kit.puller(), digest)
      expect(kit.origin.requests).toEqual([])
    })

    test('bytes of the origin are given out before the blob is here, those of the last piece are not', async () => {
      const gate = new Gate()
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes, { gate, chunkBytes: MIN_PIECE_LENGTH })
      gate.release(2)
      const blob = await kit.puller().blobs.open(repository, digest)
      const buffer = new Uint8Array(SIZE)
      let read = 0
      while (read < 2 * MIN_PIECE_LENGTH) read += await blob.read(buffer.subarray(read), read)
      expect(read).toBe(2 * MIN_PIECE_LENGTH)
      gate.open()
      while (read < SIZE) read += await blob.read(buffer.subarray(read), read)
      expect(Buffer.compare(buffer, bytes)).toBe(0)
      await blob.close()
    })

    test('bytes of a peer are given out only when the whole is here and right', async () => {
      const gate = new Gate()
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('a', digest, bytes, { gate, chunkBytes: SIZE - 1 })
      gate.release(1)
      const opening = kit.puller().blobs.open(repository, digest)
      let isOpen = false
      const opened = opening.then(() => { isOpen = true })
      await gate.reached()
      await Promise.resolve()
      expect(isOpen).toBe(false)
      gate.open()
      await opened
      const blob = await opening
      expect(Buffer.compare(await readAll(blob), bytes)).toBe(0)
      await blob.close()
    })

    test('a peer that dies is replaced by another at the byte reached', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('a', digest, bytes, { alwaysDiesAt: 100_000 })
      kit.peers.add('b', digest, bytes)
      kit.score.delivered('a', 1, 1)
      expect(Buffer.compare(await pullBlob(kit.puller(), digest), bytes)).toBe(0)
      expect(kit.peers.requests.filter(({ type }) => type === 'read')).toMatchObject([{ peer: 'a', start: 0 }, { peer: 'b', start: 100_000 }])
      expect(banned(kit)).toEqual([])
    })

    test('a peer that dies is replaced by the origin at the byte reached', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes)
      kit.peers.add('a', digest, bytes, { alwaysDiesAt: 200_001 })
      expect(Buffer.compare(await pullBlob(kit.puller(), digest), bytes)).toBe(0)
      expect(kit.origin.blobStarts(digest)).toEqual([200_001])
    })

    test('an origin that dies is replaced by a peer, and the reader sees one unbroken blob', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes, { dieAt: [250_000] })
      kit.peers.add('a', digest, bytes, { busyHaves: 1 })
      const blob = await kit.puller().blobs.open(repository, digest)
      expect(Buffer.compare(await readAll(blob), bytes)).toBe(0)
      await blob.close()
      expect(kit.peers.requests.filter(({ type }) => type === 'read')).toMatchObject([{ peer: 'a', start: 250_000 }])
    })

    test('what was kept when the last caller left is not asked for again', async () => {
      const gate = new Gate()
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes, { gate, chunkBytes: MIN_PIECE_LENGTH })
      gate.release(2)
      const puller = kit.puller()
      const blob = await puller.blobs.open(repository, digest)
      await blob.ready(MIN_PIECE_LENGTH + 1)
      await gate.reached()
      await blob.close()
      await settled(puller)
      expect(kit.log).toContainEqual({ type: 'fetch:abandoned', digest, at: 2 * MIN_PIECE_LENGTH })
      await kit.reopen()
      gate.open()
      expect(Buffer.compare(await pullBlob(kit.puller(), digest), bytes)).toBe(0)
      expect(kit.origin.blobStarts(digest)).toEqual([0, 2 * MIN_PIECE_LENGTH])
    })

    test('an origin that ignores Range is read past what is here', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes, { dieAt: [100_001], ignoresRange: true, chunkBytes: 999 })
      const puller = kit.puller()
      expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
      expect(kit.origin.blobStarts(digest)).toEqual([0, 100_001])
    })

    test('a blob whose origin tells no length is complete when the origin ends', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes, { size: null })
      const blob = await kit.puller().blobs.open(repository, digest)
      expect(blob.size).toBeUndefined()
      expect(Buffer.compare(await readAll(blob), bytes)).toBe(0)
      await blob.close()
    })

    test('a peer that flips a byte is banned, and the next is asked', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('liar', digest, bytes, { flipAt: SIZE - 1 })
      kit.peers.add('honest', digest, bytes)
      kit.score.delivered('liar', 1, 1)
      expect(Buffer.compare(await pullBlob(kit.puller(), digest), bytes)).toBe(0)
      expect(banned(kit)).toEqual(['liar'])
      expect(kit.log.find(({ type }) => type === 'fetch:mismatch')).toMatchObject({ sources: ['peer:liar'] })
    })

    test('among several authors of a wrong blob exactly the liar is banned', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes)
      kit.peers.add('honest', digest, bytes, { dieAt: [100_000] })
      kit.peers.add('liar', digest, bytes, { flipAt: 200_000 })
      kit.score.delivered('honest', 1, 1)
      const puller = kit.puller()
      expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
      await settled(puller)
      expect(banned(kit)).toEqual(['liar'])
    })

    test('after a wrong blob each peer starts over, so that the next wrong one has one author', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('honest', digest, bytes, { dieAt: [100_000] })
      kit.peers.add('liar', digest, bytes, { flipAt: 200_000, dieAt: [SIZE, 50_000] })
      kit.score.delivered('honest', 1, 1)
      const puller = kit.puller()
      expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
      await settled(puller)
      expect(banned(kit)).toEqual(['liar'])
      const reads = kit.peers.requests.flatMap(({ type, peer, start }) => type === 'read' ? [`${peer} ${start}`] : [])
      expect(reads).toEqual(['honest 0', 'liar 100000', 'liar 0', 'honest 0'])
    })

    test.each([SIZE - 1, SIZE + 1, 0])('a peer that says %i bytes against the descriptor is banned when the blob is here', async size => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes)
      await describeBlob(kit, digest, SIZE)
      kit.peers.add('liar', digest, bytes, { size })
      const puller = kit.puller()
      expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
      await settled(puller)
      expect(banned(kit)).toEqual(['liar'])
      expect(kit.peers.asked('read')).toEqual([])
    })

    test.each([SIZE - 1, SIZE + 1, 0])('a peer that says %i bytes when nobody knows better is banned, and the blob is right', async size => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes)
      kit.peers.add('liar', digest, bytes, { size })
      const puller = kit.puller()
      expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
      await settled(puller)
      expect(banned(kit)).toEqual(['liar'])
    })

    test('a peer that claims less than is here already is not read', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes, { size: null, dieAt: [200_000] })
      kit.peers.add('liar', digest, bytes, { size: 100_000, busyHaves: 1 })
      const puller = kit.puller()
      expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
      await settled(puller)
      expect(kit.peers.asked('read')).toEqual([])
      expect(banned(kit)).toEqual(['liar'])
    })

    test('bytes of a peer beyond the size that the origin tells are thrown away', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes)
      kit.peers.add('liar', digest, bytes, { size: SIZE + 100_000, alwaysDiesAt: SIZE + 50_000 })
      const puller = kit.puller()
      expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
      await settled(puller)
      expect(kit.origin.blobStarts(digest)).toEqual([SIZE + 50_000, 0])
      expect(banned(kit)).toEqual(['liar'])
    })

    test('so are they after bytes of the origin that a reader has seen, which stay', async () => {
      const bytes = bytesOf(1000 * KIB)
      const digest = kit.origin.addBlob(repository, bytes, { size: null, dieAt: [400 * KIB] })
      kit.events.subscribe(event => {
        if (event.type !== 'fetch:source-failed' || event.source !== 'origin') return
        kit.origin.addBlob(repository, bytes)
        kit.peers.add('liar', digest, bytesOf(1200 * KIB), { size: 1200 * KIB, alwaysDiesAt: 1100 * KIB })
      })
      const puller = kit.puller({ graceMs: 20, searchMs: 50 })
      const blob = await puller.blobs.open(repository, digest)
      await blob.read(new Uint8Array(1000), 0)
      expect(Buffer.compare(await readAll(blob), bytes)).toBe(0)
      await blob.close()
      await settled(puller)
      expect(kit.peers.asked('read')).not.toEqual([])
    })

    test('bytes kept from before that are more than the descriptor allows are thrown away', async () => {
      const gate = new Gate()
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('liar', digest, bytes, { size: 2 * SIZE, gate, chunkBytes: SIZE + 1 })
      gate.release(1)
      const puller = kit.puller()
      const left = new AbortController()
      const fetching = puller.blobs.fetch(repository, digest, { signal: left.signal })
      await gate.reached()
      left.abort()
      await expect(fetching).rejects.toThrow()
      await settled(puller)
      kit.peers.disconnect('liar')
      await describeBlob(kit, digest, SIZE)
      kit.peers.add('honest', digest, bytes)
      expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
      expect(kit.peers.requests.at(-1)).toMatchObject({ type: 'read', peer: 'honest', start: 0 })
    })

    test('a peer does not go on from the bytes of one that claims another size', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('liar', digest, bytes, { size: SIZE + 7, alwaysDiesAt: 100_000 })
      kit.peers.add('honest', digest, bytes)
      kit.score.delivered('liar', 1, 1)
      const puller = kit.puller()
      expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
      await settled(puller)
      expect(kit.peers.requests.at(-1)).toMatchObject({ type: 'read', peer: 'honest', start: 0 })
      expect(banned(kit)).toEqual(['liar'])
    })

    test('a peer whose read claims another size than its answer is banned at once', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes)
      kit.peers.add('liar', digest, bytes, { readSize: SIZE + 5 })
      expect(Buffer.compare(await pullBlob(kit.puller(), digest), bytes)).toBe(0)
      expect(banned(kit)).toEqual(['liar'])
    })

    test('bytes kept of an honest peer do not convict it of another\'s lie about the size', async () => {
      const gate = new Gate()
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('honest', digest, bytes, { gate, chunkBytes: 100_000 })
      gate.release(1)
      const puller = kit.puller()
      const left = new AbortController()
      const fetching = puller.blobs.fetch(repository, digest, { signal: left.signal })
      await gate.reached()
      left.abort()
      await expect(fetching).rejects.toThrow()
      await settled(puller)
      await kit.reopen()
      gate.open()
      kit.peers.add('liar', digest, bytes, { size: 100_000 })
      kit.score.delivered('liar', 1, 1)
      const again = kit.puller()
      expect(Buffer.compare(await pullBlob(again, digest), bytes)).toBe(0)
      await settled(again)
      expect(banned(kit)).toEqual(['liar'])
    })

    test('bytes kept of an honest peer do not convict it of the origin\'s lie about the size', async () => {
      const gate = new Gate()
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes, { size: 100_000 })
      kit.peers.add('honest', digest, bytes, { gate, chunkBytes: 100_000 })
      gate.release(1)
      const puller = kit.puller()
      const left = new AbortController()
      const fetching = puller.blobs.fetch(repository, digest, { signal: left.signal })
      await gate.reached()
      left.abort()
      await expect(fetching).rejects.toThrow()
      await settled(puller)
      kit.peers.disconnect('honest')
      await expect(puller.blobs.fetch(repository, digest)).rejects.toThrow()
      expect(banned(kit)).toEqual([])
    })

    test('readers of wrong bytes of the origin are cut, nothing is kept, and a later request works', async () => {
      const bytes = bytesOf(SIZE)
      const wrong = bytes.slice()
      wrong[0] = (wrong[0] ?? 0) ^ 1
      const gate = new Gate()
      const digest = kit.origin.addBlob(repository, bytes, { bytes: wrong, gate, chunkBytes: 2 * MIN_PIECE_LENGTH })
      gate.release(1)
      const puller = kit.puller()
      const blob = await puller.blobs.open(repository, digest)
      const reading = readAll(blob)
      gate.open()
      await expect(reading.then(({ length }) => length)).rejects.toMatchObject({ code: 'CONTENT_WRONG' })
      await blob.close()
      expect(await kit.store.stat(digest)).toBeUndefined()
      kit.origin.addBlob(repository, bytes)
      expect(Buffer.compare(await pullBlob(puller, digest), bytes)).toBe(0)
    })

    test('a wrong beginning of the origin that nobody was given yields to an honest peer', async () => {
      const bytes = bytesOf(SIZE)
      const wrong = bytes.slice()
      wrong[0] = (wrong[0] ?? 0) ^ 1
      const digest = kit.origin.addBlob(repository, bytes, { bytes: wrong, dieAt: [100_000] })
      kit.peers.add('honest', digest, bytes, { busyHaves: 1 })
      const puller = kit.puller()
      await expect(puller.blobs.fetch(repository, digest)).resolves.toBe('fetch')
      await settled(puller)
      expect(banned(kit)).toEqual([])
    })

    test('what nobody knows is unknown', async () => {
      const digest = kit.origin.addBlob(other, bytesOf(1))
      kit.peers.connect('a')
      const error: unknown = await kit.puller().blobs.open(repository, digest).catch((error: unknown) => error)
      expect(error).toBeInstanceOf(ContentUnavailableError)
      expect(error).toMatchObject({ isUnknown: true })
    })

    test('what an origin may have that cannot be asked is not unknown', async () => {
      const digest = kit.origin.addBlob(repository, bytesOf(1), { fails: 'ORIGIN_UNAVAILABLE' })
      await expect(kit.puller().blobs.open(repository, digest)).rejects.toMatchObject({ code: 'CONTENT_UNAVAILABLE', isUnknown: false })
    })

    test('a peer that may not give it does not make it known', async () => {
      const digest = kit.origin.addBlob(other, bytesOf(1))
      kit.peers.add('a', digest, bytesOf(1), { fails: 'PEER_DENIED' })
      await expect(kit.puller().blobs.open(repository, digest)).rejects.toMatchObject({ isUnknown: true })
      expect(kit.score.isResting('a', kit.now())).toBe(false)
    })

    test.each([{ busyHaves: 3 }, { busyReads: 3 }])('a busy peer is asked again: %o', async busy => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('a', digest, bytes, busy)
      expect(Buffer.compare(await pullBlob(kit.puller(), digest), bytes)).toBe(0)
    })

    test('a peer that is always busy is not asked for ever', async () => {
      const digest = kit.origin.addBlob(other, bytesOf(SIZE))
      kit.peers.add('a', digest, bytesOf(SIZE), { busyReads: Infinity })
      await expect(kit.puller().blobs.open(repository, digest)).rejects.toMatchObject({ code: 'CONTENT_UNAVAILABLE' })
      expect(kit.peers.asked('read')).toHaveLength(11)
    })

    test('peers that always die half way do not keep a fetch alive for ever', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('liar', digest, bytes, { flipAt: 0 })
      kit.peers.add('a', digest, bytes, { alwaysDiesAt: 150_000 })
      kit.peers.add('b', digest, bytes, { alwaysDiesAt: 150_000, size: SIZE + 7 })
      await expect(kit.puller().blobs.open(repository, digest)).rejects.toMatchObject({ code: 'CONTENT_UNAVAILABLE' })
    })

    test('fifty callers join one fetch', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes)
      const puller = kit.puller()
      const all = await Promise.all(Array.from({ length: 50 }, () => pullBlob(puller, digest)))
      for (const read of all) expect(Buffer.compare(read, bytes)).toBe(0)
      expect(kit.origin.blobStarts(digest)).toEqual([0])
    })

    test('a caller that leaves does not disturb the others', async () => {
      const gate = new Gate()
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes, { gate })
      const puller = kit.puller()
      const left = new AbortController()
      const leaving = puller.blobs.open(repository, digest, { signal: left.signal })
      const staying = pullBlob(puller, digest)
      await gate.reached()
      left.abort(new Error('gone'))
      await expect(leaving).rejects.toThrow('gone')
      gate.open()
      expect(Buffer.compare(await staying, bytes)).toBe(0)
      expect(kit.origin.blobStarts(digest)).toEqual([0])
    })

    test('a caller that comes while an abandoned fetch lets go begins another', async () => {
      const gate = new Gate()
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes, { gate })
      const puller = kit.puller()
      const left = new AbortController()
      const leaving = puller.blobs.open(repository, digest, { signal: left.signal })
      await gate.reached()
      left.abort(new Error('gone'))
      gate.open()
      const [, read] = await Promise.all([expect(leaving).rejects.toThrow('gone'), pullBlob(puller, digest)])
      expect(Buffer.compare(read, bytes)).toBe(0)
    })

    test('a caller that comes from elsewhere adds an origin to the fetch', async () => {
      const bytes = bytesOf(SIZE)
      const gate = new Gate()
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('a', digest, bytes, { gate, alwaysDiesAt: 10 })
      const puller = kit.puller()
      const first = pullBlob(puller, digest)
      await gate.reached()
      const second = pullBlob(puller, digest, other)
      await until(() => puller.blobs.status()[0]?.callers === 2, { what: 'the second caller' })
      gate.open()
      expect(Buffer.compare(await first, bytes)).toBe(0)
      expect(Buffer.compare(await second, bytes)).toBe(0)
    })

    test('a blob that the origin gives to anybody is public', async () => {
      const digest = kit.origin.addBlob(repository, bytesOf(SIZE), { access: 'public' })
      await kit.puller().blobs.fetch(repository, digest)
      expect(await kit.store.stat(digest)).toMatchObject({ access: 'public' })
    })

    test('a blob got with credentials is restricted, whatever a peer says that claims to hold it', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes, { access: 'restricted' })
      kit.peers.add('spy', digest, bytes, { alwaysDiesAt: 0 })
      await kit.puller().blobs.fetch(repository, digest)
      expect(await kit.store.stat(digest)).toMatchObject({ access: 'restricted' })
    })

    test('a blob that a peer marks restricted is restricted, unless the origin gives it to anybody', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('a', digest, bytes, { restricted: true })
      await kit.puller().blobs.fetch(repository, digest)
      expect(await kit.store.stat(digest)).toMatchObject({ access: 'restricted' })
      const moreBytes = bytesOf(SIZE, 'more')
      const more = kit.origin.addBlob(repository, moreBytes)
      kit.peers.add('a', more, moreBytes, { restricted: true, alwaysDiesAt: 10 })
      await kit.puller().blobs.fetch(repository, more)
      expect(await kit.store.stat(more)).toMatchObject({ access: 'public' })
    })

    test.each(['public', 'restricted'] as const)('bytes of the origin kept from before are %s when the origin says so', async access => {
      const gate = new Gate()
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes, { access, gate })
      gate.release(2)
      const left = new AbortController()
      const puller = kit.puller()
      const leaving = puller.blobs.fetch(repository, digest, { signal: left.signal })
      await gate.reached()
      left.abort()
      await expect(leaving).rejects.toThrow()
      await settled(puller)
      kit.peers.add('a', digest, bytes)
      await kit.puller().blobs.fetch(repository, digest)
      expect(await kit.store.stat(digest)).toMatchObject({ access })
    })

    test('a wrong descriptor does not keep the blob away', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes)
      await describeBlob(kit, digest, 7)
      const blob = await kit.puller().blobs.open(repository, digest)
      expect(blob.size).toBe(SIZE)
      expect(Buffer.compare(await readAll(blob), bytes)).toBe(0)
      await blob.close()
    })

    test('where descriptor and origin differ nothing is given out before the whole is right', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes, { bytes: bytesOf(SIZE, 'wrong') })
      await describeBlob(kit, digest, SIZE + 1)
      await expect(kit.puller().blobs.open(repository, digest)).rejects.toMatchObject({ code: 'CONTENT_WRONG' })
    })

    test('a wrong descriptor does not keep a blob of a peer away', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(other, bytes)
      kit.peers.add('a', digest, bytes)
      await describeBlob(kit, digest, 7)
      expect(Buffer.compare(await pullBlob(kit.puller(), digest), bytes)).toBe(0)
      expect(banned(kit)).toEqual([])
    })

    test('an origin whose size is not the descriptor\'s gives way to a peer', async () => {
      const bytes = bytesOf(SIZE)
      const digest = kit.origin.addBlob(repository, bytes, { bytes: bytesOf(1234, 'please log in') })
      await describeBlob(kit, digest, SIZE)
      kit.peers.add('a', digest, bytes, { busyHaves: 1 })
      expect(Buffer.compare(await pullBlob(kit.puller(), digest), bytes)).toBe(0)
      expect(kit.log.filter(({ type }) => type === 'fetch:mismatch')).toEqual([])
    })

    test('HEAD of a blob downloads nothing', async () => {
      const digest = kit.origin.addBlob(repository, bytesOf(SIZE))
      expect(await kit.puller().blobs.stat(repository, digest)).toEqual({ size: SIZE })
      expect(kit.origin.requests.map(({ type }) => type)).toEqual(['stat'])
    })

    test('HEAD takes a peer\'s word for the size only where no origin can be asked', async () => {
      const digest = kit.origin.addBlob(repository, bytesOf(SIZE))
      kit.peers.add('liar', digest, bytesOf(SIZE), { size: 5 })
      expect(await kit.puller().blobs.stat(repository, digest)).toEqual({ size: SIZE })
      kit.origin.down = 'ORIGIN_UNAVAILABLE'
      expect(await kit.puller().blobs.stat(repository, digest)).toEqual({ size: 5 })
      await describeBlob(kit, digest, SIZE)
      expect(await kit.puller().blobs.stat(repository, digest)).toEqual({ size: SIZE })
    })

    test('stopping abandons all fetches, and none begins afterwards', async () => {
      const gate = new Gate()
      const digest = kit.origin.addBlob(repository, bytesOf(SIZE), { gate })
      const puller = kit.puller()
      const fetching = puller.blobs.fetch(repository, digest)
      await gate.reached()
      expect(puller.blobs.status()).toMatchObject([{ digest, size: SIZE, received: 0, callers: 1 }])
      await Promise.all([expect(fetching).rejects.toMatchObject({ code: 'FETCH_ABANDONED' }), puller.stop()])
      expect(puller.blobs.status()).toEqual([])
      await expect(puller.blobs.fetch(repository, digest)).rejects.toMatchObject({ code: 'FETCH_ABANDONED' })
    })
  })
}
