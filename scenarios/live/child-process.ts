import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'

const DEFAULT_COMMAND_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 10_000
/** Enough of a log to see why something failed. */
const TAIL_CHARACTERS = 4_000

export interface ChildInit {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
}

export interface DaemonInit extends ChildInit {
  /** Takes all that the daemon prints; appended to. */
  readonly logFile: string
}

export interface CommandInit extends ChildInit {
  /** @default 60_000 */
  readonly timeoutMs?: number
}

export interface CommandOutput {
  readonly stdout: string
  readonly stderr: string
}

/** A command that did not end with 0 within its deadline; the message carries what it printed. */
class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly stdout: string
  readonly stderr: string
  /** Undefined when it was ended by a signal, its deadline's included. */
  readonly exitCode: number | undefined

  constructor (commandLine: string, outcome: string, exitCode: number | undefined, { stdout, stderr }: CommandOutput) {
    super(`${commandLine}: ${outcome}\n${tail(stdout)}\n${tail(stderr)}`)
    this.exitCode = exitCode
    this.stdout = stdout
    this.stderr = stderr
  }
}

/** A long-running process that dies with this process, even when that is killed. */
export class Daemon {
  readonly name: string
  readonly logFile: string
  readonly #child: ChildProcess
  readonly #exited: Promise<void>

  constructor (command: string, args: readonly string[], { logFile, ...init }: DaemonInit) {
    this.name = command
    this.logFile = logFile
    const log = openSync(logFile, 'a')
    this.#child = spawnBound(command, args, init, ['ignore', log, log])
    closeSync(log)
    this.#exited = once(this.#child, 'exit').then(() => {})
  }

  get pid (): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} did not start`)
    return this.#child.pid
  }

  get isRunning (): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** 0-255, or undefined while it runs or when a signal ended it. */
  get exitCode (): number | undefined {
    return this.#child.exitCode ?? undefined
  }

  /** All that it has printed. */
  log (): string {
    return readFileSync(this.logFile, 'utf8')
  }

  /** The end of the log, for messages of failure. */
  logTail (): string {
    return tail(this.log())
  }

  signal (signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Resolves when it has ended. */
  async exited (timeoutMs = STOP_TIMEOUT_MS): Promise<void> {
    const timer = Promise.withResolvers<never>()
    const timeout = setTimeout(() => { timer.reject(new Error(`${this.name} did not end within ${timeoutMs} ms\n${this.logTail()}`)) }, timeoutMs)
    try {
      await Promise.race([this.#exited, timer.promise])
    } finally {
      clearTimeout(timeout)
    }
  }

  /** SIGKILL, and gone when it resolves. */
  async kill (): Promise<void> {
    if (this.isRunning) this.signal('SIGKILL')
    await this.exited()
  }

  /** SIGTERM, and SIGKILL when that does not end it in time. */
  async stop (): Promise<void> {
    if (this.isRunning) this.signal('SIGTERM')
    try {
      await this.exited()
    } catch {
      await this.kill()
    }
  }
}

/** Runs a command to its end. @throws CommandError */
export async function runCommand (command: string, args: readonly string[], { timeoutMs = DEFAULT_COMMAND_TIMEOUT_MS, ...init }: CommandInit = {}): Promise<CommandOutput> {
  const child = spawnBound(command, args, init, ['ignore', 'pipe', 'pipe'])
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => { output.stdout += text })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { output.stderr += text })
  const timer = setTimeout(() => { child.kill('SIGKILL') }, timeoutMs)
  try {
    const [code, signal] = await once(child, 'close') as [number | null, NodeJS.Signals | null]
    if (code === 0) return output
    const outcome = code === null ? `ended by ${signal}, deadline ${timeoutMs} ms` : `exit code ${code}`
    throw new CommandError([command, ...args].join(' '), outcome, code ?? undefined, output)
  } finally {
    clearTimeout(timer)
  }
}

/**
 * What to spawn so that the kernel ends the process when this one is gone, however that ends; `setpriv` becomes the
 * command, so the process id is the command's.
 */
export function boundCommand (command: string, args: readonly string[]): [command: string, args: string[]] {
  return ['setpriv', ['--pdeathsig', 'KILL', '--', command, ...args]]
}

function spawnBound (command: string, args: readonly string[], { env, cwd }: ChildInit, stdio: Array<'ignore' | 'pipe' | number>): ChildProcess {
  return spawn(...boundCommand(command, args), { stdio, cwd, env: { ...process.env, ...env } })
}

function tail (text: string): string {
  return text.length > TAIL_CHARACTERS ? `…${text.slice(-TAIL_CHARACTERS)}` : text
}
