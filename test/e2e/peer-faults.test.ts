import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { expectImage } from '../support/clients/image-client.ts'
import { skopeoClient } from '../support/clients/skopeo.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { httpPull } from '../support/http-pull.ts'
import { buildImage, type TestImage } from '../support/image.ts'
import { startBadPeer, type BadPeerBehaviour } from '../support/peer-zoo.ts'
import { Parts } from '../support/parts.ts'
import { blobOf, platformImage } from '../support/platform-image.ts'
import { RecordingProxy } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'
import type { BadSwarmBehaviour } from '../support/swarm-conduct.ts'
import { startBadSwarmPeer } from '../support/swarm-zoo.ts'
import { TcpThrottle } from '../support/tcp-throttle.ts'
import { until } from '../../scenarios/live/until.ts'

const REPOSITORY = 'team/app'
const LARGE_LAYER_BYTES = 200_000_000
/** So slow that there is time to kill an agent in the middle of the blob. */
const ROAD_BYTES_PER_SECOND = 80_000_000
const KILL_AFTER_BYTES = 40_000_000
const DEADLINES = ['--timeouts-peer-first-byte', '1s', '--timeouts-stall', '1s']
const TEST_TIMEOUT_MS = 120_000

interface PeerCase<Behaviour> {
  readonly behaviour: Behaviour
  /** Who lies or breaks the protocol is banned, who does not deliver is passed over. */
  readonly end: 'banned' | 'passed over'
}

/** Of the protocol by which manifests are read. */
const manifestCases: Array<PeerCase<BadPeerBehaviour>> = [
  { behaviour: 'flips a byte', end: 'banned' },
  { behaviour: 'is silent', end: 'passed over' },
  { behaviour: 'answers garbage', end: 'passed over' },
  { behaviour: 'denies', end: 'passed over' }
]

/** Of the protocol by which blobs are read. */
const blobCases: Array<PeerCase<BadSwarmBehaviour>> = [
  { behaviour: 'honest', end: 'passed over' },
  { behaviour: 'flips a byte', end: 'banned' },
  { behaviour: 'signs wrong hashes', end: 'banned' },
  { behaviour: 'sends pieces unasked', end: 'banned' },
  { behaviour: 'sends a huge length', end: 'banned' },
  { behaviour: 'sends garbage', end: 'banned' },
  { behaviour: 'forges a signature', end: 'banned' },
  { behaviour: 'attests another blob', end: 'banned' },
  { behaviour: 'attests nothing', end: 'banned' },
  { behaviour: 'sends chunks out of order', end: 'banned' },
  { behaviour: 'claims too many pieces', end: 'banned' },
  { behaviour: 'claims spare pieces', end: 'banned' },
  { behaviour: 'claims another size', end: 'banned' },
  { behaviour: 'opens two channels', end: 'banned' },
  { behaviour: 'sends pieces at once', end: 'banned' },
  { behaviour: 'floods with haves', end: 'banned' },
  { behaviour: 'joins thousands of blobs', end: 'banned' },
  { behaviour: 'joins and leaves thousands of blobs', end: 'banned' },
  { behaviour: 'is silent', end: 'passed over' },
  { behaviour: 'sends a chunk a second', end: 'passed over' },
  { behaviour: 'dies within a piece', end: 'passed over' },
  { behaviour: 'ends the stream within a piece', end: 'passed over' },
  { behaviour: 'promises and gives nothing', end: 'passed over' },
  { behaviour: 'is busy', end: 'passed over' },
  { behaviour: 'denies', end: 'passed over' }
]

