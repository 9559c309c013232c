import { DeadlineError } from '../errors.ts'

/**
 * Runs work under a signal that ends with the caller's or after `timeoutMs`, whichever is first.
 * @throws DeadlineError by way of the signal's reason; whatever the work throws
 */
export async function withDeadline<T> (phase: string, timeoutMs: number, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const onAbort = (): void => { controller.abort(signal?.reason) }
  const timer = setTimeout(() => { controller.abort(new DeadlineError(phase, timeoutMs)) }, timeoutMs)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Waits for a promise that others wait for too: the signal ends this wait, not the work. */
export async function waitFor<T> (work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  signal.throwIfAborted()
  let onAbort = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => { reject(signal.reason as Error) }
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
