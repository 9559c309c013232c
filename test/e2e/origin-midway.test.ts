import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFleet } from '../support/agent-fleet.ts'
import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { httpPull } from '../support/http-pull.ts'
import { buildImage, imageBytes, type TestImage } from '../support/image.ts'
import { answers } from '../support/origin-fault.ts'
import { Parts } from '../support/parts.ts'
import { blobOf, hostArchitecture, platformImage } from '../support/platform-image.ts'
import { RecordingProxy } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'
import { startBadSwarmPeer } from '../support/swarm-zoo.ts'
import { until } from '../../scenarios/live/until.ts'

const REPOSITORY = 'team/app'
const AGENTS = 4
const LAYER_BYTES = 8_000_000
/** So slow that there is a middle of the rollout. */
const SLOW = ['--download-limit', '2MB/s']
/** Far from done when the others have read all that they own, however busy the machine is. */
const SLOWER = ['--download-limit', '1MB/s']
const TEST_TIMEOUT_MS = 90_000

describe.skipIf(requireCommands('docker-registry', 'setpriv') !== undefined)('agents that pull together', () => {
  let registry: DockerRegistry

  beforeAll(async () => { registry = await startDockerRegistry() })

  afterAll(async () => { await registry.stop() })

  async function pushNew (name: string): Promise<{ image: TestImage, layer: string, size: number, pull: (agent: AgentProcess) => Promise<string> }> {
    const reference = name.replaceAll(' ', '-')
    const image = await buildImage({ seed: name, platforms: [hostArchitecture], layerBytes: [LAYER_BYTES] })
    await pushImage(registry.url, REPOSITORY, image, { tag: reference })
    const [layer = ''] = platformImage(image).layers
    return {
      image,
      layer,
      size: blobOf(image, layer).length,
      pull: async agent => httpPull({ agent: agent.url, registry: 'reg.test', repository: REPOSITORY, reference, image, timeoutMs: TEST_TIMEOUT_MS })
    }
  }

  it.each([
    ['answers 429', async (origin: RecordingProxy) => { origin.intercept = answers(429, { 'retry-after': '3600' })(origin, 'blobs') }],
    ['is gone', async (origin: RecordingProxy) => { await origin.stop() }]
  ] as const)('finish among themselves when the origin %s and they hold all pieces together', async (name, fail) => {
    await using parts = new Parts()
    const { layer, size, pull } = await pushNew(`origin ${name}`)
    const origin = parts.keep(await RecordingProxy.start({ target: registry.url }))
    const agents = await startFleet(parts, AGENTS, place => ({ origins: { 'reg.test': origin.url }, args: place === 0 ? SLOWER : SLOW }))
    const [last] = agents

    const pulls = agents.map(pull)
    await until(() => given(origin, layer) === size, { what: 'the origin has sent all of the layer', timeoutMs: TEST_TIMEOUT_MS })
    const before = origin.requests.length
    await fail(origin)
    expect((await last?.status())?.sessions.filter(({ digest, received }) => digest === layer && received < size)).toHaveLength(1)

    expect(await Promise.all(pulls)).toEqual(agents.map(() => 'right'))
    expect(origin.requests.slice(before).filter(({ status }) => status !== 429)).toEqual([])
    // what was asked for before may still have come: two may read a piece at once when their words cross
    expect(sent(origin, layer)).toBeLessThan(1.1 * size)
  }, TEST_TIMEOUT_MS)

  it('go on when the origin is done with answering 429 in the middle, and have not pressed it', async () => {
    await using parts = new Parts()
    const { image, layer, size, pull } = await pushNew('origin recovers')
    const origin = parts.keep(await RecordingProxy.start({ target: registry.url }))
    const agents = await startFleet(parts, AGENTS, () => ({ origins: { 'reg.test': origin.url }, args: SLOW }))

    const pulls = agents.map(pull)
    await until(() => given(origin, layer) > size / 4, { what: 'the origin has sent a quarter of the layer', timeoutMs: TEST_TIMEOUT_MS })
    origin.intercept = answers(429, { 'retry-after': '2' })(origin, 'blobs')
    await until(() => origin.requests.filter(({ status }) => status === 429).length >= 2, { what: 'the origin has refused', timeoutMs: TEST_TIMEOUT_MS })
    origin.intercept = () => false

    expect(await Promise.all(pulls)).toEqual(agents.map(() => 'right'))
    expect(origin.requests.filter(({ status }) => status === 429).length).toBeLessThanOrEqual(2 * AGENTS)
    expect(origin.contentBytes).toBeLessThan(1.3 * imageBytes(image))
  }, TEST_TIMEOUT_MS)

  it('read a layer about once, each byte relayed, from an origin that knows no ranges', async () => {
    await using parts = new Parts()
    const { image, pull } = await pushNew('no ranges')
    const origin = parts.keep(await RecordingProxy.start({ target: registry.url, bytesPerSecond: 2_000_000 }))
    origin.intercept = ({ headers }) => {
      delete headers.range
      return false
    }
    const agents = await startFleet(parts, AGENTS, () => ({ origins: { 'reg.test': origin.url } }))

    expect(await Promise.all(agents.map(pull))).toEqual(agents.map(() => 'right'))
    expect(origin.contentBytes).toBeLessThan(1.3 * imageBytes(image))
  }, TEST_TIMEOUT_MS)

  it('ask the origin for no blob under the policy never, whoever dies or lies', async () => {
    await using parts = new Parts()
    const { image, pull } = await pushNew('never')
    const a = parts.keep(await AgentProcess.start({ origins: { 'reg.test': registry.url } }))
    expect(await pull(a)).toBe('right')
    const liar = parts.keep(await startBadSwarmPeer({ behaviour: 'flips a byte', content: image.blobs }))
    const origin = parts.keep(await RecordingProxy.start({ target: registry.url }))
    const b = parts.keep(await AgentProcess.start({ origins: { 'reg.test': origin.url }, bootstrap: [a.multiaddr, ...liar.addresses], args: [...SLOW, '--origin-policy', 'never'] }))
    await b.connectedTo(a, liar)

    const cut = pull(b).catch(() => 'cut')
    await until(async () => (await b.status()).bytes.fromPeers > LAYER_BYTES / 4, { what: 'a quarter has come', timeoutMs: TEST_TIMEOUT_MS })
    await a.kill()
    expect(await cut).not.toBe('right')
    await a.restart()
    await until(async () => (await b.peers()).some(({ peer }) => peer === a.peerId), { what: 'B is connected to A again', timeoutMs: TEST_TIMEOUT_MS })

    expect(await pull(b)).toBe('right')
    expect(origin.requests.filter(({ path }) => path.includes('/blobs/'))).toEqual([])
    expect((await b.status()).banned.map(({ peer }) => peer)).toEqual([liar.peerId])
  }, TEST_TIMEOUT_MS)
})

/** Bytes of a blob that an origin has sent, each as often as it did. */
function sent (origin: RecordingProxy, digest: string): number {
  return origin.requests.filter(({ path }) => path.endsWith(digest)).reduce((sum, { bytes }) => sum + bytes, 0)
}

/** Bytes of a blob that an origin has sent at least once, by requests that have ended. */
function given (origin: RecordingProxy, digest: string): number {
  const requests = origin.requests.filter(({ path, isDone }) => isDone && path.endsWith(digest)).sort((a, b) => a.rangeStart - b.rangeStart)
  let sum = 0
  let edge = 0
  for (const { rangeStart, bytes } of requests) {
    sum += Math.max(0, rangeStart + bytes - Math.max(edge, rangeStart))
    edge = Math.max(edge, rangeStart + bytes)
  }
  return sum
}
