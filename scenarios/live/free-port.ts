import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that systems give to connections and to who listens on any port: between the choice and its use nobody takes one of these. */
const FIRST_PORT = 10_000
const END_PORT = 32_000
const ATTEMPTS = 100

const given = new Set<number>()

/** A port of the loopback interface that nobody listens on now. For processes that must be told one, and have it again after a restart. */
export async function freePort (): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(FIRST_PORT, END_PORT)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port among ${ATTEMPTS} from ${FIRST_PORT} to ${END_PORT}`)
}

async function isFree (port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
