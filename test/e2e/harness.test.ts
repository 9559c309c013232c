import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EveryClient, clientCommands } from '../support/clients/every-client.ts'
import { expectImage } from '../support/clients/image-client.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { buildImage, type TestImage } from '../support/image.ts'
import { requireCommands } from '../support/requires.ts'

const PULLS_TIMEOUT_MS = 60_000

/** No agent here: when this fails, so does every other suite of this directory, and no agent is to blame. */
describe.skipIf(requireCommands(...clientCommands) !== undefined)('real clients, straight from a real registry', () => {
  let registry: DockerRegistry
  let clients: EveryClient
  let image: TestImage

  beforeAll(async () => {
    registry = await startDockerRegistry()
    image = await buildImage()
    for (const name of ['team/app', 'reg.test/team/app']) await pushImage(registry.url, name, image, { tag: '1' })
    clients = await EveryClient.start()
  })

  afterAll(async () => {
    await clients.stop()
    await registry.stop()
  })

  it('each pulls the image and holds every file of it', async () => {
    for (const client of clients.ofAnyRegistry) {
      await expectImage(await client.pull({ endpoint: `127.0.0.1:${registry.port}`, registry: 'reg.test', repository: 'team/app', reference: '1' }), image)
    }
    await expectImage(await clients.dockerHub.pull({ endpoint: `127.0.0.1:${registry.port}`, registry: 'docker.io', repository: 'team/app', reference: '1' }), image)
  }, PULLS_TIMEOUT_MS)

  it('tells another image from the one pulled', async () => {
    const other = await buildImage({ seed: 'other' })
    const [client] = clients.ofAnyRegistry
    const pulled = await client?.pull({ endpoint: `127.0.0.1:${registry.port}`, registry: 'reg.test', repository: 'team/app', reference: image.index.digest })
    await expect(expectImage(pulled ?? { config: '', files: new Map() }, other)).rejects.toThrow()
  }, PULLS_TIMEOUT_MS)
})
