import { arch } from 'node:os'
import type { Digest } from '../../src/oci/digest.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../../test/support/docker-registry.ts'
import { buildImage } from '../../test/support/image.ts'
import { bridgedNetwork, loopbackNetwork, type Network } from './network.ts'
import type { Scenario } from './scenario.ts'

const REPOSITORY = 'bench/rollout'
const TAG = 'new'
const WARM_UP_TAG = 'other'
const WARM_UP_BYTES = 2 * 1024 * 1024
const WARM_UP_LAYERS = 2
/** Name of the registry in references. */
export const REGISTRY = 'reg.test'
export const REFERENCE = `${REGISTRY}/${REPOSITORY}:${TAG}`
/** Another, small image, for agents to have pulled something before. */
export const WARM_UP_REFERENCE = `${REGISTRY}/${REPOSITORY}:${WARM_UP_TAG}`

/** The image as the registry has it. */
export interface RolloutImage {
  /** Layers and config. */
  readonly blobs: ReadonlyMap<Digest, number>
  /** Of blobs and manifests, each once. */
  readonly bytes: number
}

/** What stays over the runs: the network, the registry, the image. */
export interface RolloutStage {
  readonly network: Network
  readonly registry: DockerRegistry
  readonly image: RolloutImage
  /** Of the image at the registry, for clients that go straight there. */
  readonly straightReference: string
  close (): Promise<void>
}

export async function setRolloutStage ({ hosts, imageBytes, layers }: Scenario, { isPrivate }: { isPrivate: boolean }): Promise<RolloutStage> {
  const network = isPrivate ? await bridgedNetwork(hosts) : loopbackNetwork(hosts)
  const registry = await startDockerRegistry({ listenHost: network.registry.host, runner: network.registry.runner })
  await pushRolloutImage(registry.url, WARM_UP_TAG, WARM_UP_BYTES, WARM_UP_LAYERS)
  const image = await pushRolloutImage(registry.url, TAG, imageBytes, layers)
  return {
    network,
    registry,
    image,
    straightReference: `${registry.host}:${registry.port}/${REPOSITORY}:${TAG}`,
    close: async () => {
      await registry.stop()
      await network.close()
    }
  }
}

async function pushRolloutImage (url: string, tag: string, imageBytes: number, layers: number): Promise<RolloutImage> {
  const layerBytes = Array.from({ length: layers }, () => fileBytes(Math.floor(imageBytes / layers)))
  const image = await buildImage({ seed: tag, platforms: [arch() === 'arm64' ? 'arm64' : 'amd64'], layerBytes })
  await pushImage(url, REPOSITORY, image, { tag })
  const blobs = new Map([...image.blobs].map(([digest, bytes]) => [digest, bytes.length]))
  const manifests = [image.index, ...image.manifests]
  return { blobs, bytes: [...blobs.values(), ...manifests.map(({ bytes }) => bytes.length)].reduce((sum, size) => sum + size, 0) }
}

/** Of random bytes in a layer: with tar and gzip around them they must not be larger than the layer, or its pieces would be twice as long. */
function fileBytes (layerBytes: number): number {
  const framing = 4096 + Math.ceil(layerBytes / 8192)
  return layerBytes - framing
}
