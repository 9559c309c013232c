import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { digestOf } from '../../src/oci/digest.ts'
import type { TestImage, TestManifest } from './image.ts'
import { ActiveBehaviour, sendAnswer, type ZooAnswer, type ZooBehaviour, type ZooRequest, type ZooTopic } from './zoo-behaviour.ts'
import { ZooGate, type ZooAuth } from './zoo-auth.ts'

const PATHS: ReadonlyArray<readonly [ZooTopic, RegExp]> = [
  ['token', /^\/token$/],
  ['base', /^\/v2\/?$/],
  ['manifest', /^\/v2\/(.+)\/manifests\/([^/]+)$/],
  ['blob', /^\/v2\/(.+)\/blobs\/([^/]+)$/],
  ['tags', /^\/v2\/(.+)\/tags\/list$/],
  ['referrers', /^\/v2\/(.+)\/referrers\/([^/]+)$/]
]

/** What a repository of the zoo holds. */
interface ZooRepository {
  readonly images?: readonly TestImage[]
  /** By tag: images' indexes or anything else that is sent as a manifest. */
  readonly tags?: Readonly<Record<string, TestManifest>>
  readonly manifests?: readonly TestManifest[]
  readonly blobs?: readonly Uint8Array[]
  /** By subject. @default the endpoint answers 404 */
  readonly referrers?: Readonly<Record<string, object>>
}

export interface RegistryZooInit {
  /** By name. */
  readonly repositories?: Readonly<Record<string, ZooRepository>>
  /** In order: the first that wants a request has it. @default none: a good registry */
  readonly behaviours?: readonly ZooBehaviour[]
  readonly auth?: ZooAuth
  /** Serve https. With `clientCa` a client certificate of that authority is needed. */
  readonly tls?: { readonly cert: string, readonly key: string, readonly clientCa?: string }
  /** @default all on one page */
  readonly tagsPerPage?: number
  /** @default any free port */
  readonly port?: number
}

export interface RegistryZoo {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly host: string
  readonly port: number
  /** All requests, in order of arrival. */
  readonly requests: readonly ZooRequest[]
  /** TCP connections accepted so far. */
  readonly connections: number
  /** Those that are open now. */
  readonly openConnections: number
  /** Adds a behaviour in front of those there are. */
  behave (behaviour: ZooBehaviour): void
  /** From now on a good registry. */
  behaveWell (): void
  /** Tokens given out so far are good no longer. */
  revokeTokens (): void
  /** Ends all connections and stops. */
  stop (): Promise<void>
}

/**
 * A registry on the loopback interface that does what the OCI distribution spec says, until a behaviour makes it do
 * something else. For clients: what docker-registry does not do on demand.
 */
export async function startRegistryZoo (init: RegistryZooInit = {}): Promise<RegistryZoo> {
  const content = new Content(init)
  const gate = new ZooGate(init.auth)
  const requests: ZooRequest[] = []
  let behaviours = (init.behaviours ?? []).map(behaviour => new ActiveBehaviour(behaviour))
  let connections = 0
  let url = ''

  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = readRequest(message)
    requests.push(request)
    message.setEncoding('utf8')
    for await (const chunk of message as AsyncIterable<string>) request.body += chunk
    let deed
    for (const behaviour of behaviours) {
      deed = behaviour.claim(request)
      if (deed !== undefined) break
    }
    const answer = gate.refuse(request, url) ?? (request.topic === 'token' ? gate.token(request) : content.answer(request, deed?.type === 'ignore-range'))
    await sendAnswer(request, response, answer, deed)
  }

  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    serve(message, response).catch(() => { response.socket?.destroy() })
  }
  const server = init.tls === undefined
    ? createHttpServer(listener)
    : createHttpsServer({ cert: init.tls.cert, key: init.tls.key, ...(init.tls.clientCa === undefined ? {} : { ca: init.tls.clientCa, requestCert: true, rejectUnauthorized: true }) }, listener)
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const { port } = await listen(server, init.port ?? 0)
  url = `${init.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`

  return {
    url,
    host: `127.0.0.1:${port}`,
    port,
    requests,
    get connections () { return connections },
    get openConnections () { return sockets.size },
    behave: behaviour => { behaviours = [new ActiveBehaviour(behaviour), ...behaviours] },
    behaveWell: () => { behaviours = [] },
    revokeTokens: () => { gate.revoke() },
    stop: async () => {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    }
  }
}

class Content {
  readonly #manifests = new Map<string, TestManifest>()
  readonly #blobs = new Map<string, Uint8Array>()
  readonly #tags = new Map<string, string[]>()
  readonly #referrers = new Map<string, object>()
  readonly #tagsPerPage: number

