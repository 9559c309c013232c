import { parentPort } from 'node:worker_threads'
import type { HashReply, HashRequest } from './hash-messages.ts'
import { HashTurns } from './hash-turns.ts'

/**
 * The thread that hashes files while they grow. It reads them itself (from the page cache, into one buffer),
 * so no content crosses threads; the main thread only says how far it may read. Started by HashPool.
 */
const turns = new HashTurns((message: HashReply) => { parentPort?.postMessage(message) })
let isWorking = false

/** One turn, then room for messages. */
function work (): void {
  isWorking = turns.turn()
  if (isWorking) setImmediate(work)
}

parentPort?.on('message', (request: HashRequest) => {
  turns.receive(request)
  if (isWorking) return
  isWorking = true
  setImmediate(work)
})
