import { attestedHash, decodeAttestation, type Attestation } from '../net/swarm-attestation.ts'
import type { PartialBlob } from '../store/store.ts'
import { pieceLength, pieceSpan } from '../swarm/pieces.ts'

/** Attestations longer than this, in bytes, are not noted: the journal would grow by more than the pieces are worth. */
const MAX_NOTED_BYTES = 2048

/** Pieces of which every byte is here. */
export function heldPieces (partial: PartialBlob, size: number): number[] {
  const pieces: number[] = []
  const length = pieceLength(size)
  for (let start = 0; start < size; start += length) {
    if (partial.has({ start, end: Math.min(size, start + length) })) pieces.push(start / length)
  }
  return pieces
}

/** Held pieces that are not the origin's alone, and what members said of them, as it was noted. */
export function vouchedPieces (partial: PartialBlob, size: number, held: Iterable<number>): Map<number, Attestation | undefined> {
  const pieces = [...held]
  const vouched = new Map<number, Attestation | undefined>()
  for (const { start, end, source } of partial.spans) {
    if (source === 'origin') continue
    for (const piece of pieces) {
      const span = pieceSpan(size, piece)
      if (span.start < end && span.end > start) vouched.set(piece, undefined)
    }
  }
  for (const { start, end, sha256, note } of partial.confirmed) {
    const piece = start / pieceLength(size)
    const attestation = vouched.has(piece) && note !== undefined && note !== '' ? noted(note) : undefined
    const hash = attestation === undefined || end !== pieceSpan(size, piece).end ? undefined : attestedHash(attestation, piece)
    if (hash !== undefined && Buffer.from(hash).toString('hex') === sha256) vouched.set(piece, attestation)
  }
  return vouched
}

/** What is noted beside a piece, so that a restart knows who vouches for it. */
export function noteOf ({ bytes }: Attestation): string {
  return bytes.length > MAX_NOTED_BYTES ? '' : Buffer.from(bytes).toString('base64')
}

function noted (note: string): Attestation | undefined {
  try {
    return decodeAttestation(Buffer.from(note, 'base64'))
  } catch {
    return undefined
  }
}
