import type { ModelClock } from './model-clock.ts'

/** One direction of a host's link, or the origin's. */
export interface ModelLink {
  /** 0: nothing passes. */
  bytesPerMs: number
  readonly transfers: Set<ModelTransfer>
}

/** Bytes on their way over all of its links. */
export interface ModelTransfer {
  readonly links: readonly ModelLink[]
  readonly onDone: () => void
  left: number
  bytesPerMs: number
  /** When `left` was true. */
  sinceMs: number
  /** Which of its planned ends holds. */
  plan: number
}

/** Shares links: each evenly among the transfers over it, and what some of them cannot use goes to the others. */
export class ModelLinks {
  readonly #clock: ModelClock
  readonly #links = new Set<ModelLink>()
  #isShareDue = false

  constructor (clock: ModelClock) {
    this.#clock = clock
  }

  add (bytesPerMs: number): ModelLink {
    const link = { bytesPerMs, transfers: new Set<ModelTransfer>() }
    this.#links.add(link)
    return link
  }

  setPace (link: ModelLink, bytesPerMs: number): void {
    link.bytesPerMs = bytesPerMs
    this.#changed()
  }

  begin (links: readonly ModelLink[], bytes: number, onDone: () => void): ModelTransfer {
    const transfer = { links, onDone, left: bytes, bytesPerMs: 0, sinceMs: this.#clock.nowMs, plan: 0 }
    for (const link of links) link.transfers.add(transfer)
    this.#changed()
    return transfer
  }

  /** Nothing more of it comes. */
  end (transfer: ModelTransfer): void {
    transfer.plan++
    for (const link of transfer.links) link.transfers.delete(transfer)
    this.#changed()
  }

  #changed (): void {
    if (this.#isShareDue) return
    this.#isShareDue = true
    this.#clock.after(0, () => {
      this.#isShareDue = false
      this.#share()
    })
  }

  #share (): void {
    const { nowMs } = this.#clock
    for (const [transfer, bytesPerMs] of this.#paces()) {
      transfer.left -= transfer.bytesPerMs * (nowMs - transfer.sinceMs)
      transfer.sinceMs = nowMs
      if (Math.abs(transfer.bytesPerMs - bytesPerMs) < 1e-9) continue
      transfer.bytesPerMs = bytesPerMs
      const plan = ++transfer.plan
      if (bytesPerMs === 0) continue
      this.#clock.after(Math.max(0, transfer.left) / bytesPerMs, () => {
        if (transfer.plan !== plan) return
        this.end(transfer)
        transfer.onDone()
      })
    }
  }

  /** The link that has least for each of its transfers settles them, and so on with what is left of the others. */
  #paces (): Map<ModelTransfer, number> {
    const paces = new Map<ModelTransfer, number>()
    const open = new Map<ModelLink, { left: number, count: number }>()
    for (const link of this.#links) {
      if (link.transfers.size > 0) open.set(link, { left: link.bytesPerMs, count: link.transfers.size })
    }
    while (open.size > 0) {
      let tightest: { link: ModelLink, share: number } | undefined
      for (const [link, { left, count }] of open) {
        if (tightest === undefined || left / count < tightest.share) tightest = { link, share: left / count }
      }
      if (tightest === undefined) break
      const share = Math.max(0, tightest.share)
      for (const transfer of tightest.link.transfers) {
        if (paces.has(transfer)) continue
        paces.set(transfer, share)
        for (const link of transfer.links) {
          const rest = open.get(link)
          if (rest === undefined) continue
          rest.left -= share
          rest.count--
          if (rest.count === 0) open.delete(link)
        }
      }
      open.delete(tightest.link)
    }
    return paces
  }
}
