import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { boundCommand } from './child-process.ts'

const START_TIMEOUT_MS = 10_000
const STOP_TIMEOUT_MS = 5_000
const LISTENING = /listening on (?:[\d.]+|\[::1\]):(\d+)/

export interface RegistryProcessInit {
  /** Where the content lies. */
  readonly dir: string
  /** Takes the configuration file. */
  readonly workDir: string
  /** IPv4 address that it listens on. */
  readonly host: string
  /** @default any free port */
  readonly port?: number
  /** Further sections of the configuration. */
  readonly configuration?: Readonly<Record<string, unknown>>
  /** Command that runs the registry as its last arguments, e.g. in a namespace. It must replace itself by the registry. */
  readonly runner?: readonly string[]
}

export interface RegistryProcess {
  readonly port: number
  readonly pid: number
  /** The access log. */
  readonly stdout: Readable
  stop (): Promise<void>
}

/** Starts Debian's docker-registry 2.8 and waits until it listens. @throws Error with what it printed */
export async function startRegistryProcess ({ dir, workDir, host, port = 0, configuration = {}, runner = [] }: RegistryProcessInit): Promise<RegistryProcess> {
  const file = join(workDir, 'config.json')
  // JSON is YAML too
  await writeFile(file, JSON.stringify({
    version: '0.1',
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: dir }, delete: { enabled: true } },
    http: { addr: `${host}:${port}`, secret: 'test' },
    ...configuration
  }))
  const [command = '', ...args] = [...runner, 'docker-registry', 'serve', file]
  const child = spawn(...boundCommand(command, args), { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: 'none' } })
  const stop = async (): Promise<void> => end(child)
  try {
    return { port: await listening(child), pid: child.pid ?? 0, stdout: child.stdout, stop }
  } catch (error) {
    await stop()
    throw error
  }
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

function neverNull (): never {
  throw new Error('spawned without pipes')
}
