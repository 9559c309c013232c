import { describe, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { readManifest, type Descriptor } from '../../src/oci/manifest.ts'
import { EMPTY_DESCRIPTOR, MEDIA_TYPES } from '../../src/oci/media-types.ts'
import { referrerDescriptor, referrersIndex } from '../../src/oci/referrers.ts'

const SBOM = 'application/x.sbom'
const descriptor = (text: string, more: Partial<Descriptor> = {}): Descriptor => ({ mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(Buffer.from(text)), size: 1, ...more })

describe('referrersIndex', () => {
  it('is an index that a client reads, also when there are no referrers', () => {
    const { bytes, mediaType, filtered } = referrersIndex([])
    expect(readManifest(bytes, { mediaType })).toEqual({ type: 'index', mediaType: MEDIA_TYPES.ociIndex, manifests: [], annotations: {} })
    expect(filtered).toBe(false)
  })

  it('keeps what the descriptors say, each digest once', () => {
    const full = descriptor('a', { artifactType: SBOM, annotations: { a: 'b' }, platform: { os: 'windows', architecture: 'amd64', osVersion: '10' } })
    const { bytes } = referrersIndex([full, descriptor('b'), full])
    expect(readManifest(bytes)).toMatchObject({ manifests: [full, descriptor('b')] })
  })

  it('does not write what was only derived', () => {
    const { bytes } = referrersIndex([descriptor('a', { foreign: true })])
    expect(Buffer.from(bytes).toString()).not.toContain('foreign')
  })

  it('filters by artifact type and says so', () => {
    const wanted = descriptor('a', { artifactType: SBOM })
    const { bytes, filtered } = referrersIndex([wanted, descriptor('b'), descriptor('c', { artifactType: 'application/x.other' })], SBOM)
    expect(filtered).toBe(true)
    expect(readManifest(bytes)).toMatchObject({ manifests: [wanted] })
  })

  it('takes an empty filter for none', () => {
    const { bytes, filtered } = referrersIndex([descriptor('a')], '')
    expect(filtered).toBe(false)
    expect(readManifest(bytes)).toMatchObject({ manifests: [descriptor('a')] })
  })
})

describe('referrerDescriptor', () => {
  const read = (more: object) => readManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, config: EMPTY_DESCRIPTOR, layers: [], ...more })))
  const { digest } = descriptor('x')

  it('carries the artifact type and the annotations of the manifest', () => {
    expect(referrerDescriptor(read({ artifactType: SBOM, annotations: { a: 'b' } }), digest, 9))
      .toEqual({ mediaType: MEDIA_TYPES.ociManifest, digest, size: 9, artifactType: SBOM, annotations: { a: 'b' } })
  })

  it('falls back to the media type of the config', () => {
    expect(referrerDescriptor(read({}), digest, 9)).toEqual({ mediaType: MEDIA_TYPES.ociManifest, digest, size: 9, artifactType: MEDIA_TYPES.ociEmpty })
  })

  it('gives an index without artifact type none', () => {
    const index = readManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [] })))
    expect(referrerDescriptor(index, digest, 9)).toEqual({ mediaType: MEDIA_TYPES.ociIndex, digest, size: 9 })
  })
})
