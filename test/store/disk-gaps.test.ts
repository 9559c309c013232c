import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { readJournal } from '../../src/store/journal-file.ts'
import type { PartialBlob } from '../../src/store/store.ts'
import { seededBytes } from '../support/image.ts'
import { until } from '../../scenarios/live/until.ts'
import { StoreDirectory } from './store-directory.ts'

const MIB = 1024 * 1024
const bytes = seededBytes(20 * MIB, 'disk gaps')
const digest = digestOf(bytes)

let directory: StoreDirectory
let partial: PartialBlob
beforeEach(async () => {
  directory = await StoreDirectory.make()
  const store = await directory.open()
  partial = await store.openPartial(digest)
})
afterEach(async () => { await directory.close() })

async function put (start: number, end: number): Promise<void> {
  for (; start < end; start += 65_536) await partial.write(start, bytes.subarray(start, Math.min(start + 65_536, end)), 'origin')
}

/** The journal comes to tell of so many blocks, each with the digest of all bytes up to its end. */
async function untilJournaled (count: number): Promise<void> {
  const prefixes = Array.from({ length: count }, (_, block) => createHash('sha256').update(bytes.subarray(0, (block + 1) * MIB)).digest('hex'))
  await until(async () => {
    const { blocks } = await readJournal(`${directory.partial(digest)}.journal`)
    return blocks.length === count && blocks.every(({ prefix }, index) => prefix === prefixes[index])
  }, { what: `${count} blocks in the journal` })
}

it('the running hash jumps ahead when a gap is filled, and the journal tells of each block', async () => {
  await put(0, 2 * MIB)
  await put(3 * MIB, 19 * MIB)
  await untilJournaled(2)
  await put(2 * MIB, 3 * MIB)
  await untilJournaled(19)
})

it('the journal tells of each block again after bytes among them were wrong', async () => {
  await put(0, 18 * MIB)
  await untilJournaled(18)
  await partial.erase({ start: 17 * MIB + 10, end: 17 * MIB + 20 })
  await untilJournaled(17)
  await partial.erase({ start: 5 * MIB - 10, end: 5 * MIB + 10 })
  await untilJournaled(4)
  await put(5 * MIB - 10, 5 * MIB + 10)
  await untilJournaled(17)
  await put(17 * MIB + 10, 17 * MIB + 20)
  await put(18 * MIB, 20 * MIB)
  await untilJournaled(20)
  await partial.verify()
})

it('loses no block though bytes turn out wrong while they are hashed', async () => {
  await put(0, 15 * MIB)
  for (let time = 0; time < 10; time++) {
    await partial.write(15 * MIB, Buffer.alloc(MIB, time), 'peer:liar')
    await partial.hash({ start: 15 * MIB, end: 16 * MIB })
    await partial.erase({ start: 15 * MIB, end: 16 * MIB })
  }
  await put(15 * MIB, 20 * MIB)
  await untilJournaled(20)
  await partial.verify()
})

it('a hash of bytes that are erased meanwhile fails instead of telling of others', async () => {
  await put(4 * MIB, 8 * MIB)
  const span = { start: 4 * MIB, end: 8 * MIB }
  const hashing = [partial.hash(span), partial.hash({ start: 4 * MIB, end: 5 * MIB }), partial.hash({ start: 7 * MIB, end: 8 * MIB })]
  const results = Promise.allSettled(hashing)
  await partial.erase({ start: 6 * MIB, end: 7.5 * MIB })
  expect(await results).toMatchObject([
    { reason: { code: 'HASH_FAILED', reason: 'CHANGED' } }, { value: createHash('sha256').update(bytes.subarray(4 * MIB, 5 * MIB)).digest('hex') }, { reason: { code: 'HASH_FAILED', reason: 'CHANGED' } }
  ])
})

it('takes a chunk at once until there is no room, and the rest in its turn', async () => {
  let position = 0
  while (partial.tryWrite(position, bytes.subarray(position, position + MIB), 'origin')) position += MIB
  expect(position).toBe(12 * MIB)
  await partial.write(position, bytes.subarray(position), 'origin')
  await partial.verify()
})

it('gives each of many pieces that come at a time its turn when there is no room', async () => {
  const starts = Array.from({ length: 40 }, (_, index) => index * MIB / 2)
  await Promise.all(starts.map(async start => {
    await partial.write(start, bytes.subarray(start, start + MIB / 2), 'peer:a')
    expect(await partial.hash({ start, end: start + MIB / 2 })).toBe(createHash('sha256').update(bytes.subarray(start, start + MIB / 2)).digest('hex'))
  }))
  await partial.verify()
})
