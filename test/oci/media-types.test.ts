import { describe, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { EMPTY_DESCRIPTOR, isIndexType, isManifestType, isNonDistributableType, isSchema1Type, MANIFEST_ACCEPT, MEDIA_TYPES, mediaTypeEssence } from '../../src/oci/media-types.ts'

describe('media types', () => {
  it('are compared without parameters and case', () => {
    expect(mediaTypeEssence(' Application/JSON ; charset=utf-8')).toBe('application/json')
    expect(mediaTypeEssence(undefined)).toBe('')
    expect(isManifestType(`${MEDIA_TYPES.ociManifest.toUpperCase()}; charset=utf-8`)).toBe(true)
  })

  it('tell manifests and indexes from all else', () => {
    for (const type of [MEDIA_TYPES.ociManifest, MEDIA_TYPES.dockerManifest]) {
      expect(isManifestType(type)).toBe(true)
      expect(isIndexType(type)).toBe(false)
    }
    for (const type of [MEDIA_TYPES.ociIndex, MEDIA_TYPES.dockerManifestList]) {
      expect(isManifestType(type)).toBe(true)
      expect(isIndexType(type)).toBe(true)
    }
    for (const type of [undefined, '', MEDIA_TYPES.ociConfig, MEDIA_TYPES.ociLayerGzip, MEDIA_TYPES.dockerSchema1, 'application/json']) expect(isManifestType(type)).toBe(false)
  })

  it('know schema 1, signed or not', () => {
    expect(isSchema1Type(MEDIA_TYPES.dockerSchema1)).toBe(true)
    expect(isSchema1Type(MEDIA_TYPES.dockerSchema1Signed)).toBe(true)
    expect(isSchema1Type(MEDIA_TYPES.dockerManifest)).toBe(false)
  })

  it('ask origins for every manifest type but schema 1', () => {
    const types = MANIFEST_ACCEPT.split(', ')
    expect(types).toHaveLength(4)
    expect(types.every(type => isManifestType(type))).toBe(true)
    expect(types.some(type => isSchema1Type(type))).toBe(false)
  })

  it('know layers a registry need not have', () => {
    for (const type of ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'application/vnd.oci.image.layer.nondistributable.v1.tar']) {
      expect(isNonDistributableType(type)).toBe(true)
    }
    expect(isNonDistributableType(MEDIA_TYPES.dockerLayerGzip)).toBe(false)
  })

  it('give the empty descriptor its right digest', () => {
    expect(EMPTY_DESCRIPTOR).toMatchObject({ digest: digestOf(new TextEncoder().encode('{}')), size: 2 })
  })
})
