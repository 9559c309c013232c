import { setImmediate as turn } from 'node:timers/promises'
import { parseDigest } from '../../src/oci/digest.ts'
import { DiskStore } from '../../src/store/disk-store.ts'
import type { ByteSpan } from '../../src/store/store.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { KILLED_PIECE_BYTES, killedBytes, noteAt, sourceAt } from './killed-content.ts'

/**
 * Pulls a blob in pieces, some at a time and in an order of its own, into the store of a directory, from whatever is there, telling how
 * many it has confirmed, until it is killed or done. Now and then a piece is wrong at first and erased again.
 */
const [directory = '', digestText = '', seed = ''] = process.argv.slice(2)
const digest = parseDigest(digestText)
const CHUNK_BYTES = 32 * 1024
const AT_A_TIME = 5

const bytes = killedBytes()
const store = await DiskStore.open(directory)
if (await store.stat(digest) !== undefined) {
  console.log('done')
} else {
  const partial = await store.openPartial(digest)
  await partial.setSize(bytes.length)
  const pieces: ByteSpan[] = []
  for (let start = 0; start < bytes.length; start += KILLED_PIECE_BYTES) pieces.push({ start, end: Math.min(start + KILLED_PIECE_BYTES, bytes.length) })
  const random = seededRandom(seed, pieces.length)
  const confirmed = new Set(partial.confirmed.map(({ start }) => start))
  const queue = pieces.filter(({ start }) => !confirmed.has(start)).sort((a, b) => random[pieces.indexOf(a)]! - random[pieces.indexOf(b)]!).values()

  const give = async (piece: ByteSpan, isWrong: boolean): Promise<void> => {
    for (let start = piece.start; start < piece.end;) {
      const end = Math.min(start + CHUNK_BYTES, piece.end)
      await partial.write(start, isWrong ? Buffer.alloc(end - start, 0xee) : bytes.subarray(start, end), isWrong ? 'peer:liar' : sourceAt(start))
      start = end
      await turn()
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
    for (const piece of queue) {
      // what was kept of it is not vouched for
      await partial.erase(piece)
      if (random[pieces.indexOf(piece)]! < 0.1) {
        await give(piece, true)
        await partial.hash(piece)
        await partial.erase(piece)
      }
      await give(piece, false)
      partial.confirm(piece, await partial.hash(piece), noteAt(piece.start))
      console.log(`confirmed ${partial.confirmed.length}`)
    }
  }))
  await partial.verify()
  console.log('verified')
  await partial.commit({ kind: 'blob', access: 'seeded' })
  console.log('done')
  await partial.close()
}
await store.close()
