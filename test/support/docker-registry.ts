import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { hash } from 'bcryptjs'
import { startRegistryProcess } from '../../scenarios/live/registry-process.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'
import type { TestImage } from './image.ts'

const LOOPBACK = '127.0.0.1'
const LOG_TIMEOUT_MS = 5_000
const BCRYPT_ROUNDS = 4
const ACCESS_LINE = /^\S+ - \S+ \[[^\]]*\] "(\S+) (\S+) HTTP\/[\d.]+" (\d{3}) (\d+) "[^"]*" "([^"]*)"/

/** One line of the registry's access log: one request that it has answered to the end. */
interface RequestLine {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** With the leading `?`, or empty. */
  readonly query: string
  readonly status: number
  /** Bytes of the answer's body that went out: none to a HEAD, though the log counts those it would have. */
  readonly bytes: number
  readonly userAgent: string
}

export interface DockerRegistryInit {
  /** Ask every request for this Basic credential. */
  auth?: { username: string, password: string }
  /** Where the content lies. A directory given stays after `stop`; without one it is a temporary one. */
  dir?: string
  /** @default any free port */
  port?: number
  /** URL of a registry that this one is a pull-through cache of. */
  proxyOf?: string
  /** IPv4 address that it listens on. @default '127.0.0.1' */
  listenHost?: string
  /** Command that runs the registry as its last arguments, e.g. in a namespace. It must replace itself by the registry. */
  runner?: readonly string[]
}

export interface DockerRegistry {
  /** `http://HOST:PORT` */
  readonly url: string
  /** `127.0.0.1` unless told otherwise */
  readonly host: string
  readonly port: number
  readonly pid: number
  readonly dir: string
  /** All requests answered so far, in the order in which their answers ended. */
  requests (): Promise<RequestLine[]>
  stop (): Promise<void>
}

/** Starts Debian's docker-registry 2.8, on the loopback interface unless told otherwise, and waits until it listens. */
export async function startDockerRegistry (init: DockerRegistryInit = {}): Promise<DockerRegistry> {
  const work = await makeTempDir('registry')
  const dir = init.dir ?? join(work, 'content')
  await mkdir(dir, { recursive: true })
  const { listenHost: host = LOOPBACK } = init
  try {
    const registry = await startRegistryProcess({ ...init, dir, workDir: work, host, configuration: await configurationOf(init, work) })
    const { port, pid } = registry
    const log = new AccessLog(registry.stdout)
    const url = `http://${host}:${port}`
    const stop = async (): Promise<void> => {
      await registry.stop()
      await removeTempDir(work)
    }
    return { url, host, port, pid, dir, requests: () => log.requests(url), stop }
  } catch (error) {
    await removeTempDir(work)
    throw error
  }
}

export interface PushOptions {
  /** @default none: the manifests are known by digest only */
  tag?: string
  auth?: { username: string, password: string }
}

/** Uploads an image: every blob, every manifest by digest, and the index under its tag. */
export async function pushImage (url: string, name: string, image: TestImage, options: PushOptions = {}): Promise<void> {
  for (const [digest, bytes] of image.blobs) await pushBlob(url, name, digest, bytes, options)
  for (const manifest of image.manifests) await pushManifest(url, name, manifest.digest, manifest, options)
  await pushManifest(url, name, options.tag ?? image.index.digest, image.index, options)
}

export async function pushBlob (url: string, name: string, digest: string, bytes: Uint8Array, options: PushOptions = {}): Promise<void> {
  const begun = await send(`${url}/v2/${name}/blobs/uploads/`, { method: 'POST' }, 202, options)
  const location = new URL(begun.headers.get('location') ?? '', url)
  location.searchParams.set('digest', digest)
  await send(location, { method: 'PUT', body: bytes as Uint8Array<ArrayBuffer>, headers: { 'Content-Type': 'application/octet-stream' } }, 201, options)
}

export async function pushManifest (url: string, name: string, reference: string, manifest: { mediaType: string, bytes: Uint8Array }, options: PushOptions = {}): Promise<void> {
  await send(`${url}/v2/${name}/manifests/${reference}`, { method: 'PUT', body: manifest.bytes as Uint8Array<ArrayBuffer>, headers: { 'Content-Type': manifest.mediaType } }, 201, options)
}

async function send (url: string | URL, init: RequestInit, expected: number, { auth }: PushOptions): Promise<Response> {
  const headers = new Headers(init.headers)
  if (auth !== undefined) headers.set('Authorization', `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`)
  const response = await fetch(url, { ...init, headers })
  const text = await response.text()
  if (response.status !== expected) throw new Error(`${init.method} ${url}: ${response.status} ${text}`)
  return response
}

/** What it has beyond a plain registry. */
async function configurationOf (init: DockerRegistryInit, work: string): Promise<Record<string, unknown>> {
  const configuration: Record<string, unknown> = {}
  if (init.auth !== undefined) {
    const path = join(work, 'htpasswd')
    await writeFile(path, `${init.auth.username}:${await hash(init.auth.password, BCRYPT_ROUNDS)}\n`)
    configuration.auth = { htpasswd: { realm: 'test', path } }
  }
  if (init.proxyOf !== undefined) configuration.proxy = { remoteurl: init.proxyOf }
  return configuration
}

/** Reads the access log as it is written; asks a marked request to know that everything before it has been seen. */
class AccessLog {
  readonly #lines: RequestLine[] = []
  readonly #markers = new Map<string, () => void>()

  constructor (output: Readable) {
    createInterface({ input: output }).on('line', line => { this.#add(line) })
  }

  async requests (url: string): Promise<RequestLine[]> {
    const marker = randomUUID()
    const seen = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => { reject(new Error(`the access log did not show the marker within ${LOG_TIMEOUT_MS} ms`)) }, LOG_TIMEOUT_MS)
      this.#markers.set(marker, () => { clearTimeout(timer); resolve() })
    })
    await (await fetch(`${url}/v2/?marker=${marker}`, { headers: { Connection: 'close' } })).arrayBuffer()
    await seen
    return [...this.#lines]
  }

  #add (line: string): void {
    const match = ACCESS_LINE.exec(line)
    if (match === null) return
    const [, method = '', target = '', status = '', bytes = '', userAgent = ''] = match
    const [path = '', query] = target.split('?', 2)
    const marked = this.#markers.get(query?.slice('marker='.length) ?? '')
    if (marked !== undefined) return marked()
    this.#lines.push({ method, path, query: query === undefined ? '' : `?${query}`, status: Number(status), bytes: method === 'HEAD' ? 0 : Number(bytes), userAgent })
  }
}
