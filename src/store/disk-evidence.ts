import { constants, copyFile, link, open, rm, type FileHandle } from 'node:fs/promises'
import { errorCode, writing } from './fs-errors.ts'
import { findWrongSources } from './span-compare.ts'
import type { BlobReader, Evidence, SourcedSpan, SpanSource } from './store.ts'

/** File systems without hard links. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'])

/** A second name for a partial's file. Whoever cuts the partial afterwards makes a new file for it first. */
export class DiskEvidence implements Evidence {
  readonly spans: readonly SourcedSpan[]
  readonly #path: string
  readonly #handle: FileHandle
  readonly #kept: Set<DiskEvidence>
  #isDiscarded = false

  private constructor (path: string, handle: FileHandle, spans: readonly SourcedSpan[], kept: Set<DiskEvidence>) {
    this.#path = path
    this.#handle = handle
    this.spans = spans
    this.#kept = kept
    kept.add(this)
  }

  static async keep (source: string, path: string, spans: readonly SourcedSpan[], kept: Set<DiskEvidence>): Promise<DiskEvidence> {
    await writing(path, async () => { await linkOrCopy(source, path) })
    return new DiskEvidence(path, await open(path, 'r'), spans, kept)
  }

  async compare (right: BlobReader, options: { signal?: AbortSignal } = {}): Promise<SpanSource[]> {
    return findWrongSources(this.spans, async (buffer, position) => {
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, position)
      return bytesRead
    }, right, options.signal)
  }

  async discard (): Promise<void> {
    if (this.#isDiscarded) return
    this.#isDiscarded = true
    this.#kept.delete(this)
    await this.#handle.close()
    await rm(this.#path, { force: true })
  }
}

async function linkOrCopy (source: string, path: string): Promise<void> {
  try {
    await link(source, path)
  } catch (error) {
    if (!NO_LINKS.has(errorCode(error) ?? '')) throw error
    await copyFile(source, path, constants.COPYFILE_FICLONE)
  }
}
