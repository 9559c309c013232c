import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { httpPull } from '../support/http-pull.ts'
import { httpRead } from '../support/http-read.ts'
import { buildImage, type TestImage } from '../support/image.ts'
import { platformImage } from '../support/platform-image.ts'
import { requireCommands } from '../support/requires.ts'

const REPOSITORY = 'team/app'
const LAYER_BYTES = 6_000_000
const BYTES_PER_SECOND = 1_000_000
/** What an agent may let pass faster: 5 % over five seconds and more. */
const LEAST_MS = LAYER_BYTES / BYTES_PER_SECOND / 1.05 * 1000
const TEST_TIMEOUT_MS = 90_000

describe.skipIf(requireCommands('docker-registry', 'setpriv') !== undefined)('limits', () => {
  let registry: DockerRegistry
  let image: TestImage

  beforeAll(async () => {
    registry = await startDockerRegistry()
    image = await buildImage({ seed: 'limits', layerBytes: [LAYER_BYTES] })
    await pushImage(registry.url, REPOSITORY, image, { tag: '1' })
  })

  afterAll(async () => { await registry.stop() })

  // that they are reached, and how closely, depends on how busy the machine is
  it('of uploads and downloads are never exceeded, and clients of the agent that gives are not held up', async () => {
    await using parts = new AsyncDisposableStack()
    const start = async (init: Parameters<typeof AgentProcess.start>[0]): Promise<AgentProcess> => parts.adopt(await AgentProcess.start({ origins: { 'reg.test': registry.url }, ...init }), async agent => { await agent.stop() })
    const pull = async (agent: AgentProcess): Promise<number> => {
      const startedAt = performance.now()
      expect(await httpPull({ agent: agent.url, registry: 'reg.test', repository: REPOSITORY, reference: '1', image, timeoutMs: TEST_TIMEOUT_MS })).toBe('right')
      return performance.now() - startedAt
    }
    const rate = `${BYTES_PER_SECOND / 1000}KB/s`
    const giver = await start({ args: ['--upload-limit', rate] })
    await pull(giver)
    const [taker, limited] = [await start({ bootstrap: [giver.multiaddr], args: ['--origin-policy', 'never'] }), await start({ args: ['--download-limit', rate] })]
    await taker.connectedTo(giver)

    const ends: string[] = []
    const taking = pull(taker).finally(() => { ends.push('peer') })
    const limiting = pull(limited)
    const layer = platformImage(image).layers[0] ?? ''
    for (let reads = 0; reads < 3; reads++) {
      const { body } = await httpRead(`${giver.url}/v2/${REPOSITORY}/blobs/${layer}?ns=reg.test`)
      expect(body.length).toBeGreaterThan(LAYER_BYTES)
    }
    ends.push('client')
    expect(await taking).toBeGreaterThan(LEAST_MS)
    expect(await limiting).toBeGreaterThan(LEAST_MS)
    expect(ends).toEqual(['client', 'peer'])
    expect((await taker.status()).bytes.fromOrigin).toBeLessThan(LAYER_BYTES / 10)
  }, TEST_TIMEOUT_MS)
})
