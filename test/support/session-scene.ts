import { Bitfield } from '../../src/swarm/bitfield.ts'
import type { MemberFacts } from '../../src/swarm/member.ts'
import { OwnershipSeed } from '../../src/swarm/ownership.ts'
import { PieceGroups } from '../../src/swarm/piece-groups.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { Session, type DecideInit, type Decision, type SessionInit } from '../../src/swarm/session.ts'

const DIGEST = 'sha256:scene'
const SELF = 'self'
const LARGE_PIECES = 16
/** Of pieces of the least length. */
const GROUPS = new PieceGroups(MIN_PIECE_LENGTH)

/** A session of our own to be told facts, with its decisions in words: `ask a 3`, `cancel a 3`, `take 0-4`. */
export class SessionScene {
  readonly session: Session

  constructor (pieces: number, init: Partial<SessionInit> = {}) {
    this.session = new Session({ self: SELF, digest: DIGEST, size: pieces * MIN_PIECE_LENGTH, originPolicy: 'frugal', ...init })
  }

  joined (id: string, held: Iterable<number> | 'all', facts: Omit<MemberFacts, 'held'> = {}, nowMs = 0): void {
    const field = held === 'all' ? Bitfield.full(this.session.pieces) : new Bitfield(this.session.pieces)
    if (held !== 'all') for (const piece of held) field.add(piece)
    this.session.joined(id, { held: field, ...facts }, nowMs)
  }

  /** What it asks members for, or no longer. */
  asks (nowMs: number, { room = 100, window = 100 } = {}): string[] {
    return this.#decide(nowMs, { room, window, runs: 0 })
  }

  /** What it reads from the origin. */
  takes (nowMs: number, { runs = 1, isAlone = false } = {}): string[] {
    this.session.originReady(true)
    return this.#decide(nowMs, { room: 0, window: 0, runs, isAlone })
  }

  /** A piece comes, and is right. */
  came (piece: number, from: string, nowMs: number): void {
    this.session.arrived(piece, from, nowMs)
    this.session.verified(piece)
  }

  #decide (nowMs: number, init: DecideInit): string[] {
    return this.session.decide(nowMs, init).map(inWords)
  }
}

function inWords (decision: Decision): string {
  switch (decision.type) {
    case 'request': return `ask ${decision.member} ${decision.piece}`
    case 'cancel': return `cancel ${decision.member} ${decision.piece}`
    case 'take': return `take ${decision.start}-${decision.end}`
    case 'release': return `release ${decision.start}-${decision.end}`
    case 'yield': return 'yield'
  }
}

/** A scene in which so many pieces are missing, the first of a blob that is not small. */
export function lacking (pieces: number, init: Partial<SessionInit> = {}): SessionScene {
  return new SessionScene(LARGE_PIECES, { held: Array.from({ length: LARGE_PIECES - pieces }, (_, index) => pieces + index), ...init })
}

/** The one of these, or `self`, that owns the piece in a scene. */
export function ownerOf (piece: number, members: readonly string[]): string {
  const ranked = [SELF, ...members].map(id => ({ id, rank: new OwnershipSeed(DIGEST, id).rank(GROUPS.of(piece)) }))
  return ranked.reduce((best, one) => one.rank > best.rank ? one : best).id
}

/** The piece of so many with which a member or `self` begins to read what it owns. */
export function firstOf (id: string, pieces: number): number {
  return new OwnershipSeed(DIGEST, id).order(pieces) % pieces
}
