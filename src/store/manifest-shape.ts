/** What a manifest found without its record is, by its own words: image spec 1.1, manifest.md and image-index.md. Undefined for anything else. */
export function manifestMediaType (bytes: Uint8Array): string | undefined {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('schemaVersion' in value) || value.schemaVersion !== 2) return undefined
  const isIndex = 'manifests' in value && Array.isArray(value.manifests)
  const isImage = 'layers' in value && Array.isArray(value.layers) && 'config' in value
  if (!isIndex && !isImage) return undefined
  if ('mediaType' in value && typeof value.mediaType === 'string') return value.mediaType
  return isIndex ? 'application/vnd.oci.image.index.v1+json' : 'application/vnd.oci.image.manifest.v1+json'
}
