import { open, truncate, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { BlobStream } from '../../src/store/blob-stream.ts'
import type { ByteSpan } from '../../src/store/store.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'

describe('a stream of a blob', () => {
  const digest = digestOf(Buffer.from('any'))
  let directory: string
  let handle: FileHandle
  let damages = 0

  beforeEach(async () => {
    damages = 0
    directory = await makeTempDir('stream')
    await writeFile(join(directory, 'file'), '')
    handle = await open(join(directory, 'file'), 'r+')
  })
  afterEach(async () => {
    await handle.close()
    await removeTempDir(directory)
  })

  function stream (span: ByteSpan): BlobStream {
    return new BlobStream({ fd: handle.fd, digest, span, chunkBytes: 1000, onDamage: () => { damages++ } })
  }

  it('reads at offsets that take more than 32 bits', async () => {
    const size = 20 * 1024 ** 3
    await truncate(join(directory, 'file'), size)
    await handle.write('end of 20 GiB', size - 13)
    expect((await buffer(stream({ start: size - 15, end: size }))).toString()).toBe('\0\0end of 20 GiB')
  })

  it('is never ended early in silence', async () => {
    await handle.write(Buffer.alloc(2500), 0, 2500, 0)
    await expect(buffer(stream({ start: 0, end: 2501 }))).rejects.toMatchObject({ code: 'BLOB_READ', digest, position: 2500 })
    expect(damages).toBe(1)
  })

  it('closes only after its last read, when it is destroyed meanwhile', async () => {
    await handle.write(Buffer.alloc(2500), 0, 2500, 0)
    const aborted = stream({ start: 0, end: 2500 })
    const closed = new Promise(resolve => aborted.once('close', resolve))
    aborted.read()
    aborted.destroy()
    await closed
    expect(damages).toBe(0)
  })
})
