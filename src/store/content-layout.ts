import { readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { digestAlgorithm, digestHex, isDigest, type Digest } from '../oci/digest.ts'
import { writeDurably } from './durable-file.ts'
import { isMissing, writing } from './fs-errors.ts'
import { makeDirectory } from './make-directory.ts'
import { StoreUnwritableError } from './store-errors.ts'

const PARTIAL_NAME = /^(sha256|sha512)-([0-9a-f]+)(\.journal)?$/
const LAYOUT_FILE = JSON.stringify({ imageLayoutVersion: '1.0.0' })

/** A file of `partial/` that belongs to a blob on its way in. */
export interface PartialFile {
  readonly digest: Digest
  readonly isJournal: boolean
  readonly path: string
}

/** Names every path of a data directory: an OCI image layout (image spec 1.1, image-layout.md) with three rooms of our own. */
export class ContentLayout {
  readonly root: string
  readonly layoutFile: string
  readonly indexFile: string
  readonly blobs: string
  readonly partials: string
  readonly quarantine: string
  readonly database: string
  #names = 0

  constructor (root: string) {
    this.root = root
    this.layoutFile = join(root, 'oci-layout')
    this.indexFile = join(root, 'index.json')
    this.blobs = join(root, 'blobs')
    this.partials = join(root, 'partial')
    this.quarantine = join(root, 'quarantine')
    this.database = join(root, 'db', 'store')
  }

  blobDirectory (digest: Digest): string {
    return join(this.blobs, digestAlgorithm(digest))
  }

  blob (digest: Digest): string {
    return join(this.blobDirectory(digest), digestHex(digest))
  }

  partial (digest: Digest): string {
    return join(this.partials, fileName(digest))
  }

  journal (digest: Digest): string {
    return `${this.partial(digest)}.journal`
  }

  /** A new name for a file that means nothing after a restart. */
  temporary (digest: Digest): string {
    return `${this.partial(digest)}.${this.#names++}.tmp`
  }

  quarantined (digest: Digest, at: number): string {
    return join(this.quarantine, `${at}-${fileName(digest)}`)
  }

  /** @throws StoreUnwritableError, StoreFullError */
  async makeDirectories (): Promise<void> {
    const directories = [join(this.blobs, 'sha256'), join(this.blobs, 'sha512'), this.partials, this.quarantine, this.database]
    for (const path of directories) {
      await writing(path, async () => {
        await makeDirectory(path).catch((cause: unknown) => { throw isMissing(cause) ? new StoreUnwritableError(path, { cause }) : cause })
      })
    }
  }

  /** Says what the directory is, unless it does already: a full disk must not keep anybody from what lies there. */
  async writeLayoutFile (): Promise<void> {
    const present = await readFile(this.layoutFile, 'utf8').catch(() => undefined)
    if (present !== LAYOUT_FILE) await writeDurably(this.layoutFile, Buffer.from(LAYOUT_FILE), `${this.layoutFile}.tmp`)
  }

  async partialFiles (): Promise<PartialFile[]> {
    const files: PartialFile[] = []
    for (const name of await readdir(this.partials)) {
      const match = PARTIAL_NAME.exec(name)
      const digest = `${match?.[1]}:${match?.[2]}`
      if (isDigest(digest)) files.push({ digest, isJournal: match?.[3] !== undefined, path: join(this.partials, name) })
    }
    return files
  }

  /** Deletes what a killed process left half-written. Only for the one who holds the database's lock. */
  async removeTemporaries (): Promise<void> {
    for (const directory of [this.root, this.partials, dirname(this.database)]) {
      for (const name of await readdir(directory)) {
        if (name.endsWith('.tmp')) await rm(join(directory, name), { force: true })
      }
    }
  }
}

function fileName (digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}`
}
