import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { httpPull } from '../support/http-pull.ts'
import { buildImage, type TestImage } from '../support/image.ts'
import { Parts } from '../support/parts.ts'
import { requireCommands } from '../support/requires.ts'
import type { BadSwarmBehaviour } from '../support/swarm-conduct.ts'
import { startBadSwarmPeer, type BadSwarmPeer } from '../support/swarm-zoo.ts'
import { until } from '../../scenarios/live/until.ts'

const REPOSITORY = 'team/app'
const LAYER_BYTES = 30_000_000
const TEST_TIMEOUT_MS = 90_000
/** What an agent may take more beside all of them than alone. Each would cost it more if it kept what they say. */
const MORE_BYTES = 96 * 1024 * 1024
const kinds: readonly BadSwarmBehaviour[] = ['floods with requests', 'floods with joins', 'floods with members', 'floods with attestations', 'floods with pings', 'joins and leaves thousands of blobs']

describe.skipIf(requireCommands('docker-registry', 'setpriv') !== undefined)('an agent that several peers flood at once', () => {
  let registry: DockerRegistry
  let image: TestImage

  beforeAll(async () => {
    registry = await startDockerRegistry()
    image = await buildImage({ seed: 'floods', layerBytes: [LAYER_BYTES] })
    await pushImage(registry.url, REPOSITORY, image, { tag: '1' })
  })

  afterAll(async () => { await registry.stop() })

  it('gets the image right beside them, takes no more memory than is allowed for, and bans each', async () => {
    await using parts = new Parts()
    const pull = async (agent: AgentProcess): Promise<string> => httpPull({ agent: agent.url, registry: 'reg.test', repository: REPOSITORY, reference: '1', image, timeoutMs: TEST_TIMEOUT_MS })
    const origins = { 'reg.test': registry.url }
    const alone = parts.keep(await AgentProcess.start({ origins }))
    expect(await pull(alone)).toBe('right')

    const flooders: BadSwarmPeer[] = []
    for (const behaviour of kinds) flooders.push(parts.keep(await startBadSwarmPeer({ behaviour, content: image.blobs })))
    const b = parts.keep(await AgentProcess.start({ origins, bootstrap: [alone.multiaddr, ...flooders.flatMap(({ addresses }) => addresses)] }))
    await b.connectedTo(...flooders)
    expect(await pull(b)).toBe('right')
    const banned = await until(async () => {
      const banned = (await b.status()).banned.map(({ peer }) => peer)
      return flooders.every(({ peerId }) => banned.includes(peerId)) && banned
    }, { what: 'the ban of each', timeoutMs: 20_000 })
    expect(banned).not.toContain(alone.peerId)
    expect(await b.peakBytes()).toBeLessThan(await alone.peakBytes() + MORE_BYTES)
  }, TEST_TIMEOUT_MS)
})
