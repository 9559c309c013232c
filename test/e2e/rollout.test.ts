import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventsOf, LOG_EVENTS, receivedBytes } from '../support/agent-events.ts'
import { startFleet } from '../support/agent-fleet.ts'
import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { expectImage } from '../support/clients/image-client.ts'
import { skopeoClient } from '../support/clients/skopeo.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { httpPull } from '../support/http-pull.ts'
import { buildImage, imageBytes, type TestImage } from '../support/image.ts'
import { Parts } from '../support/parts.ts'
import { blobOf, hostArchitecture, platformImage } from '../support/platform-image.ts'
import { RecordingProxy } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'
import { until } from '../../scenarios/live/until.ts'

const REPOSITORY = 'team/app'
const GIVEN_BYTES = 500_000
/** What an agent may have had and not noted yet when it was killed: of each layer what came since the last MiB, and requests under way. */
const UNNOTED_BYTES = 3_000_000
const TEST_TIMEOUT_MS = 90_000

describe.skipIf(requireCommands('docker-registry', 'skopeo', 'setpriv') !== undefined)('in a rollout', () => {
  let registry: DockerRegistry

  beforeAll(async () => { registry = await startDockerRegistry() })

  afterAll(async () => { await registry.stop() })

  async function pushNew (reference: string, layerBytes: readonly number[]): Promise<TestImage> {
    const image = await buildImage({ seed: reference, platforms: [hostArchitecture], layerBytes })
    await pushImage(registry.url, REPOSITORY, image, { tag: reference })
    return image
  }

  it('an agent streams to skopeo what it has while more than half of the blob is still with another', async () => {
    await using parts = new Parts()
    const image = await pushNew('streamed', [10_000_000])
    const [layer] = platformImage(image).layers
    if (layer === undefined) throw new Error('the image has a layer')
    const pull = { registry: 'reg.test', repository: REPOSITORY, reference: 'streamed' }
    const a = parts.keep(await AgentProcess.start({ origins: { 'reg.test': registry.url } }))
    expect(await httpPull({ ...pull, agent: a.url, image })).toBe('right')
    const b = parts.keep(await AgentProcess.start({ origins: { 'reg.test': registry.url }, bootstrap: [a.multiaddr], args: ['--trust', a.peerId, '--download-limit', '2MB/s', ...LOG_EVENTS] }))
    await b.connectedTo(a)
    const door = parts.keep(await RecordingProxy.start({ target: b.url }))
    const skopeo = parts.keep(await skopeoClient())

    const pulled = skopeo.pull({ ...pull, endpoint: new URL(door.url).host })
    await until(() => door.requests.some(({ path, bytes }) => path.endsWith(layer) && bytes > GIVEN_BYTES), { what: 'skopeo is given some of the layer', timeoutMs: TEST_TIMEOUT_MS })
    const events = eventsOf(b)
    expect(receivedBytes(events, { digest: layer })).toBeLessThan(blobOf(image, layer).length / 2)

    await expectImage(await pulled, image)
    expect(receivedBytes(eventsOf(b), { digest: layer, counts: source => source === `peer:${a.peerId}` })).toBe(blobOf(image, layer).length)
  }, TEST_TIMEOUT_MS)

  it.each([['the agent that all joined by', 0], ['an agent that joined', 2]])('%s goes on with the pieces it has when it is killed in the middle and started again', async (_name, place) => {
    await using parts = new Parts()
    const reference = `killed-${place}`
    const image = await pushNew(reference, [6_000_000, 4_000_000])
    const size = imageBytes(image)
    const origin = parts.keep(await RecordingProxy.start({ target: registry.url }))
    const agents = await startFleet(parts, 3, () => ({ origins: { 'reg.test': origin.url }, args: ['--download-limit', '2MB/s', '--upload-limit', '4MB/s', ...LOG_EVENTS] }))
    const victim = agents[place]
    if (victim === undefined) throw new Error('three agents run')
    const pull = async (agent: AgentProcess): Promise<string> => httpPull({ agent: agent.url, registry: 'reg.test', repository: REPOSITORY, reference, image, timeoutMs: TEST_TIMEOUT_MS })

    const others = agents.filter(agent => agent !== victim).map(pull)
    const cut = pull(victim).catch(() => 'cut')
    await until(async () => receivedBytes(eventsOf(victim)) > size / 2, { what: 'half of the image has come', timeoutMs: TEST_TIMEOUT_MS })
    await victim.kill()
    expect(await cut).toBe('cut')
    const end = victim.log().length
    const before = receivedBytes(eventsOf(victim))
    const [neighbour] = agents.filter(agent => agent !== victim)
    if (neighbour === undefined) throw new Error('others run')
    await victim.restart([neighbour.multiaddr])
    await victim.connectedTo(neighbour)

    expect(await pull(victim)).toBe('right')
    expect(await Promise.all(others)).toEqual(['right', 'right'])
    const after = receivedBytes(eventsOf(victim, end))
    expect(after).toBeLessThan(size - before + UNNOTED_BYTES)
    expect(origin.contentBytes).toBeLessThan(1.3 * size)
  }, TEST_TIMEOUT_MS)
})
