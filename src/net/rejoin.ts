import { setTimeout as sleep } from 'node:timers/promises'
import type { EventSink } from '../events.ts'
import { Backoff } from './backoff.ts'

const DEFAULT_MIN_DELAY_MS = 50
const DEFAULT_MAX_DELAY_MS = 10_000
const DEFAULT_CONNECTED_DELAY_MS = 30_000
const DIALS_AT_A_TIME = 4

export interface RejoinComponents {
  readonly swarm: RejoinSwarm
  readonly events: EventSink
}

/** What the loop needs of the node. */
export interface RejoinSwarm {
  /** Peer ids of the swarm's peers we are connected to. */
  neighbours (): string[]
  /** Calls back when a neighbour is gained or lost. @returns a function that ends the subscription */
  onNeighbours (listener: () => void): () => void
  /** Dials; resolves with the peer id, or undefined when the address turned out to be our own. */
  dial (address: string, signal: AbortSignal): Promise<string | undefined>
  /** Addresses of peers met before, each with its peer id. */
  knownAddresses (): Promise<string[]>
}

export interface RejoinInit {
  /** Addresses to enter the swarm by. */
  readonly bootstrap: readonly string[]
  /** Shortest wait between two rounds. @default 50 */
  readonly minDelayMs?: number
  /** Longest wait between two rounds. @default 10000 */
  readonly maxDelayMs?: number
  /** Wait between two rounds while there are neighbours, but no bootstrap address was ever reached. @default 30000 */
  readonly connectedDelayMs?: number
}

/**
 * Keeps the agent in its swarm: as long as there is no neighbour it dials the bootstrap addresses and the peers met
 * before, for ever. With neighbours, but none of the bootstrap addresses ever reached, it goes on slowly, or two halves
 * of a swarm that found each other by mDNS would never meet the rest. Says each change of state once.
 */
export class RejoinLoop {
  readonly #swarm: RejoinSwarm
  readonly #events: EventSink
  readonly #bootstrap: Set<string>
  readonly #backoff: Backoff
  readonly #connectedDelayMs: number
  #stopper: AbortController | undefined
  #running: Promise<void> = Promise.resolve()
  /** Ever, since the start. */
  #hasReachedBootstrap = false
  /** What was said last. */
  #said: 'joined' | 'unreachable' | undefined

  constructor (components: RejoinComponents, init: RejoinInit) {
    this.#swarm = components.swarm
    this.#events = components.events
    this.#bootstrap = new Set(init.bootstrap)
    this.#connectedDelayMs = init.connectedDelayMs ?? DEFAULT_CONNECTED_DELAY_MS
    this.#backoff = new Backoff({ minMs: init.minDelayMs ?? DEFAULT_MIN_DELAY_MS, maxMs: init.maxDelayMs ?? DEFAULT_MAX_DELAY_MS })
  }

  start (): void {
    this.#stopper = new AbortController()
    this.#running = this.#run(this.#stopper.signal)
  }

  async stop (): Promise<void> {
    this.#stopper?.abort()
    await this.#running
  }

  async #run (signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const [neighbour] = this.#swarm.neighbours()
      const hasNeighbours = neighbour !== undefined
      if (hasNeighbours && this.#isSettled()) {
        // An address known from before, or a dial of theirs, ends being alone as well.
        if (this.#said === 'unreachable') this.#reached(neighbour)
        this.#backoff.reset()
        await this.#change(signal)
        continue
      }
      await this.#round(hasNeighbours, signal)
      // A connection is made some milliseconds before the peer is known to be a neighbour.
      await this.#change(signal, hasNeighbours ? this.#connectedDelayMs : this.#backoff.next())
    }
  }

  #isSettled (): boolean {
    return this.#bootstrap.size === 0 || this.#hasReachedBootstrap
  }

  async #round (hasNeighbours: boolean, signal: AbortSignal): Promise<void> {
    const failures = new Map<string, string>()
    await this.#dialAll([...this.#bootstrap], signal, (address, outcome) => {
      if (outcome.error !== undefined) failures.set(address, outcome.error)
      else if (outcome.peer === undefined) this.#bootstrap.delete(address)
      else this.#reached(outcome.peer)
    })
    if (signal.aborted) return
    if (failures.size > 0 && failures.size === this.#bootstrap.size) this.#unreachable(failures)
    if (!hasNeighbours && this.#swarm.neighbours().length === 0) {
      await this.#dialAll(await this.#knownAddresses(), signal, () => {})
    }
  }

  #reached (peer: string): void {
    this.#hasReachedBootstrap = true
    if (this.#said !== 'joined') this.#events.emit({ type: 'bootstrap:joined', peer })
    this.#said = 'joined'
  }

  #unreachable (failures: ReadonlyMap<string, string>): void {
    if (this.#said !== 'unreachable') {
      this.#events.emit({ type: 'bootstrap:unreachable', addresses: [...failures.keys()], reason: [...new Set(failures.values())].join('; ') })
    }
    this.#said = 'unreachable'
  }

  async #knownAddresses (): Promise<string[]> {
    try {
      return await this.#swarm.knownAddresses()
    } catch {
      return []
    }
  }

  async #dialAll (addresses: readonly string[], signal: AbortSignal, onOutcome: (address: string, outcome: { peer?: string, error?: string }) => void): Promise<void> {
    const queue = [...addresses]
    const worker = async (): Promise<void> => {
      for (let address = queue.shift(); address !== undefined && !signal.aborted; address = queue.shift()) {
        try {
          onOutcome(address, { peer: await this.#swarm.dial(address, signal) })
        } catch (error) {
          onOutcome(address, { error: error instanceof Error ? error.message : String(error) })
        }
      }
    }
    await Promise.all(Array.from({ length: DIALS_AT_A_TIME }, worker))
  }

  /** Waits until the neighbours change, `delayMs` have passed, or the loop stops. */
  async #change (signal: AbortSignal, delayMs?: number): Promise<void> {
    const ended = new AbortController()
    const unsubscribe = this.#swarm.onNeighbours(() => { ended.abort() })
    const either = AbortSignal.any([signal, ended.signal])
    try {
      if (delayMs !== undefined) await sleep(delayMs, undefined, { signal: either })
      else if (!either.aborted) await new Promise(resolve => { either.addEventListener('abort', resolve, { once: true }) })
    } catch {
      // Woken before the time: that is what it is for.
    } finally {
      unsubscribe()
    }
  }
}
