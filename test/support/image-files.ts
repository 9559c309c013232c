import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { blobOf, platformImage } from './platform-image.ts'
import type { TestImage } from './image.ts'

/** SHA-256 (hex) of every regular file by its path, as a container would see them. */
export type ImageFiles = ReadonlyMap<string, string>

/** What is in the image, told from its own layers. */
export async function filesOfImage (image: TestImage, architecture?: string): Promise<ImageFiles> {
  const { layers } = platformImage(image, architecture)
  return filesOfLayers(layers.map(digest => Readable.from([blobOf(image, digest)])))
}

/** What is in a stack of gzipped layers, lowest first. */
export async function filesOfLayers (layers: Iterable<Readable>): Promise<ImageFiles> {
  const files = new Map<string, string>()
  for (const layer of layers) {
    const tar = extract()
    const unpacked = pipeline(layer, createGunzip(), tar)
    for await (const entry of tar) {
      const hash = createHash('sha256')
      for await (const chunk of entry) hash.update(chunk as Buffer)
      if (entry.header.type === 'file') files.set(entry.header.name, hash.digest('hex'))
    }
    await unpacked
  }
  return files
}

/**
 * What a client unpacked: of all directories below `parent`, one a layer with all that lies below it, the fullest.
 * Storage drivers that copy (vfs, native) lay them out so.
 */
export async function filesOfTopTree (parent: string): Promise<ImageFiles> {
  const trees = await Promise.all((await readdir(parent)).map(name => filesOfTree(join(parent, name))))
  return trees.reduce((fullest, tree) => tree.size > fullest.size ? tree : fullest, new Map<string, string>())
}

async function filesOfTree (root: string): Promise<ImageFiles> {
  const files = new Map<string, string>()
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
    files.set(relative(root, path), hash.digest('hex'))
  }
  return files
}
