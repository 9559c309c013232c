import { equalLinksMs } from '../../scenarios/bound/equal-links.ts'
import { pieceLength } from '../../src/swarm/pieces.ts'

export interface BoundInit {
  /** Hosts that lack the image. */
  readonly hosts: number
  /** Up and down, of each host and of the origin. */
  readonly bytesPerSecond: number
  /** Sizes of the blobs of the image, in bytes. */
  readonly blobs: readonly number[]
}

/** Pieces of all blobs together, half as long as those that the swarm cuts where it may: its choice must not loosen its own bar. */
export function pieceCount (blobs: readonly number[]): number {
  return blobs.reduce((count, size) => count + Math.max(1, Math.ceil(size / pieceLength(size / 2))), 0)
}

/** T*, in seconds: that of a rehearsal, with shorter pieces. */
export function completionBound ({ hosts, bytesPerSecond, blobs }: BoundInit): number {
  const bytes = blobs.reduce((sum, size) => sum + size, 0)
  return equalLinksMs({ bytes, pieces: pieceCount(blobs), hosts, bytesPerSecond }) / 1000
}
