import { createHash, generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto'

/** ecdsa-with-SHA256: RFC 5758, section 3.2. */
const ECDSA_WITH_SHA256 = '2a8648ce3d040302'
/** id-at-commonName: RFC 5280, appendix A.1. */
const COMMON_NAME = '550403'
const NAME = 'shoal'
/** Only the fingerprint counts, and hosts' clocks are wrong: valid always (RFC 5280, section 4.1.2.5). */
const NOT_BEFORE = '700101000000Z'
const NOT_AFTER = '99991231235959Z'
const SERIAL = 1

const TAG = { integer: 0x02, bitString: 0x03, oid: 0x06, utf8String: 0x0c, utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30, set: 0x31 } as const

export interface LaneCertificate {
  /** PEM. */
  readonly cert: string
  /** PEM of the private key, PKCS#8. */
  readonly key: string
  /** sha256 of the certificate in DER. */
  readonly fingerprint: Uint8Array
}

/**
 * A new ECDSA P-256 key and a certificate for it, signed by itself. Written in DER here, 300 bytes of a fixed shape, of
 * which nothing but the hash is ever looked at: libraries for X.509 take 100 ms and 25 MB of each agent.
 */
export function makeLaneCertificate (): LaneCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const der = certificateOf(publicKey, privateKey)
  return {
    cert: new X509Certificate(der).toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: fingerprintOf(der)
  }
}

/** sha256 of a certificate in DER. */
export function fingerprintOf (der: Uint8Array): Uint8Array {
  return createHash('sha256').update(der).digest()
}

/** Certificate of version 1, which has no extensions: RFC 5280, section 4.1. */
function certificateOf (publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const algorithm = sequence(der(TAG.oid, Buffer.from(ECDSA_WITH_SHA256, 'hex')))
  const commonName = sequence(der(TAG.oid, Buffer.from(COMMON_NAME, 'hex')), der(TAG.utf8String, Buffer.from(NAME)))
  const name = sequence(der(TAG.set, commonName))
  const validity = sequence(der(TAG.utcTime, Buffer.from(NOT_BEFORE)), der(TAG.generalizedTime, Buffer.from(NOT_AFTER)))
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const toBeSigned = sequence(der(TAG.integer, Buffer.of(SERIAL)), algorithm, name, validity, name, key)
  const signature = sign('sha256', toBeSigned, privateKey)
  return sequence(toBeSigned, algorithm, der(TAG.bitString, Buffer.concat([Buffer.of(0), signature])))
}

function sequence (...members: Buffer[]): Buffer {
  return der(TAG.sequence, Buffer.concat(members))
}

/** Tag, length, content: X.690, sections 8.1 and 10.1. Up to 65535 bytes. */
function der (tag: number, content: Buffer): Buffer {
  const { length } = content
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}
