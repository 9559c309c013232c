import { isDigest, shortDigest } from '../src/oci/digest.ts'
import { REDACTED, isSecretName, redactText } from './redact.ts'

/** Deeper than any field of ours; what lies below is left out. */
const MAX_DEPTH = 12

/**
 * A copy of a JSON value that may be logged: fields with a secret name emptied, every text redacted (names of fields too), bytes counted
 * instead of shown, digests in fields named so cut to 12 hex.
 */
export function redactFields (value: unknown, name = '', depth = 0): unknown {
  if (value === null || typeof value === 'boolean' || (value === '' && !isSecretName(name))) return value
  if (isSecretName(name)) return REDACTED
  if (typeof value === 'string') return name === 'digest' && isDigest(value) ? shortDigest(value) : redactText(value)
  if (typeof value !== 'object') return value
  if (depth === MAX_DEPTH) return '[too deep]'
  if (Array.isArray(value)) return redactArray(value, depth)
  const bytes = byteCount(value)
  if (bytes !== undefined) return `[${bytes} bytes]`
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [redactText(key), redactFields(part, key, depth + 1)]))
}

/** Headers come as `[name, value, name, value]` and `[[name, value]]` too. */
function redactArray (values: readonly unknown[], depth: number): unknown[] {
  return values.map((value, index) => {
    const before = values[index - 1]
    return redactFields(value, typeof before === 'string' && isSecretName(before) ? before : '', depth + 1)
  })
}

/** How JSON shows a Buffer or a Uint8Array. */
function byteCount (value: object): number | undefined {
  const { type, data } = value as { type?: unknown, data?: unknown }
  if (type === 'Buffer' && Array.isArray(data)) return data.length
  const keys = Object.keys(value)
  return keys.length > 0 && keys.every((key, index) => key === String(index)) && Object.values(value).every(part => typeof part === 'number') ? keys.length : undefined
}
