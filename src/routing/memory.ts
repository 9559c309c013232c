import type { Digest } from '../oci/digest.ts'
import { RouterNotReadyError } from './router-error.ts'
import type { Provider, RouterOptions, WatchableRouter } from './router.ts'

/** What the memory routers of one process share: who provides what. */
export class MemoryNetwork {
  readonly #routers = new Set<MemoryRouter>()
  readonly #providers = new Map<Digest, Map<string, Provider>>()

  /** Makes a router a part of the network; those that were alone become ready. */
  join (router: MemoryRouter): void {
    const before = [...this.#routers].filter(other => other.isReady())
    this.#routers.add(router)
    for (const other of this.#routers) {
      if (!before.includes(other)) other.becameReady()
    }
  }

  leave (router: MemoryRouter): void {
    this.#routers.delete(router)
  }

  /** Whether `router` has somebody to talk to. */
  reaches (router: MemoryRouter): boolean {
    return this.#routers.has(router) && this.#routers.size > 1
  }

  add (digest: Digest, provider: Provider): void {
    const providers = this.#providers.get(digest) ?? new Map<string, Provider>()
    providers.set(provider.peer, provider)
    this.#providers.set(digest, providers)
  }

  remove (digest: Digest, peer: string): void {
    this.#providers.get(digest)?.delete(peer)
  }

  find (digest: Digest): Provider[] {
    return [...this.#providers.get(digest)?.values() ?? []]
  }
}

export interface MemoryRouterComponents {
  readonly network: MemoryNetwork
}

export interface MemoryRouterInit {
  /** Our peer id in text form. */
  readonly peer: string
  /** @default none */
  readonly addresses?: readonly string[]
}

/** A router without a network, for tests and the simulator. It is ready once another has joined. */
export class MemoryRouter implements WatchableRouter {
  readonly #network: MemoryNetwork
  readonly #self: Provider
  readonly #listeners = new Set<() => void>()

  constructor (components: MemoryRouterComponents, init: MemoryRouterInit) {
    this.#network = components.network
    this.#self = { peer: init.peer, addresses: init.addresses ?? [] }
  }

  start (): void {
    this.#network.join(this)
  }

  stop (): void {
    this.#network.leave(this)
  }

  isReady (): boolean {
    return this.#network.reaches(this)
  }

  onReady (listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** Called by the network. */
  becameReady (): void {
    if (!this.isReady()) return
    for (const listener of this.#listeners) listener()
  }

  async provide (digest: Digest, { signal }: RouterOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (!this.isReady()) throw new RouterNotReadyError()
    this.#network.add(digest, this.#self)
  }

  async withdraw (digest: Digest, { signal }: RouterOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#network.remove(digest, this.#self.peer)
  }

  mayKnowMore (): boolean {
    return true
  }

  async * findProviders (digest: Digest, { signal }: RouterOptions = {}): AsyncGenerator<Provider> {
    for (const provider of this.#network.find(digest)) {
      if (signal?.aborted === true) return
      if (provider.peer !== this.#self.peer) yield provider
    }
  }
}
