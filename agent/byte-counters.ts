import type { EventHub } from '../src/events.ts'

/** Bytes since the agent started. */
export interface ByteTotals {
  readonly fromPeers: number
  readonly fromOrigin: number
  /** Sent to clients out of the store, without asking anybody. */
  readonly fromStore: number
  readonly toPeers: number
  readonly toClients: number
}

/** Where bytes came from and went to. Peers and the origin are counted from events; HTTP, which has none, reports its own. */
export class ByteCounters {
  #fromPeers = 0
  #fromOrigin = 0
  #fromStore = 0
  #toPeers = 0
  #toClients = 0
  readonly #unsubscribe: () => void

  constructor ({ events }: { events: EventHub }) {
    this.#unsubscribe = events.subscribe(event => {
      if (event.type === 'peer:served') this.#toPeers += event.bytes
      if (event.type !== 'fetch:received') return
      if (event.source === 'origin') this.#fromOrigin += event.bytes
      else this.#fromPeers += event.bytes
    })
  }

  get totals (): ByteTotals {
    return { fromPeers: this.#fromPeers, fromOrigin: this.#fromOrigin, fromStore: this.#fromStore, toPeers: this.#toPeers, toClients: this.#toClients }
  }

  addToClients (bytes: number): void {
    this.#toClients += bytes
  }

  /** In addition to `addToClients`, which counts all that clients got. */
  addFromStore (bytes: number): void {
    this.#fromStore += bytes
  }

  close (): void {
    this.#unsubscribe()
  }
}
