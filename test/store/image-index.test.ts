import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Digest } from '../../src/oci/digest.ts'
import { buildImage, type TestManifest } from '../support/image.ts'
import { runCommand } from '../../scenarios/live/child-process.ts'
import { requireCommands } from '../support/requires.ts'
import { until } from '../../scenarios/live/until.ts'
import { publicBlob } from './store-contract.ts'
import { StoreDirectory } from './store-directory.ts'

interface Index { readonly manifests: ReadonlyArray<{ readonly digest: Digest, readonly size: number, readonly mediaType: string, readonly annotations: Readonly<Record<string, string>> }> }

const REPOSITORY = 'docker.io/library/alpine'

let directory: StoreDirectory
beforeEach(async () => { directory = await StoreDirectory.make() })
afterEach(async () => { await directory.close() })

async function readIndex (): Promise<Index> {
  return JSON.parse(await readFile(join(directory.path, 'index.json'), 'utf8')) as Index
}

async function names (): Promise<Array<string | undefined>> {
  return (await readIndex()).manifests.map(manifest => manifest.annotations['org.opencontainers.image.ref.name'])
}

function tagOf (manifest: TestManifest): { digest: Digest, mediaType: string, size: number, resolvedAt: number } {
  return { digest: manifest.digest, mediaType: manifest.mediaType, size: manifest.bytes.length, resolvedAt: 1 }
}

describe('the data directory', () => {
  it('is an OCI image layout from the start', async () => {
    await directory.open()
    expect(JSON.parse(await readFile(join(directory.path, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' })
    expect(await readIndex()).toEqual({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] })
  })

  it('lists the tags whose manifests are here, by their full names', async () => {
    const { index } = await buildImage()
    const store = await directory.open({ indexDelayMs: 1 })
    await store.links.setTag(REPOSITORY, '3', tagOf(index))
    await store.links.setTag(REPOSITORY, 'absent', { ...tagOf(index), digest: `sha256:${'0'.repeat(64)}` as Digest })
    await store.put(index.digest, index.bytes, { kind: 'manifest', access: 'public', mediaType: index.mediaType })
    await until(async () => (await readIndex()).manifests.length === 1, { what: 'the tag in index.json' })
    expect((await readIndex()).manifests).toEqual([{
      mediaType: index.mediaType,
      digest: index.digest,
      size: index.bytes.length,
      annotations: { 'org.opencontainers.image.ref.name': `${REPOSITORY}:3` }
    }])
    await store.links.setTag(REPOSITORY, 'latest', tagOf(index))
    await until(async () => (await names()).length === 2, { what: 'both tags in index.json' })
    await store.links.removeTag(REPOSITORY, '3')
    await until(async () => (await names()).length === 1, { what: 'one tag less in index.json' })
    expect(await names()).toEqual([`${REPOSITORY}:latest`])
    await store.remove(index.digest)
    await until(async () => (await names()).length === 0, { what: 'no tag in index.json' })
  })

  it('lists a tag whose manifest was written by a process that was killed before it could note it', async () => {
    const { index } = await buildImage()
    const store = await directory.open({ indexDelayMs: 1 })
    await store.links.setTag(REPOSITORY, '3', tagOf(index))
    await directory.closeStore()
    await writeFile(directory.blob(index.digest), index.bytes)
    const next = await directory.open({ indexDelayMs: 1 })
    expect(await names()).toEqual([])
    expect(await next.stat(index.digest)).toMatchObject({ kind: 'manifest' })
    await until(async () => (await names()).length === 1, { what: 'the tag in index.json' })
    expect(await names()).toEqual([`${REPOSITORY}:3`])
  })

  it('is up to date when the store is closed', async () => {
    const { index } = await buildImage()
    const store = await directory.open({ indexDelayMs: 3_600_000 })
    await store.put(index.digest, index.bytes, { kind: 'manifest', access: 'public', mediaType: index.mediaType })
    await store.links.setTag(REPOSITORY, '3', tagOf(index))
    await directory.closeStore()
    expect(await names()).toEqual([`${REPOSITORY}:3`])
  })

  it('gets its index back when the store is opened', async () => {
    const { index } = await buildImage()
    const store = await directory.open()
    await store.put(index.digest, index.bytes, { kind: 'manifest', access: 'public', mediaType: index.mediaType })
    await store.links.setTag(REPOSITORY, '3', tagOf(index))
    await directory.closeStore()
    await rm(join(directory.path, 'index.json'))
    await directory.open()
    expect(await names()).toEqual([`${REPOSITORY}:3`])
    await directory.closeStore()
    await writeFile(join(directory.path, 'index.json'), '{"schemaVersion":2,"manife')
    await directory.open()
    expect(await names()).toEqual([`${REPOSITORY}:3`])
  })

  describe.skipIf(requireCommands('skopeo', 'setpriv') !== undefined)('with skopeo', () => {
    it('gives up its images by name', async () => {
      const image = await buildImage()
      const store = await directory.open()
      for (const [digest, bytes] of image.blobs) await store.put(digest, bytes, publicBlob)
      for (const manifest of [...image.manifests, image.index]) await store.put(manifest.digest, manifest.bytes, { kind: 'manifest', access: 'public', mediaType: manifest.mediaType })
      await store.links.setTag(REPOSITORY, '3', tagOf(image.index))
      await store.links.setTag('localhost:5000/single', 'v1', tagOf(image.manifests[0]!))
      await directory.closeStore()
      for (const reference of [`${REPOSITORY}:3`, 'localhost:5000/single:v1']) {
        const target = join(directory.path, encodeURIComponent(reference))
        await runCommand('skopeo', ['--override-arch', 'amd64', '--override-os', 'linux', 'copy', `oci:${directory.path}:${reference}`, `dir:${target}`])
        expect(await readFile(join(target, 'manifest.json'))).toEqual(image.manifests[0]?.bytes)
      }
    })
  })
})
