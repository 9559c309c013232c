/** Stops waiting when the signal fires; the work itself goes on. */
export async function withSignal<T> (work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => { aborted.reject(signal.reason as Error) }
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
    // Whoever waits no longer must not leave a rejection unheard.
    work.catch(() => {})
  }
}
