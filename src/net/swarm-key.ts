import { createHash } from 'node:crypto'
import { SwarmKeyError } from './node-error.ts'

const HEADER = '/key/swarm/psk/1.0.0/'
const ENCODING = '/base16/'
const KEY = /^[0-9a-f]{64}$/i
const FINGERPRINT_LENGTH = 16

export interface SwarmKey {
  /** The key file's text in its standard form, as libp2p's pnet takes it. */
  readonly file: Uint8Array
  /** 16 hex digits that name the swarm and give nothing of the key away. */
  readonly fingerprint: string
}

/**
 * Reads a swarm key in the format that libp2p implementations share (specs/pnet, "Pre-shared Key V1").
 * @throws SwarmKeyError
 */
export function parseSwarmKey (input: Uint8Array | string): SwarmKey {
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('utf8')
  const lines = text.split(/\r\n|\r|\n/).map(line => line.trim()).filter(line => line !== '')
  if (lines[0] !== HEADER) throw new SwarmKeyError(`its first line is not ${HEADER}`)
  if (lines[1] !== ENCODING) throw new SwarmKeyError(`its second line is not ${ENCODING}`)
  const key = lines[2] ?? ''
  // The key is a secret: no message quotes it.
  if (!KEY.test(key)) throw new SwarmKeyError(`its third line, of ${key.length} characters, is not 64 hexadecimal digits`)
  if (lines.length > 3) throw new SwarmKeyError(`it has ${lines.length} lines`)
  const hex = key.toLowerCase()
  return {
    file: Buffer.from(`${HEADER}\n${ENCODING}\n${hex}`),
    fingerprint: createHash('sha256').update('shoal swarm key fingerprint\n').update(Buffer.from(hex, 'hex')).digest('hex').slice(0, FINGERPRINT_LENGTH)
  }
}
