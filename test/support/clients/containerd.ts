import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Daemon, runCommand } from '../../../scenarios/live/child-process.ts'
import { filesOfTopTree } from '../image-files.ts'
import { hostArchitecture } from '../platform-image.ts'
import { makeTempDir, removeTempDir } from '../../../scenarios/live/temp-dir.ts'
import { until } from '../../../scenarios/live/until.ts'
import { CriImages } from './cri-images.ts'
import { nameWithReference, type ImageClient, type PulledImage, type PullOptions, type PullTarget } from './image-client.ts'

const START_TIMEOUT_MS = 30_000
const SNAPSHOTTER = 'native'
/** Where CRI keeps its images; ctr takes any other. */
const CRI_NAMESPACE = 'k8s.io'
const CTR_NAMESPACE = 'shoal'

interface Descriptor {
  readonly digest: string
  readonly platform?: { readonly architecture: string }
}

/** A containerd of the test's own, with `_default/hosts.toml` for every registry, driven by ctr and by CRI. */
export class Containerd {
  readonly #workDir: string
  readonly #daemon: Daemon
  readonly #cri: CriImages

  private constructor (workDir: string, daemon: Daemon) {
    this.#workDir = workDir
    this.#daemon = daemon
    this.#cri = new CriImages(socketPath(workDir))
  }

  static async start (): Promise<Containerd> {
    const workDir = await makeTempDir('containerd')
    await mkdir(join(hostsDir(workDir), '_default'), { recursive: true })
    await writeFile(join(workDir, 'config.toml'), configuration(workDir))
    const daemon = new Daemon('unshare', ['--mount', '--', 'containerd', '--config', join(workDir, 'config.toml')], { logFile: join(workDir, 'containerd.log') })
    const containerd = new Containerd(workDir, daemon)
    try {
      await until(async () => {
        if (!daemon.isRunning) throw new Error(daemon.logTail())
        await containerd.#ctr(CTR_NAMESPACE, 'images', 'ls', '--quiet')
        return containerd.#cri.isReady()
      }, { what: 'containerd answers', timeoutMs: START_TIMEOUT_MS })
    } catch (error) {
      await containerd.stop()
      throw error
    }
    return containerd
  }

  byCtr (): ImageClient {
    return {
      name: 'ctr images pull',
      pull: async (target: PullTarget, { timeoutMs }: PullOptions = {}) => {
        const reference = await this.#prepare(target)
        await runCommand('ctr', [...this.#ctrGlobals(CTR_NAMESPACE), 'images', 'pull', '--snapshotter', SNAPSHOTTER, '--hosts-dir', hostsDir(this.#workDir), reference], { timeoutMs })
        return this.#pulled(CTR_NAMESPACE, reference)
      },
      stop: () => this.stop()
    }
  }

  byCri (): ImageClient {
    return {
      name: 'CRI PullImage',
      pull: async (target: PullTarget, { timeoutMs }: PullOptions = {}) => {
        const reference = await this.#prepare(target)
        await this.#cri.pull(reference, timeoutMs)
        return this.#pulled(CRI_NAMESPACE, reference)
      },
      stop: () => this.stop()
    }
  }

  async stop (): Promise<void> {
    this.#cri.close()
    await this.#daemon.stop()
    await removeTempDir(this.#workDir)
  }

  /** Points every registry at the endpoint and forgets all images: namespaces share their content, so of both. */
  async #prepare (target: PullTarget): Promise<string> {
    await writeFile(join(hostsDir(this.#workDir), '_default', 'hosts.toml'), `[host."http://${target.endpoint}"]\n  capabilities = ["pull", "resolve"]\n`)
    for (const namespace of [CTR_NAMESPACE, CRI_NAMESPACE]) {
      const names = (await this.#ctr(namespace, 'images', 'ls', '--quiet')).split('\n').filter(name => name !== '')
      if (names.length > 0) await this.#ctr(namespace, 'images', 'rm', '--sync', ...names)
    }
    return `${target.registry}/${nameWithReference(target)}`
  }

  async #pulled (namespace: string, reference: string): Promise<PulledImage> {
    const rows = (await this.#ctr(namespace, 'images', 'ls', `name==${reference}`)).split('\n')
    const top = /sha256:[0-9a-f]{64}/.exec(rows[1]?.slice(reference.length) ?? '')?.[0]
    if (top === undefined) throw new Error(`containerd does not hold ${reference}`)
    const manifest = await this.#platformManifest(namespace, top)
    return { config: manifest.config.digest, manifests: [top], files: await filesOfTopTree(join(this.#workDir, 'root', `io.containerd.snapshotter.v1.${SNAPSHOTTER}`, 'snapshots')) }
  }

  async #platformManifest (namespace: string, top: string): Promise<{ config: Descriptor }> {
    const document = JSON.parse(await this.#ctr(namespace, 'content', 'get', top)) as { manifests?: Descriptor[], config: Descriptor }
    if (document.manifests === undefined) return document
    const child = document.manifests.find(({ platform }) => platform?.architecture === hostArchitecture)
    if (child === undefined) throw new Error(`${top} has nothing for ${hostArchitecture}`)
    return this.#platformManifest(namespace, child.digest)
  }

  async #ctr (namespace: string, ...args: string[]): Promise<string> {
    return (await runCommand('ctr', [...this.#ctrGlobals(namespace), ...args])).stdout
  }

  #ctrGlobals (namespace: string): string[] {
    return ['--address', socketPath(this.#workDir), '--namespace', namespace]
  }
}

function configuration (workDir: string): string {
  return `version = 2
root = "${workDir}/root"
state = "${workDir}/state"
[grpc]
  address = "${socketPath(workDir)}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${workDir}/opt"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "${hostsDir(workDir)}"
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "${SNAPSHOTTER}"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${workDir}/cni"
  conf_dir = "${workDir}/cni"
`
}

function socketPath (workDir: string): string {
  return join(workDir, 'sock')
}

function hostsDir (workDir: string): string {
  return join(workDir, 'certs.d')
}
