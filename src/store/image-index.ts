import { readFile } from 'node:fs/promises'
import type { ContentLayout } from './content-layout.ts'
import type { DiskLinks } from './disk-links.ts'
import { writeDurably } from './durable-file.ts'
import { isMissing } from './fs-errors.ts'
import type { RecordBook } from './record-book.ts'
import { Turns } from './turns.ts'

/** Milliseconds from a change to its being in index.json */
const DEFAULT_INDEX_DELAY_MS = 250
const RETRY_DELAY_MS = 5_000

export interface ImageIndexComponents {
  readonly layout: ContentLayout
  readonly links: DiskLinks
  readonly records: RecordBook
}

/**
 * Keeps index.json (image spec 1.1, image-index.md) in step with the tags whose manifests are here, for other tools to read. It is a view:
 * nothing here reads it, and it is made anew at each start.
 */
export class ImageIndex {
  readonly #components: ImageIndexComponents
  readonly #delayMs: number
  readonly #turns = new Turns()
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #written: string | undefined

  constructor (components: ImageIndexComponents, delayMs = DEFAULT_INDEX_DELAY_MS) {
    this.#components = components
    this.#delayMs = delayMs
  }

  /** Something it shows has changed. */
  touch (): void {
    this.#schedule(this.#delayMs)
  }

  /** Writes it now, or later when that fails: a full disk must not stop what this is only a view of. */
  async refresh (): Promise<void> {
    await this.#flush().catch(() => { this.#schedule(RETRY_DELAY_MS) })
  }

  /** Writes what is outstanding; what cannot be written now is made anew at the next start. */
  async close (): Promise<void> {
    this.#isClosed = true
    await this.refresh()
  }

  async #flush (): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#turns.run(async () => {
      const { indexFile } = this.#components.layout
      const text = await this.#render()
      this.#written ??= await readIfThere(indexFile)
      if (text === this.#written) return
      await writeDurably(indexFile, Buffer.from(text), `${indexFile}.tmp`)
      this.#written = text
    })
  }

  #schedule (delayMs: number): void {
    if (this.#isClosed) return
    // The first change sets the time, so that many in a row cannot put it off.
    this.#timer ??= setTimeout(async () => {
      this.#timer = undefined
      await this.refresh()
    }, delayMs).unref()
  }

  async #render (): Promise<string> {
    const { links, records } = this.#components
    const manifests = []
    for await (const { repository, tag, record } of links.allTags()) {
      const here = (await records.get(record.digest))?.record
      if (here?.kind !== 'manifest') continue
      manifests.push({
        mediaType: here.mediaType ?? record.mediaType,
        digest: record.digest,
        size: here.size,
        annotations: { 'org.opencontainers.image.ref.name': `${repository}:${tag}` }
      })
    }
    return JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }, undefined, 2)
  }
}

async function readIfThere (path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
