import { describe, expect, it } from 'vitest'
import { startFleet } from '../support/agent-fleet.ts'
import { Containerd } from '../support/clients/containerd.ts'
import { podmanClient } from '../support/clients/containers-storage.ts'
import { Dockerd } from '../support/clients/dockerd.ts'
import { expectImage, type ImageClient } from '../support/clients/image-client.ts'
import { pushImage, startDockerRegistry } from '../support/docker-registry.ts'
import { buildImage, imageBytes } from '../support/image.ts'
import { Parts } from '../support/parts.ts'
import { hostArchitecture } from '../support/platform-image.ts'
import { RecordingProxy } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'

const AGENTS = 8
const LAYER_BYTES = [12_000_000, 8_000_000, 4_000_000]
const REPOSITORY = 'team/app'
const ENGINE_TIMEOUT_MS = 120_000
const TEST_TIMEOUT_MS = 180_000

const engines: ReadonlyArray<{ readonly name: string, readonly start: () => Promise<ImageClient> }> = [
  { name: 'docker', start: async () => (await Dockerd.start()).byPath() },
  { name: 'containerd', start: async () => (await Containerd.start()).byCtr() },
  { name: 'podman', start: podmanClient }
]

describe.skipIf(requireCommands('dockerd', 'docker', 'containerd', 'ctr', 'podman', 'runc', 'unshare', 'setpriv', 'docker-registry') !== undefined)('eight cold agents, each asked by an engine of its own', () => {
  it.each(engines)('$name, all at once: each engine has the image, and the origin has sent about one', async ({ name, start }) => {
    await using parts = new Parts()
    const registry = parts.keep(await startDockerRegistry())
    const origin = parts.keep(await RecordingProxy.start({ target: registry.url }))
    const image = await buildImage({ seed: `cold ${name}`, platforms: [hostArchitecture], layerBytes: LAYER_BYTES })
    await pushImage(registry.url, REPOSITORY, image, { tag: '1' })
    const running = Array.from({ length: AGENTS }, async () => parts.keep(await start()))
    const agents = await startFleet(parts, AGENTS, () => ({ origins: { 'reg.test': origin.url } }))
    const clients = await Promise.all(running)

    const pulls = clients.map(async (client, place) => client.pull({ endpoint: agents[place]?.endpoint ?? '', registry: 'reg.test', repository: REPOSITORY, reference: '1' }, { timeoutMs: ENGINE_TIMEOUT_MS }))
    for (const pull of await Promise.allSettled(pulls)) {
      if (pull.status === 'rejected') throw pull.reason
      await expectImage(pull.value, image)
    }
    expect(origin.contentBytes / imageBytes(image)).toBeLessThanOrEqual(1.15)
  }, TEST_TIMEOUT_MS)
})
