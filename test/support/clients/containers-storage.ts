import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../../../scenarios/live/child-process.ts'
import { filesOfTopTree } from '../image-files.ts'
import { makeTempDir, removeTempDir } from '../../../scenarios/live/temp-dir.ts'
import { containersEnvironment, writeMirrorStanza } from './containers-environment.ts'
import { digestsOf, nameWithReference, type ImageClient, type PulledImage, type PullOptions, type PullTarget } from './image-client.ts'

/** How a tool on top of containers/storage is told where to keep things, and asked for an image's id. */
interface StorageTool {
  readonly command: string
  globals (storageDir: string): string[]
  readonly idArguments: readonly string[]
  /** Prints a list of references with digests. */
  readonly digestsArguments: readonly string[]
}

const podman: StorageTool = {
  command: 'podman',
  globals: dir => ['--root', join(dir, 'root'), '--runroot', join(dir, 'run'), '--tmpdir', join(dir, 'tmp'), '--storage-driver', 'vfs', '--events-backend', 'none', '--cgroup-manager', 'cgroupfs'],
  idArguments: ['image', 'inspect', '--format', '{{.Id}}'],
  digestsArguments: ['image', 'inspect', '--format', '{{json .RepoDigests}}']
}

const buildah: StorageTool = {
  command: 'buildah',
  globals: dir => ['--root', join(dir, 'root'), '--runroot', join(dir, 'run'), '--storage-driver', 'vfs'],
  idArguments: ['inspect', '--type', 'image', '--format', '{{.FromImageID}}'],
  digestsArguments: ['inspect', '--type', 'image', '--format', '["{{.FromImageDigest}}"]']
}

export function podmanClient (): Promise<ImageClient> {
  return storageClient(podman)
}

export function buildahClient (): Promise<ImageClient> {
  return storageClient(buildah)
}

/** Each pull gets a storage of its own, so that nothing is there already. */
async function storageClient (tool: StorageTool): Promise<ImageClient> {
  const workDir = await makeTempDir(tool.command)
  const conf = join(workDir, 'registries.conf')
  const env = { ...await containersEnvironment(workDir), CONTAINERS_REGISTRIES_CONF: conf }
  let pulls = 0
  return {
    name: tool.command,
    async pull (target: PullTarget, { timeoutMs }: PullOptions = {}): Promise<PulledImage> {
      const storageDir = join(workDir, `storage-${pulls++}`)
      await mkdir(storageDir)
      await writeMirrorStanza(conf, target)
      const reference = `${target.registry}/${nameWithReference(target)}`
      const globals = tool.globals(storageDir)
      await runCommand(tool.command, [...globals, 'pull', '--quiet', reference], { env, timeoutMs })
      const ask = async (args: readonly string[]): Promise<string> => (await runCommand(tool.command, [...globals, ...args, reference], { env })).stdout.trim()
      const pulled = { config: `sha256:${await ask(tool.idArguments)}`, manifests: digestsOf(await ask(tool.digestsArguments)), files: await filesOfTopTree(join(storageDir, 'root', 'vfs', 'dir')) }
      await removeTempDir(storageDir)
      return pulled
    },
    stop: () => removeTempDir(workDir)
  }
}
