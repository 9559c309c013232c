import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const SLOW_TICK_MS = 20

/** What a request is about. */
export type ZooTopic = 'base' | 'manifest' | 'blob' | 'tags' | 'referrers' | 'token' | 'other'

/** One request as the zoo saw it. */
export interface ZooRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly topic: ZooTopic
  /** Empty where the topic has none. */
  readonly repository: string
  /** Tag or digest. */
  readonly reference: string
  readonly headers: Readonly<Record<string, string>>
  /** Body of the request. */
  body: string
  /** 0 until it was answered. */
  status: number
  /** Bytes of the answer's body handed to the socket so far. */
  bytesSent: number
}

/** An answer before a behaviour spoils it. */
export interface ZooAnswer {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Uint8Array
}

export type ZooDeed =
  /** Another answer. */
  | { readonly type: 'answer', readonly status: number, readonly headers?: OutgoingHttpHeaders, readonly body?: string | Uint8Array }
  /** The right answer with other headers; undefined removes one. */
  | { readonly type: 'headers', readonly headers: OutgoingHttpHeaders }
  /** The whole content with 200, whatever Range asks. */
  | { readonly type: 'ignore-range' }
  /** Nothing at all: the connection stays open. */
  | { readonly type: 'hang' }
  /** Headers and so many bytes of the body, then nothing. */
  | { readonly type: 'stall', readonly afterBytes: number }
  /** Headers and so many bytes of the body, then the connection is closed. */
  | { readonly type: 'cut', readonly afterBytes: number }
  /** The connection is closed instead of an answer. */
  | { readonly type: 'drop' }
  | { readonly type: 'slow', readonly bytesPerSecond: number }
  /** Somewhere else: `to` is a URL or a prefix (with a `/` at its end) that the request's path is put behind. */
  | { readonly type: 'redirect', readonly to: string, readonly status?: number }
  /** The right answer with some bytes flipped. */
  | { readonly type: 'flip', readonly atByte: number }

export interface ZooBehaviour {
  /** Which requests: all members given must fit. @default every request but those for tokens */
  readonly on?: { readonly method?: string, readonly topic?: ZooTopic, readonly repository?: string, readonly reference?: string }
  /** How often it happens before it is over. @default Infinity */
  readonly times?: number
  /** How many fitting requests are spared first. @default 0 */
  readonly skip?: number
  readonly deed: ZooDeed
}

/** A behaviour with its counters. */
export class ActiveBehaviour {
  readonly behaviour: ZooBehaviour
  #spared = 0
  #done = 0

  constructor (behaviour: ZooBehaviour) {
    this.behaviour = behaviour
  }

  /** The deed, if this behaviour wants the request; counts it. */
  claim (request: ZooRequest): ZooDeed | undefined {
    const { on, times = Infinity, skip = 0, deed } = this.behaviour
    const fits = on === undefined
      ? request.topic !== 'token'
      : (['method', 'topic', 'repository', 'reference'] as const).every(key => on[key] === undefined || on[key] === request[key])
    if (!fits || this.#done >= times) return undefined
    if (this.#spared++ < skip) return undefined
    this.#done++
    return deed
  }
}

/** Sends the answer as the deed has it. */
export async function sendAnswer (request: ZooRequest, response: ServerResponse, answer: ZooAnswer, deed: ZooDeed | undefined): Promise<void> {
  switch (deed?.type) {
    case 'hang':
      return
    case 'drop':
      response.socket?.destroy()
      return
    case 'answer':
      return end(request, response, { status: deed.status, headers: deed.headers ?? {}, body: Buffer.from(deed.body ?? '') })
    case 'headers':
      return end(request, response, { ...answer, headers: { ...answer.headers, ...deed.headers } })
    case 'redirect':
      return end(request, response, { status: deed.status ?? 307, headers: { Location: deed.to.endsWith('/') ? deed.to.slice(0, -1) + request.url : deed.to }, body: Buffer.from('elsewhere') })
    case 'flip': {
      const body = Buffer.from(answer.body)
      body[deed.atByte] = (body[deed.atByte] ?? 0) ^ 0xff
      return end(request, response, { ...answer, body })
    }
    case 'stall':
      return begin(request, response, answer, deed.afterBytes)
    case 'cut':
      await begin(request, response, answer, deed.afterBytes)
      response.socket?.destroySoon()
      return
    case 'slow':
      return trickle(request, response, answer, deed.bytesPerSecond)
    case 'ignore-range':
    case undefined:
      return end(request, response, answer)
  }
}

function end (request: ZooRequest, response: ServerResponse, { status, headers, body }: ZooAnswer): void {
  head(request, response, { status, headers, body })
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  request.bytesSent += body.length
  response.end(body)
}

async function begin (request: ZooRequest, response: ServerResponse, answer: ZooAnswer, bytes: number): Promise<void> {
  head(request, response, answer)
  response.flushHeaders()
  const part = answer.body.subarray(0, bytes)
  if (request.method === 'HEAD' || part.length === 0) return
  request.bytesSent += part.length
  await new Promise<void>(resolve => { response.write(part, () => { resolve() }) })
}

async function trickle (request: ZooRequest, response: ServerResponse, answer: ZooAnswer, bytesPerSecond: number): Promise<void> {
  head(request, response, answer)
  response.flushHeaders()
  const step = Math.max(1, Math.round(bytesPerSecond * SLOW_TICK_MS / 1000))
  for (let at = 0; at < answer.body.length && !response.destroyed; at += step) {
    const part = answer.body.subarray(at, at + step)
    request.bytesSent += part.length
    response.write(part)
    await sleep(SLOW_TICK_MS)
  }
  response.end()
}

function head (request: ZooRequest, response: ServerResponse, { status, headers, body }: ZooAnswer): void {
  request.status = status
  const all: OutgoingHttpHeaders = { 'Content-Length': body.length, ...headers }
  response.writeHead(status, Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)))
}
