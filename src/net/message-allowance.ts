import { SwarmMessageError, type SwarmMessage } from './swarm-message.ts'

/** What a peer may have said at once after it was quiet, and what comes back in a millisecond. */
const MOST = 40_000
const PER_MS = 20
/** A join makes us look at the disk, a list of members call others, an attestation check a signature. */
const COSTLY = 20
/** Of pieces that somebody holds or reads, so many cost as much as one that is asked for. */
const TOLD_TOGETHER = 16
/** A shorter chunk of a piece costs more to take than its bytes. */
const SHORT_CHUNK_BYTES = 4096

/**
 * How much a peer may say on one link, so that one that floods cannot keep us from everybody else: twenty thousand cheap
 * messages a second. An honest one says a tenth of that at the most, so who says more is blamed.
 */
export class MessageAllowance {
  readonly #now: () => number
  #left = MOST
  #atMs: number

  /** @param now - milliseconds that never go back */
  constructor (now: () => number = () => performance.now()) {
    this.#now = now
    this.#atMs = now()
  }

  /** @throws SwarmMessageError when it is used up */
  spend (message: SwarmMessage): void {
    this.#left -= costOf(message)
    if (this.#left >= 0) return
    // the clock is looked at only now and then
    const nowMs = this.#now()
    this.#left = Math.min(MOST, this.#left + (nowMs - this.#atMs) * PER_MS)
    this.#atMs = nowMs
    if (this.#left < 0) throw new SwarmMessageError('more messages than anybody needs')
  }
}

function costOf (message: SwarmMessage): number {
  switch (message.type) {
    case 'piece':
      return message.length < SHORT_CHUNK_BYTES ? 1 : 0
    case 'request':
    case 'cancel':
      return 1 + message.pieces.length
    case 'have':
    case 'take':
    case 'release':
    case 'reject':
      return 1 + Math.floor(message.pieces.length / TOLD_TOGETHER)
    case 'join':
    case 'members':
    case 'attest':
    case 'accuse':
      return COSTLY
    default:
      return 1
  }
}
