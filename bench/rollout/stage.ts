import { mkdtemp, rm } from 'node:fs/promises'
import { arch, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Digest } from '../../src/oci/digest.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../../test/support/docker-registry.ts'
import { buildImage } from '../../test/support/image.ts'
import { FullMemory } from '../support/full-memory.ts'
import { bridgedNetwork } from '../../scenarios/live/bridged-network.ts'
import { loopbackNetwork, type Network } from '../../scenarios/live/network.ts'
import type { Scenario } from './scenario.ts'

const REPOSITORY = 'bench/rollout'
const TAG = 'new'
/** Name of the registry in references. */
export const REGISTRY = 'reg.test'
export const REFERENCE = `${REGISTRY}/${REPOSITORY}:${TAG}`

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
  /** Of other images of the same size and shape. */
  readonly warmUps: readonly string[]
  /** Of this machine, for all hosts. */
  readonly memory: FullMemory
  /** Of the image at the registry, for clients that go straight there. */
  readonly straightReference: string
  close (): Promise<void>
}

/** @param init.warmUps - how many other images there are to be */
export async function setRolloutStage ({ hosts, imageBytes, layers }: Scenario, { isPrivate, warmUps }: { isPrivate: boolean, warmUps: number }): Promise<RolloutStage> {
  const network = isPrivate ? await bridgedNetwork([{ hosts }]) : loopbackNetwork(hosts)
  const registry = await startDockerRegistry({ listenHost: network.registry.host, runner: network.registry.runner })
  const others = Array.from({ length: warmUps }, (_, other) => `other${other}`)
  for (const tag of others) await pushRolloutImage(registry.url, tag, imageBytes, layers)
  const image = await pushRolloutImage(registry.url, TAG, imageBytes, layers)
  const dir = await mkdtemp(join(tmpdir(), 'shoal-rollout-'))
  const memory = await FullMemory.in(dir)
  return {
    network,
    registry,
    image,
    warmUps: others.map(tag => `${REGISTRY}/${REPOSITORY}:${tag}`),
    memory,
    straightReference: `${registry.host}:${registry.port}/${REPOSITORY}:${TAG}`,
    close: async () => {
      await memory.close()
      await rm(dir, { recursive: true })
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
