import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { EveryClient, clientCommands, clientNames, type ClientName } from '../support/clients/every-client.ts'
import { expectImage } from '../support/clients/image-client.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { buildImage } from '../support/image.ts'
import { RecordingProxy } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'

const formats = ['oci', 'docker'] as const
const cases = clientNames.flatMap(name => formats.map(format => ({ name, format })))

describe.skipIf(requireCommands(...clientCommands) !== undefined)('an image pulled through agent A and then through agent B', () => {
  let registry: DockerRegistry
  let originOfA: RecordingProxy
  let originOfB: RecordingProxy
  let a: AgentProcess
  let b: AgentProcess
  let clients: EveryClient

  beforeAll(async () => {
    registry = await startDockerRegistry()
    originOfA = await RecordingProxy.start({ target: registry.url })
    originOfB = await RecordingProxy.start({ target: registry.url })
    const [started] = await Promise.all([EveryClient.start(), startAgents()])
    clients = started
  }, 60_000)

  afterAll(async () => {
    await clients.stop()
    await b.stop()
    await a.stop()
    await originOfA.stop()
    await originOfB.stop()
    await registry.stop()
  })

  async function startAgents (): Promise<void> {
    a = await AgentProcess.start({ origins: originsAt(originOfA) })
    b = await AgentProcess.start({ origins: originsAt(originOfB), bootstrap: [a.multiaddr] })
    await b.connectedTo(a)
  }

  it.each(cases)('is right for $name ($format), and B asks the origin for its tag only', async ({ name, format }) => {
    const repository = `team/${name.toLowerCase()}`
    const image = await buildImage({ seed: `${name} ${format}`, format })
    await pushImage(registry.url, repository, image, { tag: format })
    const target = { registry: registryFor(name), repository, reference: format }
    const earlier = originOfA.contentBytes
    originOfB.requests.length = 0

    await expectImage(await clients.get(name).pull({ ...target, endpoint: a.endpoint }), image)
    expect(originOfA.contentBytes).toBeGreaterThan(earlier)
    await expectImage(await clients.get(name).pull({ ...target, endpoint: b.endpoint }), image)

    expect(originOfB.contentBytes).toBe(0)
    for (const { method, path } of originOfB.requests) expect({ method, path }).toEqual({ method: 'HEAD', path: `/v2/${repository}/manifests/${format}` })
  })
})

function originsAt (proxy: RecordingProxy): Record<string, string> {
  return { 'reg.test': proxy.url, 'docker.io': proxy.url }
}

function registryFor (name: ClientName): string {
  return name === 'dockerByMirror' ? 'docker.io' : 'reg.test'
}
