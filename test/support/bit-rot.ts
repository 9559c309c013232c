import { open } from 'node:fs/promises'
import type { Digest } from '../../src/oci/digest.ts'
import { ContentLayout } from '../../src/store/content-layout.ts'
import { fileIdentity } from '../../src/store/file-identity.ts'
import { RecordBook } from '../../src/store/record-book.ts'
import { StoreDatabase } from '../../src/store/store-database.ts'

/**
 * Flips a bit of a stored blob as a disk does it: below the file system, so that the store sees the file as it was at its commit.
 * No test can write without the file system's notice (the time of the last change cannot be set), so the store's record gets
 * the file as it is afterwards. The agent must not run.
 */
export async function flipStoredBit (dataDir: string, digest: Digest, position: number): Promise<void> {
  const layout = new ContentLayout(dataDir)
  const path = layout.blob(digest)
  const file = await open(path, 'r+')
  try {
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, position)
    byte[0] = (byte[0] ?? 0) ^ 1
    await file.write(byte, 0, 1, position)
  } finally {
    await file.close()
  }
  const database = await StoreDatabase.open(layout.database, layout.root)
  try {
    const records = await RecordBook.open(database)
    const stored = await records.get(digest)
    if (stored?.file === undefined) throw new Error(`${digest} is not stored, or was never verified`)
    await records.put({ record: stored.record, file: await fileIdentity(path) })
  } finally {
    await database.close()
  }
}
