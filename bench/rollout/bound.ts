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

/**
 * T*, in seconds: no schedule brings F bytes in M pieces to N hosts of U bytes/s any sooner than
 * F/U · (1 + floor(log2 N)/M). Mundinger, Weber, Weiss: Optimal scheduling of peer-to-peer file dissemination (2008).
 */
export function completionBound ({ hosts, bytesPerSecond, blobs }: BoundInit): number {
  const bytes = blobs.reduce((sum, size) => sum + size, 0)
  return bytes / bytesPerSecond * (1 + Math.floor(Math.log2(hosts)) / pieceCount(blobs))
}
