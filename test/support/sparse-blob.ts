import { open } from 'node:fs/promises'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { MEDIA_TYPES } from '../../src/oci/media-types.ts'
import { ContentLayout } from '../../src/store/content-layout.ts'
import { DiskStore } from '../../src/store/disk-store.ts'
import { fileIdentity } from '../../src/store/file-identity.ts'
import { RecordBook } from '../../src/store/record-book.ts'
import { StoreDatabase } from '../../src/store/store-database.ts'

const GIB = 2 ** 30

/** 20 GiB of zeros but for some words, that take no room on a disk which knows holes. */
export const SPARSE_SIZE = 20 * GIB
export const SPARSE_WORDS: ReadonlyMap<number, string> = new Map([[0, 'begin'], [10 * GIB + 4321, 'middle'], [SPARSE_SIZE - 9 * 1024 * 1024, 'nearly']])
/** Hashed once, which takes 12 s. */
export const SPARSE_DIGEST = 'sha256:21a6eab768ebc94c0526ccebf46835696f966ae1a83c61024af789149e2d49f2' as Digest

/** What the blob has from `start` to `end`. */
export function sparseBytes (start: number, end: number): Buffer {
  const bytes = Buffer.alloc(end - start)
  for (const [at, word] of SPARSE_WORDS) {
    for (let index = 0; index < word.length; index++) {
      if (at + index >= start && at + index < end) bytes[at + index - start] = word.charCodeAt(index)
    }
  }
  return bytes
}

/**
 * Makes a data directory whose agent holds the blob, as if it had been verified there, and a manifest of it.
 * @returns the manifest's digest
 */
export async function makeSparseStore (directory: string): Promise<Digest> {
  const config = Buffer.from('{}')
  const manifest = Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: SPARSE_DIGEST, size: SPARSE_SIZE }]
  }))
  const store = await DiskStore.open(directory)
  await store.put(digestOf(config), config, { kind: 'blob', access: 'public' })
  await store.put(digestOf(manifest), manifest, { kind: 'manifest', access: 'public', mediaType: MEDIA_TYPES.ociManifest })
  await store.close()

  const layout = new ContentLayout(directory)
  const path = layout.blob(SPARSE_DIGEST)
  const file = await open(path, 'w')
  await file.truncate(SPARSE_SIZE)
  for (const [at, word] of SPARSE_WORDS) await file.write(Buffer.from(word), 0, word.length, at)
  await file.close()
  const database = await StoreDatabase.open(layout.database, layout.root)
  const records = await RecordBook.open(database)
  await records.put({ record: { digest: SPARSE_DIGEST, size: SPARSE_SIZE, kind: 'blob', access: 'public', committedAt: 0 }, file: await fileIdentity(path) })
  await database.close()
  return digestOf(manifest)
}
