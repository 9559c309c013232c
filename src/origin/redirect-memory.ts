import { RecentMap } from '../recent.ts'
import type { Reach } from './address-guard.ts'

/** Far below what signed URLs are good for. */
const MEMORY_MS = 60_000
const MAX_REDIRECTS_KEPT = 200

/** Where a registry sent a request to. */
export interface RedirectTarget {
  readonly url: URL
  readonly reach: Reach
  /** At the registry itself, and no other host lay between: it may have our Authorization. */
  readonly isOwn: boolean
}

/**
 * Where a registry sent us for its blobs, for as long as that can be taken to be good: so many reads of one blob cost
 * it one request. Owns the bound and the age; whoever finds that a target fails forgets it.
 */
export class RedirectMemory {
  readonly #now: () => number
  readonly #targets = new RecentMap<string, { readonly target: RedirectTarget, readonly untilMs: number }>(MAX_REDIRECTS_KEPT)

  /** @param now milliseconds, monotonic */
  constructor (now: () => number) {
    this.#now = now
  }

  get (path: string): RedirectTarget | undefined {
    const known = this.#targets.get(path)
    if (known === undefined || known.untilMs > this.#now()) return known?.target
    this.#targets.delete(path)
    return undefined
  }

  keep (path: string, target: RedirectTarget): void {
    this.#targets.set(path, { target, untilMs: this.#now() + MEMORY_MS })
  }

  /** @param target only if it is still this one */
  forget (path: string, target: RedirectTarget): void {
    if (this.#targets.get(path)?.target === target) this.#targets.delete(path)
  }
}
