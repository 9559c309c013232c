import { setImmediate as turn } from 'node:timers/promises'
import { parseDigest } from '../../src/oci/digest.ts'
import { DiskStore } from '../../src/store/disk-store.ts'
import { killedBytes, sourceAt } from './killed-content.ts'

/** Pulls a blob into the store of a directory, from wherever it stands, telling its edge, until it is killed or done. */
const [directory = '', digestText = ''] = process.argv.slice(2)
const digest = parseDigest(digestText)
const CHUNK_BYTES = 128 * 1024

const bytes = killedBytes()
const store = await DiskStore.open(directory)
if (await store.stat(digest) !== undefined) {
  console.log('done')
} else {
  const partial = await store.openPartial(digest)
  await partial.setSize(bytes.length)
  for (let start = partial.edge; start < bytes.length;) {
    const end = Math.min(start + CHUNK_BYTES - start % CHUNK_BYTES, bytes.length)
    await partial.append(bytes.subarray(start, end), sourceAt(start))
    start = end
    console.log(`edge ${partial.edge}`)
    await turn()
  }
  await partial.verify()
  console.log('verified')
  await partial.commit({ kind: 'blob', access: 'seeded' })
  console.log('done')
  await partial.close()
}
await store.close()
