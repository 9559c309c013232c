import { RecentMap } from '../recent.ts'

/** Agents called at a time, and that wait for it. */
const MAX_CALLS = 8
const MAX_WAITING = 128
/** Calls that one agent's word may start at once, and how soon it may start another, in milliseconds. */
const MAX_OF_SENDER = 64
const SENDER_PAUSE_MS = 500
/** Agents whose calls are counted, and addresses that did not answer; the oldest are forgotten first. */
const MAX_REMEMBERED = 512
/** What did not answer is not called again for so long, in milliseconds. */
const FAILURE_MS = 30_000
/** Addresses of one agent, from all who name it. */
const MAX_ADDRESSES = 8

/** An agent that takes part in a blob, as another says. */
export interface Introduction {
  readonly peer: string
  readonly addresses: readonly string[]
}

export interface IntroductionsComponents<Link> {
  connect (peer: string, options: { addresses: readonly string[] }): Promise<Link>
  /** Milliseconds that never go back. */
  readonly now: () => number
}

/** Somebody asks for a call. */
export interface CallWish<Link> {
  /** Asked when it is due. */
  readonly isWanted: () => boolean
  readonly onLink: (link: Link) => void
  /** It was called and did not answer. */
  readonly onFailure: () => void
}

interface Call<Link> {
  readonly peer: string
  readonly addresses: Set<string>
  readonly wishes: Array<CallWish<Link>>
}

/**
 * Calls the agents that others name, few at a time and few on one agent's word: who names very many, or such as are not there,
 * neither floods us nor makes us flood them.
 */
export class Introductions<Link> {
  readonly #components: IntroductionsComponents<Link>
  /** By peer, in the order named. */
  readonly #waiting = new Map<string, Call<Link>>()
  readonly #calling = new Map<string, Call<Link>>()
  readonly #senders = new RecentMap<string, { readonly left: number, readonly atMs: number }>(MAX_REMEMBERED)
  /** Until when what was told of a peer is not tried again. */
  readonly #failures = new RecentMap<string, number>(MAX_REMEMBERED)

  constructor (components: IntroductionsComponents<Link>) {
    this.#components = components
  }

  /** Calls under way and those that wait. */
  get count (): number {
    return this.#waiting.size + this.#calling.size
  }

  /**
   * Calls an agent that `sender` has named, when its turn comes and it is wanted then.
   * @returns whether it will: not when there are too many, or it did not answer a moment ago
   */
  add (sender: string, { peer, addresses }: Introduction, wish: CallWish<Link>): boolean {
    const known = this.#waiting.get(peer) ?? this.#calling.get(peer)
    if (known !== undefined) {
      if (known.wishes.length === MAX_OF_SENDER) return false
      for (const address of addresses) if (known.addresses.size < MAX_ADDRESSES) known.addresses.add(address)
      known.wishes.push(wish)
      return true
    }
    const nowMs = this.#components.now()
    if (this.#waiting.size === MAX_WAITING || (this.#failures.get(keyOf(peer, addresses)) ?? 0) > nowMs || !this.#mayStart(sender, nowMs)) return false
    this.#waiting.set(peer, { peer, addresses: new Set(addresses), wishes: [wish] })
    this.#callNext()
    return true
  }

  /** Nobody is called any more. */
  stop (): void {
    this.#waiting.clear()
  }

  #mayStart (sender: string, nowMs: number): boolean {
    const known = this.#senders.get(sender) ?? { left: MAX_OF_SENDER, atMs: nowMs }
    const left = Math.min(MAX_OF_SENDER, known.left + (nowMs - known.atMs) / SENDER_PAUSE_MS)
    this.#senders.set(sender, { left: left < 1 ? left : left - 1, atMs: nowMs })
    return left >= 1
  }

  #callNext (): void {
    for (const [peer, call] of this.#waiting) {
      if (this.#calling.size === MAX_CALLS) return
      this.#waiting.delete(peer)
      if (call.wishes.some(({ isWanted }) => isWanted())) this.#call(call).catch(() => {})
    }
  }

  async #call (call: Call<Link>): Promise<void> {
    const { peer } = call
    const addresses = [...call.addresses]
    this.#calling.set(peer, call)
    try {
      const link = await this.#components.connect(peer, { addresses })
      for (const { isWanted, onLink } of call.wishes) if (isWanted()) onLink(link)
    } catch {
      this.#failures.set(keyOf(peer, addresses), this.#components.now() + FAILURE_MS)
      for (const { onFailure } of call.wishes) onFailure()
    } finally {
      this.#calling.delete(peer)
      this.#callNext()
    }
  }
}

/** Another who knows better addresses of it is heard. */
function keyOf (peer: string, addresses: readonly string[]): string {
  return [peer, ...addresses].join(' ')
}
