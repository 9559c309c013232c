import { expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { IncomingBlob } from '../../src/pull/incoming-blob.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { PartialBlob } from '../../src/store/store.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { Gate } from '../support/gate.ts'
import { overriding } from '../support/overriding.ts'
import { bytesOf } from './kit.ts'

const SIZE = 3 * MIN_PIECE_LENGTH
const bytes = bytesOf(SIZE)
const digest = digestOf(bytes)

async function open (override: (partial: PartialBlob) => Partial<PartialBlob> = () => ({})): Promise<IncomingBlob> {
  const store = new MemoryStore()
  const blob = new IncomingBlob(overriding(store, {
    openPartial: async digest => {
      const partial = await store.openPartial(digest)
      return overriding(partial, override(partial))
    }
  }), digest, { size: SIZE })
  await blob.open()
  return blob
}

test('what is being cut off is not given out any more', async () => {
  const cutting = new Gate()
  const blob = await open(partial => ({
    truncate: async edge => {
      await cutting.pass()
      await partial.truncate(edge)
    }
  }))
  await blob.append(bytes, 'origin')
  const cut = blob.truncate(0)
  await cutting.reached()
  const left = new AbortController()
  const reading = blob.read(new Uint8Array(10), 0, { signal: left.signal })
  await new Promise(setImmediate)
  expect(blob.released).toBe(0)
  cutting.open()
  await cut
  left.abort(new Error('nothing came'))
  await expect(reading).rejects.toThrow('nothing came')
})

test('what a reader was given, or told of, cannot be cut off', async () => {
  const blob = await open()
  await blob.append(bytes.subarray(0, 2 * MIN_PIECE_LENGTH), 'origin')
  await blob.read(new Uint8Array(0), 9)
  expect(blob.released).toBe(10)
  await expect(blob.truncate(9)).rejects.toThrow(RangeError)
  await expect(blob.startOver()).rejects.toThrow(RangeError)
  await blob.truncate(10)
  expect(blob.edge).toBe(10)
})

test('a reader waits for its byte, and ends with the blob', async () => {
  const blob = await open()
  const buffer = new Uint8Array(SIZE)
  const reading = blob.read(buffer, MIN_PIECE_LENGTH)
  await blob.append(bytes, 'origin')
  expect(await reading).toBe(MIN_PIECE_LENGTH)
  await blob.verify({})
  expect(await blob.read(buffer, 0)).toBe(SIZE)
  expect(await blob.read(buffer, SIZE)).toBe(0)
  expect(Buffer.compare(buffer, bytes)).toBe(0)
})

test('readers get the error that ends it', async () => {
  const blob = await open()
  const reading = blob.read(new Uint8Array(10), 0)
  blob.fail(new Error('over'))
  await expect(reading).rejects.toThrow('over')
  await expect(blob.read(new Uint8Array(10), 0)).rejects.toThrow('over')
})
