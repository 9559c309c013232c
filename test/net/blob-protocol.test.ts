import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BlobMessageError, decodeRequest, decodeResponse, encodeRequest, encodeResponse, MAX_MESSAGE_LENGTH, MAX_READ_LENGTH, type BlobRequest, type BlobResponse } from '../../src/net/blob-protocol.ts'
import { decodeVarint, encodeVarint } from '../../src/net/varint.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'

const digests: fc.Arbitrary<Digest> = fc.tuple(fc.uint8Array(), fc.constantFrom('sha256', 'sha512')).map(([bytes, algorithm]) => digestOf(bytes, algorithm))
const ids = fc.maxSafeNat().map(id => Math.max(1, id))
const kinds = fc.constantFrom('blob', 'manifest')
const requests: fc.Arbitrary<BlobRequest> = fc.oneof(
  fc.record({ operation: fc.constant('have'), id: ids, kind: kinds, digest: digests }),
  fc.record({ operation: fc.constant('read'), id: ids, kind: kinds, digest: digests, start: fc.maxSafeNat(), length: fc.integer({ min: 1, max: MAX_READ_LENGTH }) })
)
const responses: fc.Arbitrary<BlobResponse> = fc.record({
  id: ids,
  code: fc.constantFrom('ok', 'missing', 'denied', 'busy', 'bad-request'),
  size: fc.maxSafeNat(),
  restricted: fc.boolean(),
  length: fc.maxSafeNat()
})

describe('blob protocol', () => {
  it('reads back every request it wrote', () => {
    fc.assert(fc.property(requests, request => { expect(decodeRequest(withoutLength(encodeRequest(request)))).toEqual(request) }))
  })

  it('reads back every response it wrote', () => {
    fc.assert(fc.property(responses, response => { expect(decodeResponse(withoutLength(encodeResponse(response)))).toEqual(response) }))
  })

  it('announces the length of what follows', () => {
    fc.assert(fc.property(fc.oneof(requests.map(encodeRequest), responses.map(encodeResponse)), encoded => {
      const length = decodeVarint(encoded)
      expect(length).toMatchObject({ value: encoded.byteLength - (length as { end: number }).end })
      expect(encoded.byteLength).toBeLessThan(MAX_MESSAGE_LENGTH)
    }))
  })

  it('throws nothing but its own error for a message cut at any byte', () => {
    fc.assert(fc.property(requests, request => {
      const message = withoutLength(encodeRequest(request))
      for (let length = 0; length < message.byteLength; length++) decodesOrRefuses(() => decodeRequest(message.subarray(0, length)))
    }), { numRuns: 30 })
  })

  it('throws nothing but its own error for arbitrary bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), bytes => {
      decodesOrRefuses(() => decodeRequest(bytes))
      decodesOrRefuses(() => decodeResponse(bytes))
    }), { numRuns: 2_000 })
  })

  it('skips fields it does not know, wherever they are', () => {
    const unknown = fc.oneof(
      fc.tuple(fc.integer({ min: 9, max: 1_000 }), fc.maxSafeNat()).map(([field, value]) => [...encodeVarint(field * 8), ...encodeVarint(value)]),
      fc.tuple(fc.integer({ min: 9, max: 1_000 }), fc.uint8Array({ maxLength: 20 })).map(([field, bytes]) => [...encodeVarint(field * 8 + 2), ...encodeVarint(bytes.byteLength), ...bytes])
    )
    fc.assert(fc.property(requests, unknown, unknown, (request, before, after) => {
      const message = Uint8Array.from([...before, ...withoutLength(encodeRequest(request)), ...after])
      expect(decodeRequest(message)).toEqual(request)
    }))
  })

  it.each<[string, Partial<Record<'id' | 'operation' | 'kind' | 'length', number>> & { digest?: string }, number | undefined]>([
    ['no id', { id: 0 }, undefined],
    ['an unknown operation', { operation: 3 }, 7],
    ['an unknown kind', { kind: 9 }, 7],
    ['no valid digest', { digest: 'sha256:abc' }, 7],
    ['a read of nothing', { length: 0 }, 7],
    ['a read of more than is allowed', { length: MAX_READ_LENGTH + 1 }, 7]
  ])('refuses a request with %s, naming its id where it has one', (_, change, id) => {
    const { id: own = 7, operation = 2, kind = 1, length = 1, digest = digestOf(new Uint8Array()) } = change
    const numbers = [[1, own], [2, operation], [3, kind], [6, length]].flatMap(([field = 0, value = 0]) => [field * 8, ...encodeVarint(value)])
    const message = Uint8Array.from([...numbers, 4 * 8 + 2, digest.length, ...Buffer.from(digest)])
    expect(() => decodeRequest(message)).toThrow(expect.objectContaining({ code: 'BLOB_MESSAGE_INVALID', id }))
  })

  it('refuses a message that is too long before it looks into it', () => {
    expect(() => decodeResponse(new Uint8Array(MAX_MESSAGE_LENGTH + 1))).toThrow(BlobMessageError)
  })
})

function withoutLength (encoded: Uint8Array): Uint8Array {
  return encoded.subarray((decodeVarint(encoded) as { end: number }).end)
}

function decodesOrRefuses (decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    expect(error).toBeInstanceOf(BlobMessageError)
  }
}
