import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { children, isManifestDescriptor, MAX_MANIFEST_BYTES, readManifest } from '../../src/oci/manifest.ts'
import { EMPTY_DESCRIPTOR, isIndexType, MEDIA_TYPES } from '../../src/oci/media-types.ts'
import { OciError } from '../../src/oci/oci-error.ts'

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const digest = (text: string) => digestOf(new TextEncoder().encode(text))
const config = { mediaType: MEDIA_TYPES.ociConfig, digest: digest('config'), size: 10 }
const layer = { mediaType: MEDIA_TYPES.ociLayerGzip, digest: digest('layer'), size: 20 }
const child = { mediaType: MEDIA_TYPES.ociManifest, digest: digest('child'), size: 30 }
const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [layer] }
const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [child] }
/** Without its own media type. */
const { mediaType: _manifestType, ...bareManifest } = manifest
const { mediaType: _indexType, ...bareIndex } = index

/** A manifest with a field nobody knows, so many levels deep. */
function nested (levels: number) {
  return new TextEncoder().encode(JSON.stringify({ ...manifest, unknown: 0 }).replace('"unknown":0', `"unknown":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}`))
}

function read (value: unknown, mediaType?: string) {
  return readManifest(encode(value), mediaType === undefined ? {} : { mediaType })
}

