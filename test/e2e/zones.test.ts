import { describe, expect, it } from 'vitest'
import { eventsOf, LOG_EVENTS, receivedBytes } from '../support/agent-events.ts'
import { startFleet } from '../support/agent-fleet.ts'
import { pushImage, startDockerRegistry } from '../support/docker-registry.ts'
import { httpPull } from '../support/http-pull.ts'
import { buildImage, imageBytes } from '../support/image.ts'
import { Parts } from '../support/parts.ts'
import { hostArchitecture } from '../support/platform-image.ts'
import { RecordingProxy } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'

const ZONES = ['east', 'west'] as const
const AGENTS = 6
const LAYER_BYTES = 10_000_000
const REPOSITORY = 'team/app'
const TEST_TIMEOUT_MS = 90_000

describe.skipIf(requireCommands('docker-registry', 'setpriv') !== undefined)('two zones of three cold agents each', () => {
  it('pull at once: what crosses their border is about one image, and so is what the origin sends', async () => {
    await using parts = new Parts()
    const registry = parts.keep(await startDockerRegistry())
    const image = await buildImage({ seed: 'zones', platforms: [hostArchitecture], layerBytes: [LAYER_BYTES] })
    await pushImage(registry.url, REPOSITORY, image, { tag: '1' })
    const origin = parts.keep(await RecordingProxy.start({ target: registry.url }))
    const zoneAt = (place: number): string => ZONES[place % ZONES.length] ?? ''
    const agents = await startFleet(parts, AGENTS, place => ({ origins: { 'reg.test': origin.url }, args: ['--zone', zoneAt(place), '--download-limit', '4MB/s', ...LOG_EVENTS] }))
    const zoneOf = new Map(agents.map(({ peerId }, place) => [`peer:${peerId}`, zoneAt(place)]))

    const pulls = agents.map(async agent => httpPull({ agent: agent.url, registry: 'reg.test', repository: REPOSITORY, reference: '1', image, timeoutMs: TEST_TIMEOUT_MS }))
    expect(await Promise.all(pulls)).toEqual(agents.map(() => 'right'))

    const crossed = agents.map((agent, place) => receivedBytes(eventsOf(agent), { counts: source => source !== 'origin' && zoneOf.get(source) !== zoneAt(place) }))
    const sum = crossed.reduce((bytes, more) => bytes + more, 0)
    expect(sum).toBeLessThan(1.25 * imageBytes(image))
    expect(origin.contentBytes).toBeLessThan(1.15 * imageBytes(image))
  }, TEST_TIMEOUT_MS)
})
