import { parentPort } from 'node:worker_threads'
import { FileHash } from './file-hash.ts'
import { hashFailure } from './hash-block.ts'
import { HASH_BLOCK_BYTES, type HashReply, type HashRequest } from './hash-messages.ts'
import { SpanHashQueue } from './span-hash-queue.ts'

/**
 * The thread that hashes files while they grow. It reads them itself (from the page cache, into one buffer),
 * so no content crosses threads; the main thread only says how far it may read. Started by HashPool.
 */

/** Of spans, before a running hash gets a block: somebody waits for a span to pass it on, the running hashes matter at their end. */
const SPAN_BYTES_PER_TURN = 4 * HASH_BLOCK_BYTES

const jobs = new Map<number, FileHash>()
const spans = new SpanHashQueue()
let isWorking = false

function reply (message: HashReply): void {
  parentPort?.postMessage(message)
}

function guard (job: number, task: () => boolean): boolean {
  try {
    return task()
  } catch (error) {
    reply({ type: 'failed', job, ...hashFailure(error) })
    stop(job)
    return false
  }
}

function stop (job: number): void {
  jobs.get(job)?.close()
  jobs.delete(job)
}

function rewind (job: number, as: number, to: number): void {
  const file = jobs.get(job)
  if (file === undefined) return reply({ type: 'failed', job: as, code: 'STOPPED', message: 'stopped' })
  jobs.delete(job)
  jobs.set(as, file)
  file.rewind(as, to)
}

/** Spans first, then one block of each file, or of one while spans wait; then room for messages. */
function work (): void {
  isWorking = false
  const results = spans.step(SPAN_BYTES_PER_TURN)
  if (results.length > 0) reply({ type: 'spans', results })
  for (const [job, file] of [...jobs]) {
    if (!guard(job, () => file.step())) continue
    isWorking = true
    if (spans.isEmpty) continue
    // the others' turn comes next
    jobs.delete(job)
    jobs.set(job, file)
    break
  }
  if (!spans.isEmpty) isWorking = true
  if (isWorking) setImmediate(work)
}

function receive (request: HashRequest): void {
  switch (request.type) {
    case 'start':
      guard(request.job, () => {
        jobs.set(request.job, new FileHash(request, reply))
        return false
      })
      break
    case 'advance':
      jobs.get(request.job)?.advance(request.to)
      break
    case 'finish':
      jobs.get(request.job)?.finish(request)
      break
    case 'rewind':
      rewind(request.job, request.as, request.to)
      break
    case 'stop':
      stop(request.job)
      break
    case 'spans':
      spans.add(request.spans)
      break
    default:
      request satisfies never
  }
  if (!isWorking) {
    isWorking = true
    setImmediate(work)
  }
}

parentPort?.on('message', receive)
