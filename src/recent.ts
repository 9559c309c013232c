/** A map with a bound: what was set longest ago is forgotten for what is set beyond it. Iterates from the oldest on. */
export class RecentMap<K, V> extends Map<K, V> {
  readonly #max: number

  /** @param max - entries, 1 at the least */
  constructor (max: number) {
    super()
    this.#max = max
  }

  override set (key: K, value: V): this {
    this.delete(key)
    super.set(key, value)
    if (this.size > this.#max) forgetOldest(this)
    return this
  }
}

/** A set with a bound: what was added longest ago is forgotten for what is added beyond it. Iterates from the oldest on. */
export class RecentSet<T> extends Set<T> {
  readonly #max: number

  /** @param max - members, 1 at the least */
  constructor (max: number) {
    super()
    this.#max = max
  }

  override add (value: T): this {
    this.delete(value)
    super.add(value)
    if (this.size > this.#max) forgetOldest(this)
    return this
  }
}

function forgetOldest<K> (collection: { keys (): Iterator<K, undefined>, delete (key: K): boolean }): void {
  const { done, value } = collection.keys().next()
  if (done !== true) collection.delete(value)
}
