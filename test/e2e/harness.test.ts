import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EveryClient, clientCommands, clientNames } from '../support/clients/every-client.ts'
import { expectImage } from '../support/clients/image-client.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { buildImage, type TestImage } from '../support/image.ts'
import { requireCommands } from '../support/requires.ts'

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

  it.each(clientNames)('%s pulls the image and holds every file of it', async name => {
    const pulled = await clients.get(name).pull({ endpoint: `127.0.0.1:${registry.port}`, registry: registryFor(name), repository: 'team/app', reference: '1' })
    await expectImage(pulled, image)
    await expect(expectImage(pulled, await buildImage({ seed: 'other' }))).rejects.toThrow()
  })
})

function registryFor (name: string): string {
  return name === 'dockerByMirror' ? 'docker.io' : 'reg.test'
}
