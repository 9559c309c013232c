import type { EventSink } from '../events.ts'

/**
 * Who is connected, and who of them speaks the blob protocol: those are the neighbours. A peer speaks it as soon as it has
 * identified itself, some milliseconds after it has connected; it may have left by then.
 */
export class Neighbours {
  readonly #events: EventSink
  readonly #connected = new Set<string>()
  readonly #speakers = new Set<string>()
  readonly #peerListeners = new Set<(peer: string) => void>()
  readonly #changeListeners = new Set<() => void>()

  constructor (components: { readonly events: EventSink }) {
    this.#events = components.events
  }

  get count (): number {
    return this.list().length
  }

  /** Peer ids in text form. */
  list (): string[] {
    return [...this.#speakers].filter(peer => this.#connected.has(peer))
  }

  isConnected (peer: string): boolean {
    return this.#connected.has(peer)
  }

  connected (peer: string): void {
    this.#connected.add(peer)
    this.#events.emit({ type: 'peer:connected', peer })
  }

  speaks (peer: string): void {
    if (this.#speakers.has(peer)) return
    this.#speakers.add(peer)
    for (const listener of this.#peerListeners) listener(peer)
    for (const listener of this.#changeListeners) listener()
  }

  speaksNoMore (peer: string): void {
    this.#speakers.delete(peer)
  }

  disconnected (peer: string): void {
    this.#connected.delete(peer)
    this.#speakers.delete(peer)
    this.#events.emit({ type: 'peer:disconnected', peer })
    for (const listener of this.#changeListeners) listener()
  }

  clear (): void {
    this.#connected.clear()
    this.#speakers.clear()
  }

  /** Called with each new neighbour. @returns a function that ends the subscription */
  onPeer (listener: (peer: string) => void): () => void {
    this.#peerListeners.add(listener)
    return () => { this.#peerListeners.delete(listener) }
  }

  /** Called when a neighbour has come or gone. @returns a function that ends the subscription */
  onChange (listener: () => void): () => void {
    this.#changeListeners.add(listener)
    return () => { this.#changeListeners.delete(listener) }
  }
}
