import { createHash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MIN_PIECE_LENGTH } from '../src/swarm/pieces.ts'
import { Session } from '../src/swarm/session.ts'
import { seededRandom } from '../test/support/seeded-random.ts'
import { atMost, type Section } from './support/report.ts'
import { median, spread } from './support/samples.ts'
import { join, PIECE_BYTES, replay, streamOf } from './support/session-stream.ts'

const ROUNDS = 7
const WARM_UP = 10
const PIECES = 358
const MEMBERS = 32
/** Sessions whose memory is counted together. */
const SESSIONS = 200
/** Beside what each piece costs anyway. */
const MAX_OF_HASHING = 0.5
const MAX_SESSION_BYTES = 10_000
const MAX_MEMBER_BYTES = 1000

/** (h) What the session of a blob costs for each piece among 32 members, beside hashing the smallest piece, and its memory. */
export async function benchSession (): Promise<Section> {
  const numbers = seededRandom('session', PIECES * MEMBERS * 8)[Symbol.iterator]()
  const stream = streamOf(PIECES, MEMBERS, () => numbers.next().value ?? 0)
  for (let round = 0; round < WARM_UP; round++) replay(stream)
  let decides = 0
  const session: number[] = []
  const hashing: number[] = []
  const piece = Buffer.alloc(MIN_PIECE_LENGTH, 1)
  for (let round = 0; round < ROUNDS; round++) {
    session.push(microsecondsPerPiece(() => { decides = replay(stream) }))
    hashing.push(microsecondsPerPiece(() => { for (let index = 0; index < PIECES; index++) createHash('sha256').update(piece).digest() }))
  }
  const ratios = session.map((microseconds, round) => microseconds / (hashing[round] ?? NaN))
  const { ofSession, ofMember } = bytesHeld()
  return {
    title: `(h) a session of ${PIECES} pieces among ${MEMBERS} members, ${(decides / PIECES).toFixed(1)} decisions a piece, ${ROUNDS} rounds in turns`,
    rows: [
      { what: 'session, µs a piece', value: spread(session, 1) },
      { what: 'sha256 of 128 KiB, µs', value: spread(hashing, 1) },
      atMost('session / sha256', median(ratios), MAX_OF_HASHING, spread(ratios)),
      atMost('bytes of a session without members', ofSession, MAX_SESSION_BYTES, ofSession.toFixed(0)),
      atMost('bytes of a member', ofMember, MAX_MEMBER_BYTES, ofMember.toFixed(0))
    ]
  }
}

/** Of processor time. */
function microsecondsPerPiece (run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / PIECES
}

function bytesHeld (): { readonly ofSession: number, readonly ofMember: number } {
  const empty = usedBytes()
  const sessions = Array.from({ length: SESSIONS }, (_, index) => new Session({ self: `self${index}`, digest: 'sha256:bench', size: PIECES * PIECE_BYTES }))
  const alone = usedBytes()
  for (const session of sessions) {
    join(session, MEMBERS)
    // what is kept of owners once it was asked for
    session.originReady(true)
    session.decide(0, { room: 1, runs: 1, window: 2 })
  }
  const joined = usedBytes()
  return { ofSession: (alone - empty) / SESSIONS, ofMember: (joined - alone) / SESSIONS / MEMBERS }
}

function usedBytes (): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
