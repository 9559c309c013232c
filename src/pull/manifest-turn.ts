import type { Wish } from '../exchange/wish.ts'
import type { Holding } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'
import { abortable } from '../shared-work.ts'
import type { PeerScore } from '../swarm/peer-score.ts'
import { Succession } from '../swarm/succession.ts'
import type { SwarmParts } from './blob-fetches.ts'
import { OvertakenError } from './errors.ts'
import type { OriginAnswer } from './origin-record.ts'
import type { Source, SourceOrder } from './source-order.ts'

/** Who reads from the origin may take so many times as long as that took to answer before; in any case so long, in milliseconds. */
const READING_FACTOR = 3
const MIN_READING_MS = 400
const MAX_READING_MS = 1_500
const DEFAULT_READING_MS = 500

export interface ManifestTurnComponents {
  /** Undefined: every turn is ours. */
  readonly swarm: Pick<SwarmParts, 'exchange' | 'self' | 'originPolicy' | 'mayShare'> | undefined
  readonly score: PeerScore
  readonly now: () => number
  /** How the origin answered for the repository before. */
  readonly known: OriginAnswer | undefined
}

/**
 * One manifest that we lack: waits, when it comes to asking the origin, for another agent whose turn it is, and tells the
 * others when it is ours. Owned by the fetch of the manifest, which ends it.
 */
export class ManifestTurn {
  readonly #components: ManifestTurnComponents
  readonly #digest: Digest
  readonly #readingMs: number
  readonly #succession: Succession
  readonly #wish: Wish | undefined
  readonly #tried = new Set<string>()
  #hurry = (): void => {}
  #isOvertaken = false
  #change = Promise.withResolvers<void>()

  constructor (components: ManifestTurnComponents, digest: Digest) {
    const { swarm, known } = components
    this.#components = components
    this.#digest = digest
    this.#readingMs = known === undefined ? DEFAULT_READING_MS : Math.min(MAX_READING_MS, Math.max(MIN_READING_MS, READING_FACTOR * known.tookMs))
    // nobody need wait for what it would not get from us
    const isGiven = known?.access !== 'restricted' || swarm?.mayShare('restricted') === true
    const isCandidate = isGiven && swarm?.exchange.isLeech === false && swarm.originPolicy !== 'never'
    this.#succession = new Succession({ self: swarm?.self() ?? '', digest, isCandidate, readingMs: this.#readingMs })
    this.#wish = swarm?.exchange.wish({ kind: 'manifest', digest, succession: this.#succession, isCandidate, onFacts: () => { this.#changed() } })
  }

  /** Those of the order; before an origin, and when none is left, whoever has it from one by then. */
  async * sources (order: SourceOrder, signal: AbortSignal): AsyncGenerator<Source> {
    for (let source = await order.next(); source !== undefined; source = await order.next()) {
      if (source.type === 'peer') {
        yield source
        continue
      }
      do {
        yield * this.#others(signal)
        this.#isOvertaken = false
        yield source
      } while (this.#isOvertaken)
    }
    yield * this.#others(signal)
  }

  /**
   * Reads from the origin, as others hear. When another has it before, and ours takes longer than the others wait, it is left.
   * @throws OvertakenError; what the work throws
   */
  async read<Result> (work: (signal: AbortSignal) => Promise<Result>, signal: AbortSignal): Promise<Result> {
    const overtaken = new AbortController()
    const timer = setTimeout(() => {
      this.#hurry = () => {
        if (this.#untried === undefined) return
        this.#isOvertaken = true
        overtaken.abort(new OvertakenError(this.#digest))
      }
      this.#hurry()
    }, this.#readingMs)
    this.#wish?.reads()
    try {
      return await work(AbortSignal.any([signal, overtaken.signal]))
    } catch (error) {
      this.#succession.failed()
      this.#wish?.fails()
      throw error
    } finally {
      clearTimeout(timer)
      this.#hurry = () => {}
    }
  }

  /** @param isRead - we have read it from the origin, and those who wait for us hear of it */
  end ({ isRead }: { isRead: boolean }): void {
    this.#wish?.end({ isRead })
  }

  async * #others (signal: AbortSignal): AsyncGenerator<Source> {
    for (let holding = await this.#next(signal); holding !== undefined; holding = await this.#next(signal)) {
      this.#tried.add(holding.peer)
      yield { type: 'peer', holding }
      this.#succession.fails(holding.peer)
    }
  }

  /** Undefined: it is our turn, or nobody's. */
  async #next (signal: AbortSignal): Promise<Holding | undefined> {
    for (;;) {
      signal.throwIfAborted()
      const holding = this.#untried
      if (holding !== undefined || this.#components.swarm?.originPolicy === 'fast') return holding
      const nowMs = performance.now()
      const untilMs = this.#succession.next(nowMs)
      if (untilMs === undefined) return undefined
      const timer = setTimeout(() => { this.#changed() }, untilMs - nowMs)
      try {
        await abortable(this.#change.promise, signal)
      } finally {
        clearTimeout(timer)
      }
    }
  }

  get #untried (): Holding | undefined {
    const { score, now } = this.#components
    for (const holding of this.#wish?.holders.values() ?? []) {
      if (!this.#tried.has(holding.peer) && !score.isBanned(holding.peer, now())) return holding
    }
    return undefined
  }

  #changed (): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers()
    this.#hurry()
  }
}
