interface Job<T> {
  readonly controller: AbortController
  readonly result: Promise<T>
  callers: number
}

/**
 * Work that many callers want at once, done once a key. Each caller joins with its own signal; when that fires the
 * caller leaves, and the work is aborted when the last has left. A result is never kept: who comes after the end starts anew.
 */
export class SharedWork<T> {
  readonly #jobs = new Map<string, Job<T>>()

  get size (): number {
    return this.#jobs.size
  }

  async join (key: string, work: (signal: AbortSignal) => Promise<T>, { signal }: { signal?: AbortSignal } = {}): Promise<T> {
    signal?.throwIfAborted()
    const job = this.#jobs.get(key) ?? this.#start(key, work)
    job.callers += 1
    try {
      return await abortable(job.result, signal)
    } finally {
      job.callers -= 1
      if (job.callers === 0 && this.#jobs.get(key) === job) {
        this.#jobs.delete(key)
        job.controller.abort()
      }
    }
  }

  #start (key: string, work: (signal: AbortSignal) => Promise<T>): Job<T> {
    const controller = new AbortController()
    const result = work(controller.signal)
    const job: Job<T> = { controller, result, callers: 0 }
    const forget = (): void => {
      if (this.#jobs.get(key) === job) this.#jobs.delete(key)
    }
    result.then(forget, forget)
    this.#jobs.set(key, job)
    return job
  }
}

/** The promise's outcome, or the signal's reason if that comes first; the promise itself goes on. */
export async function abortable<T> (promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return promise
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => { reject(signal.reason as Error) }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
