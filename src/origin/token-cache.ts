import { RecentMap } from '../recent.ts'

/** A bearer token and when it ends. */
export interface Token {
  readonly value: string
  /** By the cache's clock. */
  readonly expiresAtMs: number
}

const MAX_TOKENS = 1000
/** A token is replaced when this part of its life is left, at most `REFRESH_AHEAD_MS`: it must outlast the request it is used for. */
const REFRESH_AHEAD_PART = 0.2
const REFRESH_AHEAD_MS = 10_000

interface Entry {
  readonly token: Promise<Token>
  refreshAtMs: number
}

/**
 * Tokens by repository and credential. Owns their lifetimes: whoever asks while a token is being fetched waits for
 * that one, a token near its end is replaced, a failure is not kept.
 */
export class TokenCache {
  readonly #now: () => number
  readonly #entries = new RecentMap<string, Entry>(MAX_TOKENS)

  /** @param now milliseconds, monotonic */
  constructor (now: () => number) {
    this.#now = now
  }

  has (key: string): boolean {
    return this.#fresh(key) !== undefined
  }

  /** @param fetch called when no token is here or on its way; must end by itself */
  get (key: string, fetch: () => Promise<Token>): Promise<Token> {
    const known = this.#fresh(key)
    if (known !== undefined) return known.token
    const startedAtMs = this.#now()
    const entry: Entry = { token: fetch(), refreshAtMs: Infinity }
    this.#entries.set(key, entry)
    entry.token.then(({ expiresAtMs }) => {
      entry.refreshAtMs = expiresAtMs - Math.min(REFRESH_AHEAD_MS, REFRESH_AHEAD_PART * (expiresAtMs - startedAtMs))
    }, () => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
    })
    return entry.token
  }

  /** For a token that the registry did not take. */
  forget (key: string): void {
    this.#entries.delete(key)
  }

  #fresh (key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    return entry !== undefined && entry.refreshAtMs > this.#now() ? entry : undefined
  }
}
