import { createHash, type Hash } from 'node:crypto'
import { ShoalError } from '../errors.ts'

const HEX_LENGTH = { sha256: 64, sha512: 128 } as const
const DIGEST = /^(sha256|sha512):([0-9a-f]+)$/
const SHORT_HEX_LENGTH = 12

declare const digestBrand: unique symbol

/** `sha256:<64 hex>` or `sha512:<128 hex>`, lower case: OCI image spec 1.1, descriptor.md, "Digests". Made by `parseDigest` and `digestOf` only. */
export type Digest = string & { readonly [digestBrand]: true }
export type DigestAlgorithm = keyof typeof HEX_LENGTH

/** The text is not a digest of an algorithm we verify. */
export class InvalidDigestError extends ShoalError {
  override readonly code = 'DIGEST_INVALID'
  readonly text: string

  constructor (text: string) {
    super(`invalid digest ${JSON.stringify(text.slice(0, 200))}: expected sha256:<64 hex> or sha512:<128 hex>, lower case`)
    this.text = text
  }
}

export function isDigest (text: string): text is Digest {
  const match = DIGEST.exec(text)
  return match !== null && match[2]?.length === HEX_LENGTH[match[1] as DigestAlgorithm]
}

/** @throws InvalidDigestError */
export function parseDigest (text: string): Digest {
  if (!isDigest(text)) throw new InvalidDigestError(text)
  return text
}

export function digestAlgorithm (digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(':')) as DigestAlgorithm
}

/** The hex part, 64 or 128 characters. */
export function digestHex (digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1)
}

/** The first 12 hex characters, for people and logs. */
export function shortDigest (digest: Digest): string {
  return digestHex(digest).slice(0, SHORT_HEX_LENGTH)
}

export function digestOf (bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return finishDigest(createHash(algorithm).update(bytes), algorithm)
}

/** Ends a running hash and names its result. */
export function finishDigest (hash: Hash, algorithm: DigestAlgorithm): Digest {
  return `${algorithm}:${hash.digest('hex')}` as Digest
}
