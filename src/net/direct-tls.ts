import type { SecureContextOptions } from 'node:tls'

/**
 * TLS of both ends. AES with 128 bits is the cheapest where the processor has instructions for it, as nearly all have;
 * X25519 alone keeps the handshake small.
 */
export const LANE_TLS = {
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
  ecdhCurve: 'X25519'
} as const satisfies SecureContextOptions

/** Bytes of a token. */
export const TOKEN_BYTES = 32

/** The answer to a token that was taken; any other gets none, but the end. */
export const ACCEPTED = 1