describe('readManifest', () => {
  it('reads an OCI manifest with all it carries', () => {
    const full = { ...manifest, subject: child, artifactType: 'application/x.sbom', annotations: { a: 'b' } }
    expect(read(full)).toEqual({ type: 'manifest', mediaType: MEDIA_TYPES.ociManifest, config, layers: [layer], subject: child, artifactType: 'application/x.sbom', annotations: { a: 'b' } })
  })

  it('reads an index with platforms', () => {
    const platform = { architecture: 'arm64', os: 'windows', variant: 'v8', 'os.version': '10.0', 'os.features': ['x'] }
    expect(read({ ...index, manifests: [{ ...child, platform, annotations: { k: 'v' }, data: 'e30=' }] })).toEqual({
      type: 'index',
      mediaType: MEDIA_TYPES.ociIndex,
      manifests: [{ ...child, platform: { architecture: 'arm64', os: 'windows', variant: 'v8', osVersion: '10.0' }, annotations: { k: 'v' } }],
      annotations: {}
    })
  })

  it.each([MEDIA_TYPES.dockerManifest, MEDIA_TYPES.ociManifest])('reads a manifest of the type %s', mediaType => {
    expect(read({ ...manifest, mediaType })).toMatchObject({ type: 'manifest', mediaType })
  })

  it.each([MEDIA_TYPES.dockerManifestList, MEDIA_TYPES.ociIndex])('reads an index of the type %s', mediaType => {
    expect(read({ ...index, mediaType })).toMatchObject({ type: 'index', mediaType })
  })

  it('takes the type from the Content-Type where the document has none', () => {
    expect(read(bareManifest, `${MEDIA_TYPES.dockerManifest}; charset=utf-8`).mediaType).toBe(MEDIA_TYPES.dockerManifest)
    expect(read(bareIndex, MEDIA_TYPES.dockerManifestList).mediaType).toBe(MEDIA_TYPES.dockerManifestList)
  })

  it('takes the type from the shape where nobody says it', () => {
    expect(read(bareManifest, 'application/json').mediaType).toBe(MEDIA_TYPES.ociManifest)
    expect(read(bareIndex).mediaType).toBe(MEDIA_TYPES.ociIndex)
    expect(read({ ...bareManifest, config: { ...config, mediaType: MEDIA_TYPES.dockerConfig } }).mediaType).toBe(MEDIA_TYPES.dockerManifest)
  })

  it('takes null, and an array Go had nothing for, as absent', () => {
    expect(read({ ...manifest, layers: null, manifests: null, annotations: null, subject: null, artifactType: '' })).toEqual({ type: 'manifest', mediaType: MEDIA_TYPES.ociManifest, config, layers: [], annotations: {} })
    expect(read({ ...index, manifests: null })).toMatchObject({ type: 'index', manifests: [] })
  })

  it('lets the last of duplicate keys count, and keeps duplicate descriptors', () => {
    const text = JSON.stringify({ ...manifest, layers: [layer, layer] }).replace('"schemaVersion":2', '"schemaVersion":1,"schemaVersion":2')
    expect(readManifest(new TextEncoder().encode(text))).toMatchObject({ layers: [layer, layer] })
  })

  it('keeps a harmless map harmless', () => {
    const text = JSON.stringify({ ...manifest, annotations: { a: 'b' } }).replace('"a":"b"', '"__proto__":"x","a":"b"')
    const { annotations } = readManifest(new TextEncoder().encode(text))
    expect(Object.getPrototypeOf(annotations)).toBe(Object.prototype)
    expect(Object.keys(annotations)).toEqual(['__proto__', 'a'])
  })

  it.each([
    ['an index that has layers', { ...index, layers: [layer] }, 'both'],
    ['an index that has a config', { ...index, config }, 'both'],
    ['a manifest that has manifests', { ...manifest, manifests: [] }, 'both'],
    ['neither shape', { schemaVersion: 2 }, 'neither'],
    ['schema 1 by its version', { schemaVersion: 1, fsLayers: [], history: [] }, 'schema 1'],
    ['schema 1 by its type', { ...manifest, mediaType: MEDIA_TYPES.dockerSchema1Signed }, 'schema 1'],
    ['no version', { ...manifest, schemaVersion: undefined }, 'schemaVersion'],
    ['a version as text', { ...manifest, schemaVersion: '2' }, 'schemaVersion'],
    ['the type of something else', { ...manifest, mediaType: 'application/vnd.oci.artifact.manifest.v1+json' }, 'mediaType'],
    ['a type that is no text', { ...manifest, mediaType: 2 }, 'mediaType'],
    ['the type of an index on a manifest', { ...manifest, mediaType: MEDIA_TYPES.ociIndex }, 'fields of a manifest'],
    ['the type of a manifest on an index', { ...index, mediaType: MEDIA_TYPES.dockerManifest }, 'fields of an index'],
    ['no config', { ...manifest, config: undefined }, 'config'],
    ['layers that are no array', { ...manifest, layers: { 0: layer } }, 'layers is not an array'],
    ['manifests that are no array', { ...index, manifests: 'x' }, 'manifests is not an array'],
    ['a layer that is no object', { ...manifest, layers: [layer, 'x'] }, 'layers[1]'],
    ['a layer that is an array', { ...manifest, layers: [[layer]] }, 'layers[0]'],
    ['a digest of an unknown algorithm', { ...manifest, config: { ...config, digest: 'md5:00' } }, 'config.digest'],
    ['a missing digest', { ...manifest, config: { ...config, digest: undefined } }, 'config.digest'],
    ['a missing media type', { ...manifest, layers: [{ ...layer, mediaType: undefined }] }, 'layers[0].mediaType'],
    ['a media type that splits a header', { ...manifest, layers: [{ ...layer, mediaType: 'a/b\r\nx: y' }] }, 'layers[0].mediaType'],
    ['a media type without end', { ...manifest, layers: [{ ...layer, mediaType: `a/${'b'.repeat(254)}` }] }, 'layers[0].mediaType'],
    ['annotations that are no texts', { ...manifest, annotations: { a: 1 } }, 'annotations'],
    ['annotations that are a list', { ...manifest, annotations: ['a'] }, 'annotations'],
    ['urls that are no list', { ...manifest, layers: [{ ...layer, urls: 'http://x' }] }, 'layers[0].urls'],
    ['a platform that is text', { ...index, manifests: [{ ...child, platform: 'linux' }] }, 'manifests[0].platform'],
    ['an architecture that is a number', { ...index, manifests: [{ ...child, platform: { architecture: 64 } }] }, 'manifests[0].platform.architecture'],
    ['a broken subject', { ...manifest, subject: {} }, 'subject'],
    ['an array', [manifest], 'not an object'],
    ['null', null, 'not an object']
  ])('refuses %s', (_, value, words) => {
    expect(() => read(value)).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID', status: 400, message: expect.stringContaining(words) as string }))
  })

  it.each([-1, 1.5, 2 ** 53, '10', null, undefined])('refuses the size %s', size => {
    expect(() => read({ ...manifest, layers: [layer, { ...layer, size }] })).toThrow(expect.objectContaining({ code: 'SIZE_INVALID', status: 400, message: expect.stringContaining('layers[1].size') as string }))
  })

  it('refuses a Content-Type that says something else', () => {
    expect(() => read(manifest, MEDIA_TYPES.dockerManifest)).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID' }))
    expect(() => read(bareManifest, MEDIA_TYPES.ociIndex)).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID' }))
    expect(() => read(manifest, MEDIA_TYPES.dockerSchema1)).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID' }))
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['HTML', new TextEncoder().encode('<html>')],
    ['text that is no UTF-8', Buffer.from(JSON.stringify({ ...manifest, annotations: { a: '\xff' } }), 'latin1')],
    ['a byte order mark', Uint8Array.of(0xef, 0xbb, 0xbf, ...encode(manifest))],
    ['a truncated document', encode(manifest).subarray(0, -1)],
    ['depth without end', new TextEncoder().encode('['.repeat(1_000_000))],
    ['more depth than a manifest has', nested(65)]
  ])('refuses %s', (_, bytes) => {
    expect(() => readManifest(bytes)).toThrow(expect.objectContaining({ code: 'MANIFEST_INVALID' }))
  })

  it('reads what is nested 64 levels deep', () => {
    expect(readManifest(nested(64)).type).toBe('manifest')
  })

  it('counts brackets within strings as text', () => {
    const annotations = { text: `${'['.repeat(200)}"\\${'{'.repeat(200)}` }
    expect(read({ ...manifest, annotations }).annotations).toEqual(annotations)
  })

  it('reads up to 4 MiB and no more', () => {
    const padded = (length: number) => { const bytes = new Uint8Array(length).fill(0x20); bytes.set(encode(manifest)); return bytes }
    expect(readManifest(padded(MAX_MANIFEST_BYTES)).type).toBe('manifest')
    expect(() => readManifest(padded(MAX_MANIFEST_BYTES + 1))).toThrow(expect.objectContaining({ code: 'SIZE_INVALID', status: 413 }))
  })

  it('refuses every truncation of a document', () => {
    const bytes = encode(manifest)
    for (let length = 0; length < bytes.length; length++) expect(() => readManifest(bytes.subarray(0, length))).toThrow(OciError)
  })

  it('throws nothing but OciError, and what it reads is consistent', () => {
    const types = fc.constantFrom(...Object.values(MEDIA_TYPES), 'application/json', '', 'x')
    const manifestTypes = fc.constantFrom(MEDIA_TYPES.ociManifest, MEDIA_TYPES.ociIndex)
    const junk = fc.jsonValue({ maxDepth: 2 }).map(value => value as unknown)
    const mostly = <T>(arbitrary: fc.Arbitrary<T>) => fc.oneof({ weight: 15, arbitrary: arbitrary.map(value => value as unknown) }, { weight: 1, arbitrary: junk })
    const descriptors = fc.record({ mediaType: mostly(types), digest: mostly(fc.constant(config.digest)), size: mostly(fc.nat()), urls: mostly(fc.constant([])), platform: mostly(fc.constant({})) }, { requiredKeys: ['mediaType', 'digest', 'size'] })
    const facts = { schemaVersion: mostly(fc.constant(2)), mediaType: mostly(manifestTypes), subject: mostly(descriptors), annotations: mostly(fc.constant({})), artifactType: mostly(types) }
    const lists = mostly(fc.array(mostly(descriptors), { maxLength: 3 }))
    const documents = fc.oneof(
      fc.record({ ...facts, config: mostly(descriptors), layers: lists }, { requiredKeys: ['schemaVersion', 'config'] }),
      fc.record({ ...facts, manifests: lists }, { requiredKeys: ['schemaVersion', 'manifests'] }),
      fc.record({ ...facts, config: mostly(descriptors), layers: lists, manifests: lists }, { requiredKeys: [] })
    )
    const inputs = fc.oneof(fc.uint8Array(), fc.json().map(text => new TextEncoder().encode(text)), documents.map(encode))
    let manifests = 0
    let indexes = 0
    fc.assert(fc.property(inputs, fc.oneof(fc.constant(undefined), manifestTypes, types), (bytes, mediaType) => {
      try {
        const document = readManifest(bytes, mediaType === undefined ? {} : { mediaType })
        expect(isIndexType(document.mediaType)).toBe(document.type === 'index')
        if (document.type === 'index') indexes++
        else manifests++
        for (const { size } of children(document)) expect(Number.isSafeInteger(size) && size >= 0).toBe(true)
      } catch (error) {
        if (!(error instanceof OciError)) throw error
        expect(['MANIFEST_INVALID', 'SIZE_INVALID']).toContain(error.code)
      }
    }), { numRuns: 3000 })
    expect(Math.min(manifests, indexes)).toBeGreaterThan(0)
  })
})

