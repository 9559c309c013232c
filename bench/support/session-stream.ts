import { Bitfield } from '../../src/swarm/bitfield.ts'
import { Session } from '../../src/swarm/session.ts'

/** Of a blob of 512 MiB to 4 GiB. */
export const PIECE_BYTES = 2 * 1024 * 1024
/** As the agent decides. */
const TICK_MS = 4
/** From one piece to the next of every host, and of the origin: 2 MiB at 300 MB/s. */
const PIECE_MS = 7
/** What a member has to say waits so long. */
const NEWS_MS = 20
/** Of a piece bytes are counted so often. */
const PROGRESS_STEPS = 4
/** Requests under way at a time, and of one member. */
const REQUESTS = 5
const WINDOW = 2
/** One of so many requests is answered by `busy`. */
const BUSY_EACH = 20
const NAME = 'member'
/** Agents that are known by name only. */
const DISTANT = Array.from({ length: 400 }, (_, index) => `distant${index}`)

interface News {
  readonly member: string
  readonly pieces: readonly number[]
}

/** What the members of a rollout say, and when: made before anything is measured, the same for the same numbers. */
export interface SessionStream {
  readonly pieces: number
  readonly members: number
  /** By ticks. */
  readonly taken: ReadonlyArray<readonly News[]>
  readonly news: ReadonlyArray<readonly News[]>
}

/** @param random - numbers in [0, 1) */
export function streamOf (pieces: number, members: number, random: () => number): SessionStream {
  const released = new Bitfield(pieces)
  const lacked = Array.from({ length: members }, () => new Set(Array.from({ length: pieces }, (_, piece) => piece)))
  const gains: Array<Array<{ atMs: number, piece: number }>> = Array.from({ length: members }, () => [])
  const taken: News[][] = []
  const news: News[][] = []
  for (let nowMs = 0; lacked.some(({ size }) => size > 0); nowMs += TICK_MS) {
    const begun = Math.min(pieces, Math.ceil((nowMs + TICK_MS) / PIECE_MS)) - released.count
    taken.push(Array.from({ length: begun }, () => {
      const piece = anyOf(Array.from({ length: pieces }, (_, piece) => piece).filter(piece => !released.has(piece)), random)
      released.add(piece)
      return { member: `${NAME}${Math.floor(random() * members)}`, pieces: [piece] }
    }))
    news.push(lacked.flatMap((lacking, index) => {
      const gained = gains[index] ?? []
      const within = [...lacking].filter(piece => released.has(piece))
      if (within.length > 0 && random() < TICK_MS / PIECE_MS) {
        const piece = anyOf(within, random)
        lacking.delete(piece)
        gained.push({ atMs: nowMs, piece })
      }
      if (gained.length === 0 || nowMs - (gained[0]?.atMs ?? 0) < NEWS_MS) return []
      return [{ member: `${NAME}${index}`, pieces: gained.splice(0).map(({ piece }) => piece) }]
    }))
  }
  return { pieces, members, taken, news }
}

/** A session among so many members that hold nothing yet. */
function joinedSession (pieces: number, members: number): Session {
  const session = new Session({ self: 'self', digest: 'sha256:bench', size: pieces * PIECE_BYTES, originPolicy: 'frugal' })
  join(session, members)
  return session
}

export function join (session: Session, members: number): void {
  const held = new Bitfield(session.pieces)
  for (let index = 0; index < members; index++) session.joined(`${NAME}${index}`, { held, readsOrigin: true }, 0)
}

/** Tells a session the stream and does what it decides, until it is complete. @returns decisions asked for */
export function replay ({ pieces, members, taken, news }: SessionStream): number {
  const session = joinedSession(pieces, members)
  const asked: Array<{ readonly member: string, readonly piece: number }> = []
  const reading: number[] = []
  let answers = 0
  let decides = 0
  session.knows(DISTANT)
  session.originReady(true)
  for (let tick = 0; !session.isComplete; tick++) {
    const nowMs = tick * TICK_MS
    for (const { member, pieces } of taken[tick] ?? []) session.takes(member, pieces, nowMs)
    for (const { member, pieces } of news[tick] ?? []) {
      session.queued(member, tick & 3)
      session.has(member, pieces, nowMs)
    }
    const comes = Math.floor(nowMs / PIECE_MS) > Math.floor((nowMs - TICK_MS) / PIECE_MS)
    const answered = comes ? asked.shift() : undefined
    if (answered !== undefined) {
      const { member, piece } = answered
      for (let step = 0; step < PROGRESS_STEPS; step++) session.progressed(member, nowMs)
      if (++answers % BUSY_EACH === 0) session.rejected(member, piece, 'busy', nowMs)
      else came(session, piece, member, nowMs)
    }
    const read = comes ? reading.shift() : undefined
    if (read !== undefined) {
      came(session, read, 'origin', nowMs)
      session.originEnded(read, read + 1)
    }
    decides++
    const room = Math.max(0, REQUESTS - session.onTime(nowMs) - session.unverified)
    for (const decision of session.decide(nowMs, { room, window: WINDOW, runs: reading.length === 0 ? 1 : 0, longestRun: 1 })) {
      if (decision.type === 'request') asked.push(decision)
      else if (decision.type === 'take') reading.push(decision.start)
      else if (decision.type === 'cancel') {
        asked.splice(asked.findIndex(({ member, piece }) => member === decision.member && piece === decision.piece), 1)
        session.rejected(decision.member, decision.piece, 'cancelled', nowMs)
      }
    }
    session.isHelped(nowMs)
  }
  return decides
}

function came (session: Session, piece: number, from: string, nowMs: number): void {
  session.arrived(piece, from, nowMs)
  session.verified(piece)
}

function anyOf (values: readonly number[], random: () => number): number {
  return values[Math.floor(random() * values.length)] ?? 0
}
