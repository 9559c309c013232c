import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DOCKER_HUB } from '../oci/registry-host.ts'
import { RecentMap } from '../recent.ts'
import { askCredentialHelper } from './credential-helper.ts'
import type { Credential, CredentialSource, CredentialTarget } from './credentials.ts'
import { waitFor } from './deadline.ts'
import { readDockerConfig, searchDockerConfig, type DockerConfig } from './docker-config.ts'
import { noLog, type OriginLog } from './origin-log.ts'

const DEFAULT_HELPER_TIMEOUT_MS = 5000
const HELPER_ANSWER_TTL_MS = 60_000
const MAX_HELPER_ANSWERS = 100
const MAX_FILE_BYTES = 4 * 1024 * 1024
/** What Docker's helpers call Docker Hub. */
const DOCKER_HUB_SERVER = 'https://index.docker.io/v1/'

/** The variables that say where Docker and podman keep their credentials. */
export interface CredentialEnvironment {
  readonly REGISTRY_AUTH_FILE?: string | undefined
  readonly DOCKER_CONFIG?: string | undefined
  readonly XDG_RUNTIME_DIR?: string | undefined
  readonly XDG_CONFIG_HOME?: string | undefined
  readonly HOME?: string | undefined
}

/**
 * Where to look, first to last: the file or directory a variable names, and nothing else; without one podman's two
 * places (containers-auth.json(5)), then Docker's.
 */
export function credentialFilePaths ({ REGISTRY_AUTH_FILE: authFile, DOCKER_CONFIG: dockerConfig, XDG_RUNTIME_DIR: runtimeDir, XDG_CONFIG_HOME: configHome, HOME: home }: CredentialEnvironment): string[] {
  const named = [authFile, dockerConfig && join(dockerConfig, 'config.json')].filter(isPath)
  if (named.length > 0) return named
  return [
    runtimeDir && join(runtimeDir, 'containers', 'auth.json'),
    configHome ? join(configHome, 'containers', 'auth.json') : home && join(home, '.config', 'containers', 'auth.json'),
    home && join(home, '.docker', 'config.json')
  ].filter(isPath)
}

export interface FileCredentialsComponents {
  readonly log?: OriginLog
  /** Milliseconds, monotonic. @default performance.now */
  readonly now?: () => number
}

export interface FileCredentialsInit {
  /** Files in Docker's format, first to last. */
  readonly paths: readonly string[]
  /** How long a credential helper may take. @default 5000 */
  readonly helperTimeoutMs?: number
  /** Environment of the helpers. @default this process's */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

interface KnownFile {
  readonly version: string
  readonly config: DockerConfig | undefined
}

/**
 * Credentials of Docker's and podman's files and the helpers they name. A file is read again when it has changed; a
 * helper's answer is kept for a minute, so that a pull of many layers asks it once.
 */
export class FileCredentials implements CredentialSource {
  readonly #log: OriginLog
  readonly #now: () => number
  readonly #paths: readonly string[]
  readonly #helperTimeoutMs: number
  readonly #environment: Readonly<Record<string, string | undefined>> | undefined
  readonly #files = new Map<string, KnownFile>()
  readonly #helperAnswers = new RecentMap<string, { readonly untilMs: number, readonly answer: Promise<Credential | undefined> }>(MAX_HELPER_ANSWERS)

  constructor ({ log = noLog, now = () => performance.now() }: FileCredentialsComponents, { paths, helperTimeoutMs = DEFAULT_HELPER_TIMEOUT_MS, environment }: FileCredentialsInit) {
    this.#log = log
    this.#now = now
    this.#paths = paths
    this.#helperTimeoutMs = helperTimeoutMs
    this.#environment = environment
  }

  async find (target: CredentialTarget, { signal }: { signal?: AbortSignal } = {}): Promise<Credential | undefined> {
    for (const path of this.#paths) {
      const config = await this.#read(path)
      signal?.throwIfAborted()
      const found = config && searchDockerConfig(config, target)
      if (found?.type === 'credential') return found.credential
      if (found?.type === 'helper') {
        const credential = await waitFor(this.#askHelper(found.helper, target.host), signal)
        if (credential !== undefined) return credential
      }
    }
    return undefined
  }

  async #read (path: string): Promise<DockerConfig | undefined> {
    let version = 'missing'
    try {
      const { mtimeMs, size, ino } = await stat(path)
      version = `${mtimeMs} ${size} ${ino}`
      const known = this.#files.get(path)
      if (known?.version === version) return known.config
      if (size > MAX_FILE_BYTES) throw new Error(`more than ${MAX_FILE_BYTES} bytes`)
      const config = readDockerConfig(await readFile(path, 'utf8'))
      this.#files.set(path, { version, config })
      return config
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      if (!isMissing && this.#files.get(path)?.version !== version) this.#log({ type: 'origin:credentials-failed', source: path, reason: messageOf(error) })
      this.#files.set(path, { version, config: undefined })
      return undefined
    }
  }

  #askHelper (helper: string, host: string): Promise<Credential | undefined> {
    const key = `${helper} ${host}`
    const known = this.#helperAnswers.get(key)
    if (known !== undefined && known.untilMs > this.#now()) return known.answer
    const server = host === DOCKER_HUB ? DOCKER_HUB_SERVER : host
    const answer = askCredentialHelper(helper, server, { timeoutMs: this.#helperTimeoutMs, environment: this.#environment }).catch((error: unknown) => {
      this.#log({ type: 'origin:credentials-failed', source: `docker-credential-${helper.slice(0, 100)}`, reason: messageOf(error) })
      return undefined
    })
    this.#helperAnswers.set(key, { untilMs: this.#now() + HELPER_ANSWER_TTL_MS, answer })
    return answer
  }
}

function isPath (path: string | undefined): path is string {
  return path !== undefined && path !== ''
}

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : 'unknown reason'
}
