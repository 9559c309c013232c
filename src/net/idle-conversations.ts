import type { BlobConversation } from './blob-conversation.ts'
import type { Slot } from './slot-pool.ts'

/** Between a `have?` and the read that follows from its answer lies a decision, not a wait. */
const IDLE_MS = 1_000

/** A conversation and its place among our streams. */
export interface HeldConversation {
  readonly conversation: BlobConversation
  readonly slot: Slot
}

/** Conversations whose questions have been answered, kept a moment for the next question: one a peer. */
export class IdleConversations {
  readonly #held = new Map<string, HeldConversation & { readonly timer: NodeJS.Timeout }>()

  /** The caller owns it from now on. */
  take (peer: string): HeldConversation | undefined {
    const held = this.#remove(peer)
    if (held === undefined || held.conversation.isUsable) return held
    end(held)
    return undefined
  }

  /** Ends it at once where one waits already. */
  put (peer: string, held: HeldConversation): void {
    if (this.#held.has(peer)) return end(held)
    const timer = setTimeout(() => { this.#end(peer) }, IDLE_MS).unref()
    this.#held.set(peer, { ...held, timer })
  }

  /** Gives up all, for those who need a stream now. */
  clear (): void {
    for (const peer of this.#held.keys()) this.#end(peer)
  }

  #end (peer: string): void {
    const held = this.#remove(peer)
    if (held !== undefined) end(held)
  }

  #remove (peer: string): HeldConversation | undefined {
    const held = this.#held.get(peer)
    clearTimeout(held?.timer)
    this.#held.delete(peer)
    return held
  }
}

function end ({ conversation, slot }: HeldConversation): void {
  conversation.close()
  slot.release()
}
