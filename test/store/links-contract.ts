import { expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import type { StoreUnderTest } from './store-contract.ts'

/** What the links of every store do. */
export function describeLinks (subject: () => StoreUnderTest): void {
  const [a, b, c] = ['a', 'b', 'c'].map(text => digestOf(Buffer.from(text))) as [ReturnType<typeof digestOf>, ReturnType<typeof digestOf>, ReturnType<typeof digestOf>]
  const mediaType = 'application/vnd.oci.image.index.v1+json'

  it('knows which digest belongs to which repository', async () => {
    await subject().store.links.link('docker.io/library/alpine', [a, b])
    await subject().store.links.link('docker.io/library/alpine', [b, c])
    await subject().store.links.link('docker.io/library/alpine-extra', [c])
    await subject().reopen()
    const { links } = subject().store
    expect(await links.isLinked('docker.io/library/alpine', a)).toBe(true)
    expect(await links.isLinked('docker.io/library/alpine-extra', a)).toBe(false)
    expect(await links.isLinked('docker.io/library', a)).toBe(false)
    expect((await links.linked('docker.io/library/alpine')).sort()).toEqual([a, b, c].sort())
    expect(await links.linked('docker.io/library/alpine-extra')).toEqual([c])
    expect(await links.linked('docker.io/library')).toEqual([])
  })

  it('lists the repositories that have links or tags, once each', async () => {
    await subject().store.links.link('ghcr.io/b', [a])
    await subject().store.links.link('ghcr.io/b', [b])
    await subject().store.links.setTag('docker.io/a', 'latest', { digest: a, mediaType, size: 1, resolvedAt: 1 })
    await subject().reopen()
    expect(await subject().store.links.repositories()).toEqual(['docker.io/a', 'ghcr.io/b'])
  })

  it('remembers what a tag said last', async () => {
    const record = { digest: a, mediaType, size: 10, resolvedAt: 1 }
    await subject().store.links.setTag('docker.io/a', '3', record)
    await subject().store.links.setTag('docker.io/a', '3', { ...record, digest: b, resolvedAt: 2 })
    await subject().reopen()
    expect(await subject().store.links.tag('docker.io/a', '3')).toEqual({ ...record, digest: b, resolvedAt: 2 })
    expect(await subject().store.links.tag('docker.io/a', '4')).toBeUndefined()
    expect(await subject().store.links.tag('docker.io/b', '3')).toBeUndefined()
  })

  it('lists the tags of a repository in lexical order, without those removed', async () => {
    const record = { digest: a, mediaType, size: 10, resolvedAt: 1 }
    for (const tag of ['latest', '3.10', '3.9', 'Z', '_x', 'gone']) await subject().store.links.setTag('docker.io/a', tag, record)
    await subject().store.links.setTag('docker.io/a/b', 'nested', record)
    await subject().store.links.removeTag('docker.io/a', 'gone')
    await subject().store.links.removeTag('docker.io/a', 'never')
    await subject().reopen()
    expect(await subject().store.links.tags('docker.io/a')).toEqual(['3.10', '3.9', 'Z', '_x', 'latest'])
    expect(await subject().store.links.tags('docker.io/none')).toEqual([])
  })

  it('knows a blob from the descriptor that named it, in that repository', async () => {
    const layer = { digest: a, size: 7, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', kind: 'blob' } as const
    await subject().store.links.describe('docker.io/a', [layer, { digest: b, size: 2, mediaType, kind: 'manifest' }])
    await subject().store.links.describe('docker.io/a', [])
    await subject().store.links.describe('docker.io/other', [{ ...layer, digest: b, size: 9 }])
    await subject().reopen()
    const { links } = subject().store
    expect(await links.descriptor('docker.io/a', a)).toEqual(layer)
    expect(await links.descriptor('docker.io/a', b)).toMatchObject({ size: 2 })
    expect(await links.descriptor('docker.io/a', c)).toBeUndefined()
    expect(await links.descriptor('docker.io/other', a)).toBeUndefined()
    expect(await links.descriptor('docker.io/other', b)).toMatchObject({ size: 9 })
  })
}