  constructor ({ repositories = {}, tagsPerPage = Infinity }: RegistryZooInit) {
    this.#tagsPerPage = tagsPerPage
    for (const [name, { images = [], tags = {}, manifests = [], blobs = [], referrers = {} }] of Object.entries(repositories)) {
      for (const image of images) {
        for (const [digest, bytes] of image.blobs) this.#blobs.set(`${name} ${digest}`, bytes)
      }
      for (const bytes of blobs) this.#blobs.set(`${name} ${digestOf(bytes)}`, bytes)
      for (const manifest of [...manifests, ...images.flatMap(image => [...image.manifests, image.index]), ...Object.values(tags)]) {
        this.#manifests.set(`${name} ${manifest.digest}`, manifest)
      }
      for (const [tag, manifest] of Object.entries(tags)) this.#manifests.set(`${name} ${tag}`, manifest)
      this.#tags.set(name, Object.keys(tags))
      for (const [digest, index] of Object.entries(referrers)) this.#referrers.set(`${name} ${digest}`, index)
    }
  }

  answer (request: ZooRequest, ignoresRange: boolean): ZooAnswer {
    const key = `${request.repository} ${request.reference}`
    switch (request.topic) {
      case 'base': return json(200, {})
      case 'manifest': {
        const manifest = this.#manifests.get(key)
        if (manifest === undefined) return unknown('MANIFEST_UNKNOWN')
        return { status: 200, headers: { 'Content-Type': manifest.mediaType, 'Docker-Content-Digest': manifest.digest, ETag: `"${manifest.digest}"` }, body: manifest.bytes }
      }
      case 'blob': {
        const bytes = this.#blobs.get(key)
        return bytes === undefined ? unknown('BLOB_UNKNOWN') : ranged(request, bytes, ignoresRange)
      }
      case 'tags': return this.#tagsPage(request)
      case 'referrers': {
        const index = this.#referrers.get(key)
        return index === undefined ? unknown('NOT_FOUND') : json(200, index)
      }
      case 'token':
      case 'other': return unknown('NOT_FOUND')
    }
  }

  #tagsPage ({ repository, url }: ZooRequest): ZooAnswer {
    const tags = this.#tags.get(repository)
    if (tags === undefined) return unknown('NAME_UNKNOWN')
    const last = new URL(url, 'http://zoo').searchParams.get('last')
    const start = last === null ? 0 : tags.indexOf(last) + 1
    const page = tags.slice(start, start + this.#tagsPerPage)
    const isLast = start + page.length >= tags.length
    const answer = json(200, { name: repository, tags: page })
    return isLast ? answer : { ...answer, headers: { ...answer.headers, Link: `</v2/${repository}/tags/list?last=${page.at(-1)}&n=${this.#tagsPerPage}>; rel="next"` } }
  }
}

function ranged ({ headers, reference }: ZooRequest, bytes: Uint8Array, ignoresRange: boolean): ZooAnswer {
  const common = { 'Content-Type': 'application/octet-stream', 'Docker-Content-Digest': reference, ETag: `"${reference}"` }
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
  const isAnother = headers['if-range'] !== undefined && headers['if-range'] !== common.ETag
  if (first === undefined || ignoresRange || isAnother) return { status: 200, headers: common, body: bytes }
  const start = Number(first)
  const end = Math.min(last === '' || last === undefined ? Infinity : Number(last), bytes.length - 1)
  if (start > end) return { status: 416, headers: { ...common, 'Content-Range': `bytes */${bytes.length}` }, body: new Uint8Array() }
  return { status: 206, headers: { ...common, 'Content-Range': `bytes ${start}-${end}/${bytes.length}` }, body: bytes.subarray(start, end + 1) }
}

function readRequest ({ method = '', url = '', headers }: IncomingMessage): ZooRequest {
  const path = url.split('?', 1)[0] ?? ''
  const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value ?? '']))
  for (const [topic, pattern] of PATHS) {
    const match = pattern.exec(path)
    if (match !== null) return { method, url, topic, repository: match[1] ?? '', reference: match[2] ?? '', headers: flat, body: '', status: 0, bytesSent: 0 }
  }
  return { method, url, topic: 'other', repository: '', reference: '', headers: flat, body: '', status: 0, bytesSent: 0 }
}

function json (status: number, document: object): ZooAnswer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: Buffer.from(JSON.stringify(document)) }
}

function unknown (code: string): ZooAnswer {
  return json(404, { errors: [{ code, message: 'not in this zoo' }] })
}

async function listen (server: Server, port: number): Promise<AddressInfo> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server.address() as AddressInfo
}