describe('children', () => {
  it('are config and layers of a manifest, each digest once', () => {
    expect(children(read({ ...manifest, layers: [layer, { ...layer, size: 21 }, config] }))).toEqual([config, layer])
    const artifact = { ...manifest, config: EMPTY_DESCRIPTOR, layers: [EMPTY_DESCRIPTOR] }
    expect(children(read(artifact))).toEqual([EMPTY_DESCRIPTOR])
  })

  it('are the manifests of an index, told from the blobs some indexes carry', () => {
    const [first, second] = children(read({ ...index, manifests: [child, layer] }))
    expect(first && isManifestDescriptor(first)).toBe(true)
    expect(second && isManifestDescriptor(second)).toBe(false)
  })

  it('do not include the subject', () => {
    expect(children(read({ ...manifest, subject: child }))).toEqual([config, layer])
  })

  it('are marked when their registry need not have them', () => {
    const foreign = { ...layer, digest: digest('foreign'), mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', urls: ['https://example.com/layer'] }
    const unreachable = { ...foreign, digest: digest('unreachable'), urls: [] }
    const [, ordinary, marked, without] = children(read({ ...manifest, layers: [{ ...layer, urls: ['https://example.com/x'] }, foreign, unreachable] }))
    expect(ordinary).not.toHaveProperty('foreign')
    expect(marked).toEqual({ ...foreign, foreign: true })
    expect(without).not.toHaveProperty('foreign')
  })
})