describe.skipIf(requireCommands('docker-registry', 'skopeo', 'setpriv') !== undefined)('an agent that reads from another agent', () => {
  let registry: DockerRegistry

  beforeAll(async () => { registry = await startDockerRegistry() })

  afterAll(async () => { await registry.stop() })

  it('goes on where the other was killed: skopeo asks once for the 200 MB blob and gets it right', async () => {
    await using parts = new Parts()
    const image = await buildImage({ seed: 'killed', platforms: ['amd64'], layerBytes: [LARGE_LAYER_BYTES] })
    await pushImage(registry.url, REPOSITORY, image, { tag: 'killed' })
    const layer = platformImage(image, 'amd64').layers[0] ?? ''
    const pull = { registry: 'reg.test', repository: REPOSITORY, reference: 'killed' }

    const a = parts.keep(await AgentProcess.start({ origins: { 'reg.test': registry.url } }))
    expect(await httpPull({ ...pull, agent: a.url, image })).toBe('right')
    const road = parts.keep(await TcpThrottle.start({ port: a.p2pPort, bytesPerSecond: ROAD_BYTES_PER_SECOND }))
    const origin = parts.keep(await RecordingProxy.start({ target: registry.url }))
    const b = parts.keep(await AgentProcess.start({ origins: { 'reg.test': origin.url }, bootstrap: [road.multiaddrOf(a)] }))
    await b.connectedTo(a)
    const door = parts.keep(await RecordingProxy.start({ target: b.url }))

    const pulled = parts.keep(await skopeoClient()).pull({ ...pull, endpoint: new URL(door.url).host }, { timeoutMs: TEST_TIMEOUT_MS })
    await until(async () => (await b.status()).bytes.fromPeers > KILL_AFTER_BYTES, { what: 'B reads from A', timeoutMs: TEST_TIMEOUT_MS })
    expect(origin.contentBytes).toBe(0)
    await a.kill()

    await expectImage(await pulled, image)
    expect(door.requests.filter(({ method, path }) => method === 'GET' && path.endsWith(layer))).toHaveLength(1)
    expect(origin.contentBytes).toBeGreaterThan(0)
    expect(origin.contentBytes).toBeLessThan(blobOf(image, layer).length - KILL_AFTER_BYTES / 2)
  }, TEST_TIMEOUT_MS)

  it.concurrent.each(manifestCases)('gets the image right when the other, asked for a manifest, $behaviour, and is then $end', async ({ behaviour, end }) => {
    await using parts = new Parts()
    const { image, reference } = await pushNew(`${behaviour} of manifests`)
    const manifests = new Map([image.index, ...image.manifests].map(({ digest, bytes }) => [digest, bytes]))
    const bad = parts.keep(await startBadPeer({ behaviour, content: manifests }))
    const b = parts.keep(await AgentProcess.start({ origins: { 'reg.test': registry.url }, bootstrap: bad.addresses, args: DEADLINES }))
    await b.connectedTo(bad)

    await expectImage(await parts.keep(await skopeoClient()).pull({ endpoint: b.endpoint, registry: 'reg.test', repository: REPOSITORY, reference }), image)
    expect(bad.asked.length).toBeGreaterThan(0)
    await expectEnd(b, bad, end)
  }, TEST_TIMEOUT_MS)

  it.concurrent.each(blobCases)('gets the image right when the other, asked for a blob, $behaviour, and is then $end', async ({ behaviour, end }) => {
    await using parts = new Parts()
    const { image, reference } = await pushNew(`${behaviour} of blobs`)
    const bad = parts.keep(await startBadSwarmPeer({ behaviour, content: image.blobs }))
    const b = parts.keep(await AgentProcess.start({ origins: { 'reg.test': registry.url }, bootstrap: bad.addresses }))
    await b.connectedTo(bad)

    await expectImage(await parts.keep(await skopeoClient()).pull({ endpoint: b.endpoint, registry: 'reg.test', repository: REPOSITORY, reference }), image)
    // one that breaks the protocol at once is not asked any more
    if (!behaviour.includes('thousands of blobs')) expect(bad.asked.length).toBeGreaterThan(0)
    await expectEnd(b, bad, end)
  }, TEST_TIMEOUT_MS)

  async function pushNew (name: string): Promise<{ image: TestImage, reference: string }> {
    const reference = name.replaceAll(' ', '-')
    const image = await buildImage({ seed: name })
    await pushImage(registry.url, REPOSITORY, image, { tag: reference })
    return { image, reference }
  }

  async function expectEnd (agent: AgentProcess, bad: { readonly peerId: string }, end: 'banned' | 'passed over'): Promise<void> {
    const isBanned = end === 'banned'
    expect((await agent.status()).banned.map(({ peer }) => peer)).toEqual(isBanned ? [bad.peerId] : [])
    expect(agent.log().split('\n').some(line => line.includes('peer:banned') && line.includes(bad.peerId))).toBe(isBanned)
  }
})
