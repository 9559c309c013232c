import { ociError, type OciError } from './oci-error.ts'

/** Deeper than any manifest is, shallow enough that a hostile one costs no memory worth naming. */
const MAX_DEPTH = 64
const [QUOTE, BACKSLASH, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d]
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export type JsonObject = Readonly<Record<string, unknown>>

/**
 * Strict UTF-8, no byte order mark, at most 64 levels, an object at the top. Of duplicate keys the last one counts.
 * @throws OciError MANIFEST_INVALID
 */
export function readJsonObject (bytes: Uint8Array): JsonObject {
  if (isTooDeep(bytes)) throw invalidManifest(`JSON is nested deeper than ${MAX_DEPTH} levels`)
  return asObject(parse(bytes), 'document')
}

/** @throws OciError MANIFEST_INVALID */
export function asObject (value: unknown, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidManifest(`${where} is not an object`)
  return value as JsonObject
}

/** Absent and null are the same: Go writes null for what it has not. @throws OciError MANIFEST_INVALID */
export function optionalString (value: unknown, where: string): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw invalidManifest(`${where} is not a string`)
  return value
}

/** @throws OciError MANIFEST_INVALID */
export function optionalArray (value: unknown, where: string): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) throw invalidManifest(`${where} is not an array`)
  return value as unknown[]
}

/** @throws OciError MANIFEST_INVALID */
export function optionalStringMap (value: unknown, where: string): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined
  const map = asObject(value, where)
  for (const [key, text] of Object.entries(map)) {
    if (typeof text !== 'string') throw invalidManifest(`${where}[${quoted(key)}] is not a string`)
  }
  return map as Readonly<Record<string, string>>
}

export function invalidManifest (what: string, cause?: unknown): OciError {
  return ociError('MANIFEST_INVALID', { message: `manifest invalid: ${what}`, cause })
}

/** For messages: what a stranger wrote, cut and escaped. */
export function quoted (text: string): string {
  return JSON.stringify(text.slice(0, 100))
}

function parse (bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch (cause) {
    throw invalidManifest('not JSON in UTF-8', cause)
  }
}

/** Looks at the bytes alone: in UTF-8 none of these characters is part of another. */
function isTooDeep (bytes: Uint8Array): boolean {
  let depth = 0
  let inString = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (inString) {
      if (byte === BACKSLASH) i++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > MAX_DEPTH) return true
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
  }
  return false
}
