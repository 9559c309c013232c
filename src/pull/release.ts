import type { SourcedSpan } from '../store/store.ts'
import { lastPieceStart, MIN_PIECE_LENGTH } from '../swarm/pieces.ts'

export interface ReleaseFacts {
  readonly spans: readonly SourcedSpan[]
  /** Bytes [0, edge) are readable. */
  readonly edge: number
  readonly size: number | undefined
  /** The whole blob matches its digest. */
  readonly isVerified: boolean
}

/** End of the bytes from 0 that came straight from the origin. */
export function trustedEdge (spans: readonly SourcedSpan[]): number {
  const first = spans.find(span => span.source !== 'origin')
  return first?.start ?? spans.at(-1)?.end ?? 0
}

/**
 * Bytes [0, n) may be given to clients. Before the whole blob matches: what came straight from the origin, but never
 * the last piece, so that no client ever gets a complete response with wrong bytes. Afterwards: everything.
 */
export function releasableEdge ({ spans, edge, size, isVerified }: ReleaseFacts): number {
  if (isVerified) return edge
  const held = size === undefined ? edge - MIN_PIECE_LENGTH : lastPieceStart(size)
  return Math.max(0, Math.min(edge, trustedEdge(spans), held))
}
