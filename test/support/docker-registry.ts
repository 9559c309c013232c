import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { hash } from 'bcryptjs'
import { boundCommand } from '../../scenarios/live/child-process.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'
import type { TestImage } from './image.ts'

const LOOPBACK = '127.0.0.1'
const START_TIMEOUT_MS = 10_000
const STOP_TIMEOUT_MS = 5_000
const LOG_TIMEOUT_MS = 5_000
const BCRYPT_ROUNDS = 4
const LISTENING = /listening on (?:[\d.]+|\[::1\]):(\d+)/
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
  const configuration = join(work, 'config.json')
  await writeFile(configuration, JSON.stringify(await configurationOf(init, work, dir)))

  const { listenHost: host = LOOPBACK, runner = [] } = init
  const [command = '', ...args] = [...runner, 'docker-registry', 'serve', configuration]
  const child = spawn(...boundCommand(command, args), { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: 'none' } })
  const log = new AccessLog(child)
  const stop = async (): Promise<void> => {
    await end(child)
    await removeTempDir(work)
  }

  try {
    const port = await listening(child)
    const url = `http://${host}:${port}`
    return { url, host, port, pid: child.pid ?? 0, dir, requests: () => log.requests(url), stop }
  } catch (error) {
    await stop()
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

/** The configuration in JSON, which is YAML too. */
async function configurationOf (init: DockerRegistryInit, work: string, dir: string): Promise<object> {
  const configuration: Record<string, unknown> = {
    version: '0.1',
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: dir }, delete: { enabled: true } },
    http: { addr: `${init.listenHost ?? LOOPBACK}:${init.port ?? 0}`, secret: 'test' }
  }
  if (init.auth !== undefined) {
    const path = join(work, 'htpasswd')
    await writeFile(path, `${init.auth.username}:${await hash(init.auth.password, BCRYPT_ROUNDS)}\n`)
    configuration.auth = { htpasswd: { realm: 'test', path } }
  }
  if (init.proxyOf !== undefined) configuration.proxy = { remoteurl: init.proxyOf }
  return configuration
}

async function listening (child: ChildProcess): Promise<number> {
  const lines = createInterface({ input: child.stderr ?? neverNull() })
  const seen: string[] = []
  try {
    return await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => { reject(new Error(`docker-registry did not listen within ${START_TIMEOUT_MS} ms: ${seen.join('\n')}`)) }, START_TIMEOUT_MS)
      lines.on('line', line => {
        seen.push(line)
        const port = LISTENING.exec(line)?.[1]
        if (port === undefined) return
        clearTimeout(timer)
        resolve(Number(port))
      })
      child.once('error', reject)
      child.once('exit', code => {
        clearTimeout(timer)
        reject(new Error(`docker-registry ended with ${code}: ${seen.join('\n')}`))
      })
    })
  } finally {
    lines.close()
    child.stderr?.resume()
  }
}

async function end (child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  const timer = setTimeout(() => { child.kill('SIGKILL') }, STOP_TIMEOUT_MS)
  child.kill('SIGTERM')
  await ended
  clearTimeout(timer)
}

/** Reads the access log as it is written; asks a marked request to know that everything before it has been seen. */
class AccessLog {
  readonly #lines: RequestLine[] = []
  readonly #markers = new Map<string, () => void>()

  constructor (child: ChildProcess) {
    createInterface({ input: child.stdout ?? neverNull() }).on('line', line => { this.#add(line) })
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

function neverNull (): never {
  throw new Error('spawned without pipes')
}
