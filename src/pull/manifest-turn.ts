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

/** Others may take so many times as long as the origin took to answer before, which also tells how busy we all are; within these, in milliseconds. */
const PATIENCE_FACTOR = 3
const MIN_PATIENCE_MS = 400
const MAX_PATIENCE_MS = 1_500
const DEFAULT_PATIENCE_MS = 500
/** Who says that it has it may take so long to give it: so many patiences, and what it needs at this pace. */
const GIVING_FACTOR = 2
const SLOWEST_BYTES_PER_MS = 250
/** Who say that they have it and do not give it keep us from the origin so many times, and once from what it has begun to send. */
const MAX_GIVERS = 3

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
  readonly #patienceMs: number
  readonly #succession: Succession
  readonly #wish: Wish | undefined
  readonly #tried = new Set<string>()
  #hurry = (): void => {}
  #overtakings = 0
  #change = Promise.withResolvers<void>()

  constructor (components: ManifestTurnComponents, digest: Digest) {
    const { swarm, known } = components
    this.#components = components
    this.#digest = digest
    this.#patienceMs = known === undefined ? DEFAULT_PATIENCE_MS : Math.min(MAX_PATIENCE_MS, Math.max(MIN_PATIENCE_MS, PATIENCE_FACTOR * known.tookMs))
    // nobody need wait for what it would not get from us
    const isGiven = known?.access !== 'restricted' || swarm?.mayShare('restricted') === true
    const isCandidate = isGiven && swarm?.exchange.isLeech === false && swarm.originPolicy !== 'never'
    this.#succession = new Succession({ self: swarm?.self() ?? '', digest, isCandidate, patienceMs: this.#patienceMs })
    this.#wish = swarm?.exchange.wish({ kind: 'manifest', digest, succession: this.#succession, isCandidate, onFacts: () => { this.#changed() } })
  }

  /** Those of the order; before an origin, and when none is left, whoever has it from one by then. */
  async * sources (order: SourceOrder, signal: AbortSignal): AsyncGenerator<Source> {
    for (let source = await order.next(); source !== undefined; source = await order.next()) {
      if (source.type === 'peer') {
        yield source
        continue
      }
      yield * this.#others(signal)
      const before = this.#overtakings
      yield source
      if (this.#overtakings === before) continue
      yield * this.#others(signal)
      yield source
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
        if (this.#untried === undefined || this.#overtakings > 0) return
        this.#overtakings++
        overtaken.abort(new OvertakenError(this.#digest))
      }
      this.#hurry()
    }, this.#patienceMs)
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
    for (let givers = 0; givers < MAX_GIVERS; givers++) {
      const holding = await this.#next(signal)
      if (holding === undefined) return
      this.#tried.add(holding.peer)
      yield { type: 'peer', holding, withinMs: GIVING_FACTOR * this.#patienceMs + holding.size / SLOWEST_BYTES_PER_MS }
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
