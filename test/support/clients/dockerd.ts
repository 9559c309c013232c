import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Daemon, runCommand } from '../../../scenarios/live/child-process.ts'
import { filesOfTopTree } from '../image-files.ts'
import { makeTempDir, removeTempDir } from '../../../scenarios/live/temp-dir.ts'
import { until } from '../../../scenarios/live/until.ts'
import { digestsOf, nameWithReference, type ImageClient, type PulledImage, type PullOptions, type PullTarget } from './image-client.ts'

const START_TIMEOUT_MS = 30_000
const STORAGE_DRIVER = 'vfs'

/** A Docker daemon of the test's own: its containerd, storage and socket lie in one temporary directory. It remembers manifests by digest, never layers. */
export class Dockerd {
  readonly #workDir: string
  readonly #daemon: Daemon
  readonly #env: Record<string, string>

  private constructor (workDir: string, daemon: Daemon) {
    this.#workDir = workDir
    this.#daemon = daemon
    this.#env = { HOME: join(workDir, 'home'), DOCKER_HOST: socketUrl(workDir) }
  }

  /** A mount namespace of its own takes the daemon's mounts with it, however it ends. */
  static async start (): Promise<Dockerd> {
    const workDir = await makeTempDir('dockerd')
    await mkdir(join(workDir, 'home'))
    await writeFile(join(workDir, 'daemon.json'), '{}')
    const daemon = new Daemon('unshare', ['--mount', '--', 'dockerd', '--config-file', join(workDir, 'daemon.json'),
      '--data-root', join(workDir, 'data'), '--exec-root', join(workDir, 'exec'), '--pidfile', join(workDir, 'pid'),
      '-H', socketUrl(workDir), '--iptables=false', '--ip6tables=false', '--bridge=none', `--storage-driver=${STORAGE_DRIVER}`
    ], { logFile: join(workDir, 'dockerd.log') })
    const dockerd = new Dockerd(workDir, daemon)
    try {
      await until(async () => {
        if (!daemon.isRunning) throw new Error(daemon.logTail())
        return dockerd.#docker('version')
      }, { what: 'dockerd answers', timeoutMs: START_TIMEOUT_MS })
    } catch (error) {
      await dockerd.stop()
      throw error
    }
    return dockerd
  }

  /** Pulls by path: the endpoint is the registry of the reference. */
  byPath (): ImageClient {
    return {
      name: 'docker pull by path',
      pull: (target, options) => this.#pull(`${target.endpoint}/${target.registry}/${nameWithReference(target)}`, options),
      stop: () => this.stop()
    }
  }

  /** Pulls Docker Hub's names with the endpoint as `registry-mirrors`; the target's registry is docker.io. */
  byMirror (): ImageClient {
    return {
      name: 'docker pull with registry-mirrors',
      pull: async (target: PullTarget, options?: PullOptions) => {
        await this.#useMirror(target.endpoint)
        return this.#pull(nameWithReference(target), options)
      },
      stop: () => this.stop()
    }
  }

  async stop (): Promise<void> {
    await this.#daemon.stop()
    await removeTempDir(this.#workDir)
  }

  async #pull (reference: string, { timeoutMs }: PullOptions = {}): Promise<PulledImage> {
    await this.#removeImages()
    await runCommand('docker', ['pull', '--quiet', reference], { env: this.#env, timeoutMs })
    const config = await this.#docker('image', 'inspect', '--format', '{{.Id}}', reference)
    const manifests = digestsOf(await this.#docker('image', 'inspect', '--format', '{{json .RepoDigests}}', reference))
    return { config, manifests, files: await filesOfTopTree(join(this.#workDir, 'data', STORAGE_DRIVER, 'dir')) }
  }

  async #removeImages (): Promise<void> {
    const ids = new Set((await this.#docker('image', 'ls', '--all', '--quiet', '--no-trunc')).split('\n').filter(id => id !== ''))
    if (ids.size > 0) await this.#docker('image', 'rm', '--force', ...ids)
  }

  async #useMirror (endpoint: string): Promise<void> {
    const mirror = `http://${endpoint}`
    await writeFile(join(this.#workDir, 'daemon.json'), JSON.stringify({ 'registry-mirrors': [mirror] }))
    this.#daemon.signal('SIGHUP')
    await until(async () => (await this.#docker('info', '--format', '{{json .RegistryConfig.Mirrors}}')).includes(mirror), { what: 'dockerd takes the mirror' })
  }

  async #docker (...args: string[]): Promise<string> {
    return (await runCommand('docker', args, { env: this.#env })).stdout.trim()
  }
}

function socketUrl (workDir: string): string {
  return `unix://${join(workDir, 'sock')}`
}
