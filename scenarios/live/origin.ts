import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { DeadlineError } from '../../src/errors.ts'
import { boundCommand } from './child-process.ts'
import { scriptAt, type Place } from './network.ts'
import type { FrontReply, FrontRequest, OriginPolicy } from './origin-policy.ts'
import { startRegistryProcess, type RegistryProcess } from './registry-process.ts'

const FRONT_TIMEOUT_MS = 10_000
const FRONT_MAIN = join(import.meta.dirname, `origin-front${extname(import.meta.filename)}`)
const LOOPBACK = '127.0.0.1'

export interface OriginInit {
  readonly place: Place
  /** Of its own; takes the content. */
  readonly dir: string
  readonly seed: number
  /** Told each fact of the front from the start on. */
  readonly onFact: (fact: FrontReply) => void
}

/** A real docker-registry, which only the front before it reaches, and that front. */
export class Origin {
  /** For agents, and for who fills it. */
  readonly url: string
  readonly #registry: RegistryProcess
  readonly #front: ChildProcess

  private constructor (url: string, registry: RegistryProcess, front: ChildProcess) {
    this.url = url
    this.#registry = registry
    this.#front = front
  }

  static async start ({ place, dir, seed, onFact }: OriginInit): Promise<Origin> {
    const content = join(dir, 'content')
    await mkdir(content, { recursive: true })
    const registry = await startRegistryProcess({ dir: content, workDir: dir, host: LOOPBACK, runner: place.runner })
    const front = spawn(...boundCommand(...scriptAt(place, FRONT_MAIN, [])), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' })
    front.on('message', onFact)
    try {
      const port = await up(front, { type: 'open', host: place.host, target: `http://${LOOPBACK}:${registry.port}`, seed })
      return new Origin(`http://${place.host}:${port}`, registry, front)
    } catch (error) {
      front.kill('SIGKILL')
      await registry.stop()
      throw error
    }
  }

  setPolicy (policy: OriginPolicy): void {
    this.#tell({ type: 'policy', policy })
  }

  /** It cannot be reached any more, and who was being answered is cut off. */
  async goDown (): Promise<void> {
    const down = told(this.#front, 'down')
    this.#tell({ type: 'down' })
    await down
  }

  async goUp (): Promise<void> {
    await up(this.#front, { type: 'up' })
  }

  async stop (): Promise<void> {
    if (this.#front.exitCode === null && this.#front.signalCode === null) {
      const exited = once(this.#front, 'exit')
      this.#front.kill('SIGKILL')
      await exited
    }
    await this.#registry.stop()
  }

  #tell (request: FrontRequest): void {
    this.#front.send(request)
  }
}

async function up (front: ChildProcess, request: FrontRequest): Promise<number> {
  const isUp = told(front, 'up')
  front.send(request)
  const reply = await isUp
  return reply.type === 'up' ? reply.port : NaN
}

async function told (front: ChildProcess, type: FrontReply['type']): Promise<FrontReply> {
  const reply = Promise.withResolvers<FrontReply>()
  const onMessage = (message: FrontReply): void => { if (message.type === type) reply.resolve(message) }
  const onExit = (): void => { reply.reject(new Error('the front of the registry has ended')) }
  const timer = setTimeout(() => { reply.reject(new DeadlineError('the front of the registry', FRONT_TIMEOUT_MS)) }, FRONT_TIMEOUT_MS)
  front.on('message', onMessage).once('exit', onExit)
  try {
    return await reply.promise
  } finally {
    clearTimeout(timer)
    front.off('message', onMessage).off('exit', onExit)
  }
}
