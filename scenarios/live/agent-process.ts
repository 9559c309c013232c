import { readFileSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { PeerAnswer, StatusAnswer } from '../../agent/api-types.ts'
import { Daemon } from './child-process.ts'
import { freePort } from './free-port.ts'
import { makeTempDir, removeTempDir } from './temp-dir.ts'
import { until } from './until.ts'

const START_TIMEOUT_MS = 20_000
const QUERY_TIMEOUT_MS = 5_000
/** Each question costs the agents a part of what they start with. */
const POLL_MS = 50
const LOOPBACK = '127.0.0.1'
const LOG_NAME = 'agent.log'
const MAIN = join(import.meta.dirname, `../../agent/main${extname(import.meta.filename)}`)
/** As the agent's first line says. */
const NODE_FLAGS = /^#!\S+ -S node (.+)/.exec(readFileSync(MAIN, 'utf8'))?.[1]?.split(' ') ?? []

export interface AgentInit {
  /** Registries by name: where their content really is. */
  readonly origins?: Readonly<Record<string, string>>
  /** Multiaddrs of agents to join by. */
  readonly bootstrap?: readonly string[]
  /** A directory given stays after `stop`. @default a temporary one */
  readonly dataDir?: string
  /** Further arguments, as on the command line. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Command that runs the agent as its last arguments, e.g. in a namespace. It must replace itself by the agent. */
  readonly runner?: readonly string[]
  /** IPv4 address that it listens on for HTTP. @default '127.0.0.1' */
  readonly httpHost?: string
  /** IPv4 address that it listens on for other agents. @default '127.0.0.1' */
  readonly p2pHost?: string
  /** Script that runs in place of the agent, with the agent's arguments. */
  readonly main?: string
}

/** A real agent: `shoal agent` in a process of its own, on ports that it keeps over restarts. */
export class AgentProcess {
  readonly dataDir: string
  readonly #workDir: string
  readonly #httpPort: number
  readonly #p2pPort: number
  readonly #init: AgentInit
  #daemon: Daemon
  #peerId = ''

  private constructor (workDir: string, httpPort: number, p2pPort: number, init: AgentInit) {
    this.#workDir = workDir
    this.dataDir = init.dataDir ?? join(workDir, 'data')
    this.#httpPort = httpPort
    this.#p2pPort = p2pPort
    this.#init = init
    this.#daemon = this.#spawn()
  }

  /** Resolves when the agent is ready. @throws Error with the agent's log when it is not in time */
  static async start (init: AgentInit = {}): Promise<AgentProcess> {
    const agent = await AgentProcess.launch(init)
    try {
      await agent.ready()
    } catch (error) {
      await agent.stop()
      throw error
    }
    return agent
  }

  /** Starts the process and waits for nothing. */
  static async launch (init: AgentInit = {}): Promise<AgentProcess> {
    const workDir = await makeTempDir('agent')
    await mkdir(join(workDir, 'home'))
    return new AgentProcess(workDir, await freePort(), await freePort(), init)
  }

  /** `HOST:PORT` of the HTTP listener. */
  get endpoint (): string {
    return `${this.#init.httpHost ?? LOOPBACK}:${this.#httpPort}`
  }

  get url (): string {
    return `http://${this.endpoint}`
  }

  get pid (): number {
    return this.#daemon.pid
  }

  get p2pPort (): number {
    return this.#p2pPort
  }

  get peerId (): string {
    return this.#peerId
  }

  /** What others give as `--bootstrap`. */
  get multiaddr (): string {
    return `${this.#p2pAddress}/p2p/${this.#peerId}`
  }

  /** Undefined while it runs or when a signal ended it. */
  get exitCode (): number | undefined {
    return this.#daemon.exitCode
  }

  /** Takes all that it prints, over its restarts. */
  get logFile (): string {
    return join(this.#workDir, LOG_NAME)
  }

  /** All that it has printed, over its restarts. */
  log (): string {
    return this.#daemon.log()
  }

  async status (): Promise<StatusAnswer> {
    return await this.#ask('status') as StatusAnswer
  }

  async peers (): Promise<PeerAnswer[]> {
    return await this.#ask('peers') as PeerAnswer[]
  }

  /** The most memory that the process has had since it was started. */
  async peakBytes (): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'latin1')
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024
  }

  /** Resolves when `/readyz` says so. */
  async ready (): Promise<void> {
    await until(async () => {
      if (!this.#daemon.isRunning) return true
      return (await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(QUERY_TIMEOUT_MS) })).ok
    }, { what: 'the agent is ready', timeoutMs: START_TIMEOUT_MS, pollMs: POLL_MS })
    if (!this.#daemon.isRunning) throw new Error(`the agent ended with ${this.exitCode} instead of becoming ready\n${this.#daemon.logTail()}`)
    this.#peerId = (await this.status()).peerId
  }

  /** Resolves when it is connected to each of the other agents. */
  async connectedTo (...others: ReadonlyArray<{ readonly peerId: string }>): Promise<void> {
    await until(async () => {
      const connected = new Set((await this.peers()).map(({ peer }) => peer))
      return others.every(({ peerId }) => connected.has(peerId))
    }, { what: `${this.peerId} is connected to ${others.map(({ peerId }) => peerId).join(', ')}`, pollMs: POLL_MS })
  }

  signal (signal: NodeJS.Signals): void {
    this.#daemon.signal(signal)
  }

  /** SIGKILL; the data directory stays for `restart`. */
  async kill (): Promise<void> {
    await this.#daemon.kill()
  }

  /** SIGTERM, as a service manager ends it; the data directory stays for `restart`. */
  async end (): Promise<void> {
    await this.#daemon.stop()
  }

  async exited (timeoutMs?: number): Promise<void> {
    await this.#daemon.exited(timeoutMs)
  }

  /** Starts it again, after `kill` or `end`, and waits until it is ready. @param bootstrap - agents to join by. @default as before */
  async restart (bootstrap?: readonly string[]): Promise<void> {
    this.#daemon = this.#spawn(bootstrap)
    await this.ready()
  }

  /** Ends it and removes what it left. */
  async stop (): Promise<void> {
    await this.#daemon.stop()
    await removeTempDir(this.#workDir)
  }

  get #p2pAddress (): string {
    return `/ip4/${this.#init.p2pHost ?? LOOPBACK}/tcp/${this.#p2pPort}`
  }

  async #ask (name: 'status' | 'peers'): Promise<unknown> {
    const response = await fetch(`${this.url}/api/v1/${name}`, { signal: AbortSignal.timeout(QUERY_TIMEOUT_MS) })
    return response.json()
  }

  #spawn (bootstrap = this.#init.bootstrap ?? []): Daemon {
    const { origins = {}, args = [], env = {}, runner = [], main = MAIN } = this.#init
    const home = join(this.#workDir, 'home')
    const [command = '', ...leading] = [...runner, process.execPath, ...NODE_FLAGS]
    return new Daemon(command, [
      ...leading, main, 'agent', '--data', this.dataDir, '--http', this.endpoint, '--p2p', this.#p2pAddress, '--no-mdns',
      ...bootstrap.flatMap(multiaddr => ['--bootstrap', multiaddr]),
      ...Object.entries(origins).flatMap(([host, url]) => ['--origin', `${host}=${url}`]),
      ...args
    ], { cwd: this.#workDir, logFile: this.logFile, env: { HOME: home, XDG_RUNTIME_DIR: home, XDG_CONFIG_HOME: undefined, XDG_DATA_HOME: undefined, DOCKER_CONFIG: undefined, ...ownSettings(), ...env } })
  }
}

/** Hides what is set for this machine's own agent: `SHOAL_*` variables, and the file of the system. */
function ownSettings (): Record<string, string | undefined> {
  const named = Object.keys(process.env).filter(name => name.startsWith('SHOAL_')).map(name => [name, undefined])
  return { ...Object.fromEntries(named) as Record<string, undefined>, SHOAL_CONFIG: '/dev/null' }
}
