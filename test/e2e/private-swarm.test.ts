import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFleet } from '../support/agent-fleet.ts'
import { AgentProcess, type AgentInit } from '../../scenarios/live/agent-process.ts'
import { configuredLogin } from '../support/docker-credentials.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { httpPull } from '../support/http-pull.ts'
import { buildImage, imageBytes, type TestImage } from '../support/image.ts'
import { Parts } from '../support/parts.ts'
import { hostArchitecture } from '../support/platform-image.ts'
import { RecordingProxy } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'
import { writeSwarmKey } from '../support/swarm-key.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'

const LOGIN = { username: 'robot', password: 'pa55-word-of-the-robot' }
const REPOSITORY = 'team/secret'
const LAYER_BYTES = 6_000_000
const TEST_TIMEOUT_MS = 90_000

describe.skipIf(requireCommands('docker-registry', 'setpriv') !== undefined)('private content in a swarm with a key', () => {
  let registry: DockerRegistry
  let workDir: string

  beforeAll(async () => {
    registry = await startDockerRegistry({ auth: LOGIN })
    workDir = await makeTempDir('private')
  })

  afterAll(async () => {
    await registry.stop()
    await removeTempDir(workDir)
  })

  async function pushNew (reference: string): Promise<{ image: TestImage, pull: (agent: AgentProcess) => Promise<string> }> {
    const image = await buildImage({ seed: reference, platforms: [hostArchitecture], layerBytes: [LAYER_BYTES] })
    await pushImage(registry.url, REPOSITORY, image, { tag: reference, auth: LOGIN })
    return { image, pull: async agent => httpPull({ agent: agent.url, registry: 'reg.test', repository: REPOSITORY, reference, image, timeoutMs: TEST_TIMEOUT_MS }) }
  }

  /** An agent that is logged in, behind a proxy. */
  async function member (origin: RecordingProxy, args: readonly string[] = []): Promise<AgentInit> {
    const key = await writeSwarmKey(workDir, 'a')
    return { origins: { 'reg.test': origin.url }, env: await configuredLogin({ ...LOGIN, hosts: [new URL(origin.url).host] }), args: ['--swarm-key', key, ...args] }
  }

  it('is shared with sharePrivate: cold agents that pull at once draw about one image from the origin', async () => {
    await using parts = new Parts()
    const { image, pull } = await pushNew('shared')
    const origin = parts.keep(await RecordingProxy.start({ target: registry.url }))
    const init = await member(origin, ['--share-private', '--download-limit', '4MB/s'])
    const agents = await startFleet(parts, 3, () => init)

    expect(await Promise.all(agents.map(pull))).toEqual(['right', 'right', 'right'])
    expect(origin.contentBytes).toBeLessThan(1.3 * imageBytes(image))
  }, TEST_TIMEOUT_MS)

  it('keeps its mark on the way: who got it from a member and does not share gives it to nobody', async () => {
    await using parts = new Parts()
    const { image, pull } = await pushNew('passed-on')
    const [ofHolder, ofTaker, ofLast] = [0, 1, 2].map(() => RecordingProxy.start({ target: registry.url })) as [Promise<RecordingProxy>, Promise<RecordingProxy>, Promise<RecordingProxy>]
    const [first, second, third] = [parts.keep(await ofHolder), parts.keep(await ofTaker), parts.keep(await ofLast)]
    const holder = parts.keep(await AgentProcess.start(await member(first, ['--share-private'])))
    const taker = parts.keep(await AgentProcess.start({ ...await member(second), bootstrap: [holder.multiaddr] }))
    await taker.connectedTo(holder)
    expect(await pull(holder)).toBe('right')
    expect(await pull(taker)).toBe('right')
    expect(second.contentBytes).toBeLessThan(LAYER_BYTES / 10)
    await holder.end()

    const last = parts.keep(await AgentProcess.start({ ...await member(third), bootstrap: [taker.multiaddr] }))
    await last.connectedTo(taker)
    expect(await pull(last)).toBe('right')
    expect(third.contentBytes).toBeGreaterThanOrEqual(imageBytes(image) - 10_000)
    expect((await last.status()).bytes.fromPeers).toBe(0)
  }, TEST_TIMEOUT_MS)
})
