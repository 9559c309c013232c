import { once } from 'node:events'
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { randomOf } from '../random.ts'
import type { FrontReply, FrontRequest, OriginPolicy } from './origin-policy.ts'

/*
 * An HTTP front before the registry, a process of its own in the registry's place: it counts what goes out and does what a registry
 * under load, or one without Range, does. What it is to do comes over the channel from the process that started it.
 */

/** What was sent is told at most so often. */
const TELL_MS = 50
const CONTENT = /\/(?:blobs|manifests)\//

const upstream = new Agent({ keepAlive: true })
const server = createServer((incoming, response) => { answer(incoming, response).catch(() => { response.destroy() }) })
let policy: OriginPolicy = { hasRanges: true, rejectShare: 0, retryAfterMs: 0, bytesPerSecond: Infinity }
let place = { host: '127.0.0.1', port: 0 }
let target = ''
let random = randomOf(0, 'origin')
/** When the next byte may leave, by the pace. */
let dueMs = 0
let untold = 0
let lastTold = 0

process.on('message', (message: FrontRequest) => { obey(message).catch((error: unknown) => { throw error }) })
process.on('disconnect', () => { process.exit() })
// Ctrl-C is for the one that started it.
process.on('SIGINT', () => {})

async function obey (message: FrontRequest): Promise<void> {
  switch (message.type) {
    case 'open':
      place = { host: message.host, port: 0 }
      target = message.target
      random = randomOf(message.seed, 'origin')
      await listen()
      break
    case 'policy':
      policy = message.policy
      break
    case 'down':
      if (server.listening) {
        server.close()
        server.closeAllConnections()
        await once(server, 'close')
      }
      tell({ type: 'down' })
      break
    case 'up':
      await listen()
      break
    default:
      message satisfies never
  }
}

async function listen (): Promise<void> {
  if (!server.listening) {
    server.listen(place.port, place.host)
    await once(server, 'listening')
    place = { ...place, port: (server.address() as AddressInfo).port }
  }
  tell({ type: 'up', port: place.port })
}

async function answer (incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = '/' } = incoming
  const isContent = method === 'GET' && CONTENT.test(url)
  if (isContent && random() < policy.rejectShare) {
    tell({ type: 'rejected', atMs: Date.now() })
    response.writeHead(429, { 'Retry-After': String(Math.ceil(policy.retryAfterMs / 1000)), 'Content-Type': 'application/json' })
    response.end('{"errors":[{"code":"TOOMANYREQUESTS","message":"too many requests"}]}')
    return
  }
  const { range, ...headers } = incoming.headers
  const hasRange = range !== undefined && policy.hasRanges
  const asked = request(new URL(url, target), { method, headers: hasRange ? { ...headers, range } : headers, agent: upstream })
  response.once('close', () => { asked.destroy() })
  incoming.pipe(asked)
  const [answered] = await once(asked, 'response') as [IncomingMessage]
  const { 'accept-ranges': _, ...others } = answered.headers
  response.writeHead(answered.statusCode ?? 502, policy.hasRanges ? answered.headers : others)
  let bytes = 0
  try {
    await pipeline(answered, body => isContent ? counted(body as AsyncIterable<Buffer>, length => { bytes += length }) : body, response)
  } finally {
    if (isContent) {
      tellSent()
      tell({ type: 'answered', atMs: Date.now(), bytes })
    }
  }
}

/** At the pace that the policy allows to all bodies together. */
async function * counted (body: AsyncIterable<Buffer>, onBytes: (length: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    const now = performance.now()
    dueMs = Math.max(dueMs, now) + chunk.length / policy.bytesPerSecond * 1000
    if (dueMs - now > 1) await delay(dueMs - now)
    yield chunk
    onBytes(chunk.length)
    untold += chunk.length
    if (Date.now() - lastTold >= TELL_MS) tellSent()
  }
}

function tellSent (): void {
  if (untold === 0) return
  lastTold = Date.now()
  tell({ type: 'sent', atMs: lastTold, bytes: untold })
  untold = 0
}

function tell (reply: FrontReply): void {
  process.send?.(reply)
}
