import type { LayerSpec } from '../scenario.ts'
import type { SimHost } from './host.ts'
import { SimPart } from './part.ts'
import { documentOf, type World } from './world.ts'

/** An engine tries a pull again after so long, twice as long each time, as a kubelet does; and so often. Milliseconds. */
const RETRY_MS = 10_000
const MAX_TRIES = 6

export interface PullListener {
  onDone (): void
  onFailed (reason: string): void
}

/**
 * What an engine does on a host: asks which manifest a tag is, has the manifest and the configuration, then the layers, some at
 * a time, each from its first byte to its last. Begins anew when its agent is there again after a restart.
 */
export class SimPull {
  readonly #world: World
  readonly #host: SimHost
  readonly #listener: PullListener
  readonly #layers: readonly LayerSpec[]
  readonly #parallel: number
  #tries = 0
  #life = 0
  #isOver = false

  constructor (world: World, host: SimHost, listener: PullListener) {
    const { layers = [], parallelLayers = 1 } = host.planned.pull ?? {}
    this.#world = world
    this.#host = host
    this.#listener = listener
    this.#layers = layers
    this.#parallel = parallelLayers
  }

  /** Bytes that the host lacks. */
  get bytes (): number {
    return [documentOf(this.#layers), ...this.#layers].reduce((sum, { name, bytes }) => sum + (this.#host.stored.has(name) ? 0 : bytes), 0)
  }

  get isOver (): boolean {
    return this.#isOver
  }

  /** Also after a restart of the host, which has forgotten how often it had tried. */
  start (): void {
    this.#tries = 0
    this.#try()
  }

  #try (): void {
    this.#life = this.#host.life
    const { origin, scenario } = this.#world
    // what the origin cannot say now is known by digest
    if (origin.exists && scenario.agent.originPolicy !== 'never') origin.ask(this.#host, () => { this.#fetchDocument() })
    else this.#fetchDocument()
  }

  #fetchDocument (): void {
    this.#fetch(documentOf(this.#layers), () => {
      const missing = this.#layers.filter(({ name }) => !this.#host.stored.has(name))
      if (missing.length === 0) this.#done()
      for (let count = 0; count < this.#parallel; count++) this.#fetchNext(missing)
    })
  }

  /** @param missing - those that were not begun, which this takes from */
  #fetchNext (missing: LayerSpec[]): void {
    const layer = missing.shift()
    if (layer === undefined) return
    this.#fetch(layer, () => {
      this.#fetchNext(missing)
      if (this.#layers.every(({ name }) => this.#host.stored.has(name))) this.#done()
    })
  }

  #fetch (layer: LayerSpec, onDone: () => void): void {
    const host = this.#host
    if (host.life !== this.#life || this.#isOver) return
    if (host.stored.has(layer.name)) {
      onDone()
      return
    }
    const part = new SimPart(this.#world, host, {
      layer,
      onEnd: isRight => {
        if (isRight) onDone()
        else this.#gaveUp(layer)
      }
    })
    host.parts.set(layer.name, part)
    part.start()
  }

  #done (): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#listener.onDone()
  }

  /** Nobody has it: the engine tries again later. */
  #gaveUp ({ name }: LayerSpec): void {
    const host = this.#host
    if (this.#isOver || host.life !== this.#life) return
    for (const one of [...host.parts.values()]) {
      if (!one.isFetching) continue
      host.kept.set(one.layer.name, [...one.session.held])
      one.leave()
      host.parts.delete(one.layer.name)
    }
    if (++this.#tries === MAX_TRIES) {
      this.#isOver = true
      this.#listener.onFailed(`nobody had ${name}`)
      return
    }
    const { life } = host
    this.#life = -1
    this.#world.clock.after(RETRY_MS * 2 ** (this.#tries - 1), () => { if (host.life === life) this.#try() })
  }
}
