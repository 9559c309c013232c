import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { startDockerRegistry, type DockerRegistry } from '../../test/support/docker-registry.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'
import { pushBigImage, type BigImage } from './big-image.ts'
import { pullByAgent } from './agent-pull.ts'
import { ReaderProcess } from './reader-process.ts'

/** Name of the image at its registry, and of the registry in references. */
export const REPOSITORY = 'bench/big'
export const REGISTRY = 'reg.test'
const TAG = 'warm'

/** What all benchmarks run against: a real registry with a big image, and an agent that has pulled it. */
export interface BenchStage {
  readonly registry: DockerRegistry
  readonly agent: AgentProcess
  readonly reader: ReaderProcess
  readonly image: BigImage
  readonly dir: string
  readonly blobBytes: number
  readonly registryPid: number
  readonly agentBlobUrl: string
  readonly registryBlobUrl: string
  readonly agentManifestPath: string
  readonly registryManifestPath: string
  close (): Promise<void>
}

export async function setStage (blobBytes: number): Promise<BenchStage> {
  const dir = await makeTempDir('bench')
  const registry = await startDockerRegistry()
  const image = await pushBigImage(registry.url, REPOSITORY, TAG, dir, blobBytes)
  const agent = await AgentProcess.start({ origins: { [REGISTRY]: registry.url } })
  await pullByAgent(agent.url, `${REGISTRY}/${REPOSITORY}:${TAG}`)
  const reader = new ReaderProcess()
  return {
    registry,
    agent,
    reader,
    image,
    dir,
    blobBytes,
    registryPid: registry.pid,
    agentBlobUrl: `${agent.url}/v2/${REGISTRY}/${REPOSITORY}/blobs/${image.layer}`,
    registryBlobUrl: `${registry.url}/v2/${REPOSITORY}/blobs/${image.layer}`,
    agentManifestPath: `/v2/${REGISTRY}/${REPOSITORY}/manifests/${TAG}`,
    registryManifestPath: `/v2/${REPOSITORY}/manifests/${TAG}`,
    close: async () => {
      reader.stop()
      await agent.stop()
      await registry.stop()
      await removeTempDir(dir)
    }
  }
}
