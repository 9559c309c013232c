/** The listener, called at most once in `everyMs`; what comes in between is dropped. `now` is in milliseconds. */
export function paced<T> (listener: (value: T) => void, everyMs: number, now: () => number): (value: T) => void {
  let nextMs = -Infinity
  return value => {
    const atMs = now()
    if (atMs < nextMs) return
    nextMs = atMs + everyMs
    listener(value)
  }
}
