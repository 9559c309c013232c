import { parentPort, workerData } from 'node:worker_threads'
import { ShoalError } from '../src/errors.ts'
import { runScenario } from './run.ts'
import { paced } from './paced.ts'
import type { RunJob, RunReply, RunRequest } from './run-messages.ts'

const PROGRESS_EVERY_MS = 100

/** The thread in which a scenario runs. Started by runInThread, ends by itself. */
const { scenario, ...options } = workerData as RunJob
const aborted = new AbortController()
const tell = (reply: RunReply): void => { parentPort?.postMessage(reply) }

parentPort?.on('message', ({ type }: RunRequest) => { if (type === 'stop') aborted.abort() })
try {
  const onProgress = paced<Extract<RunReply, { type: 'progress' }>>(tell, PROGRESS_EVERY_MS, () => performance.now())
  const result = await runScenario(scenario, { ...options, signal: aborted.signal, onProgress: (progress, phase) => { onProgress({ type: 'progress', progress, phase }) } })
  tell({ type: 'result', result })
} catch (error) {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  const isExpected = error instanceof ShoalError
  tell({ type: 'failed', isExpected, code: isExpected ? error.code : undefined, message, stack })
}
parentPort?.close()
