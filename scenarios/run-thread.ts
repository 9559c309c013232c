import v8 from 'node:v8'
import { Worker } from 'node:worker_threads'
import { RunError } from './run-error.ts'
import type { Result } from './result.ts'
import type { RunJob, RunReply, RunRequest } from './run-messages.ts'
import type { RunOptions } from './run.ts'
import type { Scenario } from './scenario.ts'

/** The worker runs as TypeScript in a checkout and as JavaScript when built. */
const WORKER_URL = import.meta.url.endsWith('.ts') ? new URL('./run-worker.ts', import.meta.url) : new URL('./run-worker.js', import.meta.url)
/** What the largest scenario of the library may take. Memory is only taken when it is needed. */
const MAX_HEAP_MIB = 4096
/** A simulation throws away most of what it makes, but not within the 8 MiB that suffice for an agent: with these it takes a tenth less of the processor. */
const YOUNG_MIB = 64

/**
 * Runs a scenario in a thread of its own, so that this one stays free for signals and a terminal. When it settles the thread has ended.
 * @throws RunError
 */
export async function runInThread (scenario: Scenario, { engine, shoal, modules = {}, signal, onProgress }: RunOptions): Promise<Result> {
  const job: RunJob = { scenario, engine, shoal, modules }
  // no limit of the thread's counts beside the flag, with which the agent's first line starts the process
  v8.setFlagsFromString(`--max-semi-space-size=${YOUNG_MIB}`)
  const worker = new Worker(WORKER_URL, { name: `shoal-${engine}`, workerData: job, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB } })
  const stop = (): void => { worker.postMessage({ type: 'stop' } satisfies RunRequest) }
  const ended = Promise.withResolvers<Result>()
  worker.on('message', (reply: RunReply) => {
    switch (reply.type) {
      case 'progress': onProgress?.(reply.progress, reply.phase); break
      case 'result': ended.resolve(reply.result); break
      case 'failed': ended.reject(errorOf(reply)); break
      default: reply satisfies never
    }
  })
  worker.on('error', error => { ended.reject(crashOf(error, scenario)) })
  worker.on('exit', code => { ended.reject(new RunError(`the thread that ran ${scenario.name} ended with code ${code} and no result`)) })
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted === true) stop()
  try {
    return await ended.promise
  } finally {
    signal?.removeEventListener('abort', stop)
    await worker.terminate()
  }
}

function errorOf ({ isExpected, message, stack }: Extract<RunReply, { type: 'failed' }>): Error {
  if (isExpected) return new RunError(message)
  const error = new Error(message)
  if (stack !== undefined) error.stack = stack
  return error
}

function crashOf (error: unknown, { name }: Scenario): Error {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return new RunError(`${name} needs more than ${MAX_HEAP_MIB} MiB of memory: try fewer hosts, or fewer layers`, { cause: error })
  return error instanceof Error ? error : new Error(String(error))
}
