import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AgentProcess } from '../support/agent-process.ts'
import { expectImage, type ImageClient } from '../support/clients/image-client.ts'
import { skopeoClient } from '../support/clients/skopeo.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { httpPull } from '../support/http-pull.ts'
import { buildImage } from '../support/image.ts'
import { startBadPeer, type BadPeerBehaviour } from '../support/peer-zoo.ts'
import { blobOf, platformImage } from '../support/platform-image.ts'
import { RecordingProxy } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'
import { TcpThrottle } from '../support/tcp-throttle.ts'
import { until } from '../support/until.ts'

const REPOSITORY = 'team/app'
const LARGE_LAYER_BYTES = 200_000_000
/** So slow that there is time to kill an agent in the middle of the blob. */
const ROAD_BYTES_PER_SECOND = 80_000_000
const KILL_AFTER_BYTES = 40_000_000
const DEADLINES = ['--timeouts-peer-first-byte', '1s', '--timeouts-stall', '1s']
const TEST_TIMEOUT_MS = 120_000

interface PeerCase {
  readonly behaviour: BadPeerBehaviour
  /** What it has. @default blobs */
  readonly about?: 'blobs' | 'manifests'
  /** Who lies is banned, who begins and fails loses its turn, who never begins is passed over. */
  readonly end: 'banned' | 'given up' | 'passed over'
}

const cases: PeerCase[] = [
  { behaviour: 'flips a byte', end: 'banned' },
  { behaviour: 'flips a byte', about: 'manifests', end: 'banned' },
  { behaviour: 'announces too much', end: 'banned' },
  { behaviour: 'announces too little', end: 'banned' },
  { behaviour: 'claims everything', end: 'banned' },
  { behaviour: 'answers another request', end: 'banned' },
  { behaviour: 'is silent within a blob', end: 'given up' },
  { behaviour: 'sends a byte a second', end: 'given up' },
  { behaviour: 'dies within a blob', end: 'given up' },
  { behaviour: 'ends the stream within a blob', end: 'given up' },
  { behaviour: 'is silent', end: 'passed over' },
  { behaviour: 'answers garbage', end: 'passed over' },
  { behaviour: 'is busy', end: 'passed over' },
  { behaviour: 'denies', end: 'passed over' }
]

describe.skipIf(requireCommands('docker-registry', 'skopeo', 'setpriv') !== undefined)('an agent that reads from another agent', () => {
  let registry: DockerRegistry
  let skopeo: ImageClient

  beforeAll(async () => {
    registry = await startDockerRegistry()
    skopeo = await skopeoClient()
  })

  afterAll(async () => {
    await skopeo.stop()
    await registry.stop()
  })

  it('goes on where the other was killed: skopeo asks once for the 200 MB blob and gets it right', async () => {
    await using parts = new AsyncDisposableStack()
    const keep = <T extends { stop (): Promise<void> }>(part: T): T => parts.adopt(part, async () => { await part.stop() })
    const image = await buildImage({ seed: 'killed', platforms: ['amd64'], layerBytes: [LARGE_LAYER_BYTES] })
    await pushImage(registry.url, REPOSITORY, image, { tag: 'killed' })
    const layer = platformImage(image, 'amd64').layers[0] ?? ''
    const pull = { registry: 'reg.test', repository: REPOSITORY, reference: 'killed' }

    const a = keep(await AgentProcess.start({ origins: { 'reg.test': registry.url } }))
    expect(await httpPull({ ...pull, agent: a.url, image })).toBe('right')
    const road = keep(await TcpThrottle.start({ port: a.p2pPort, bytesPerSecond: ROAD_BYTES_PER_SECOND }))
    const origin = keep(await RecordingProxy.start({ target: registry.url }))
    const b = keep(await AgentProcess.start({ origins: { 'reg.test': origin.url }, bootstrap: [road.multiaddrOf(a)] }))
    await b.connectedTo(a)
    const door = keep(await RecordingProxy.start({ target: b.url }))

    const pulled = skopeo.pull({ ...pull, endpoint: new URL(door.url).host }, { timeoutMs: TEST_TIMEOUT_MS })
    await until(async () => (await b.status()).bytes.fromPeers > KILL_AFTER_BYTES, { what: 'B reads from A', timeoutMs: TEST_TIMEOUT_MS })
    expect(origin.contentBytes).toBe(0)
    await a.kill()

    await expectImage(await pulled, image)
    expect(door.requests.filter(({ method, path }) => method === 'GET' && path.endsWith(layer))).toHaveLength(1)
    expect(origin.contentBytes).toBeGreaterThan(0)
    expect(origin.contentBytes).toBeLessThan(blobOf(image, layer).length - KILL_AFTER_BYTES / 2)
  }, TEST_TIMEOUT_MS)

  it.each(cases)('gets the image right when the other $behaviour, which is then $end', async ({ behaviour, about = 'blobs', end }) => {
    await using parts = new AsyncDisposableStack()
    const keep = <T extends { stop (): Promise<void> }>(part: T): T => parts.adopt(part, async () => { await part.stop() })
    const reference = `${behaviour} ${about}`.replaceAll(' ', '-')
    const image = await buildImage({ seed: reference })
    await pushImage(registry.url, REPOSITORY, image, { tag: reference })
    const manifests = new Map([image.index, ...image.manifests].map(({ digest, bytes }) => [digest, bytes]))
    const bad = keep(await startBadPeer({ behaviour, content: about === 'blobs' ? image.blobs : manifests }))
    const b = keep(await AgentProcess.start({ origins: { 'reg.test': registry.url }, bootstrap: bad.addresses, args: DEADLINES }))
    await b.connectedTo(bad)

    await expectImage(await skopeo.pull({ endpoint: b.endpoint, registry: 'reg.test', repository: REPOSITORY, reference }), image)
    expect(bad.asked.length).toBeGreaterThan(0)
    expect((await b.status()).banned.map(({ peer }) => peer)).toEqual(end === 'banned' ? [bad.peerId] : [])
    const events = ['peer:banned', 'fetch:source-failed'].filter(event => b.log().split('\n').some(line => line.includes(event) && line.includes(bad.peerId)))
    if (end === 'banned') expect(events).toContain('peer:banned')
    else expect(events).toEqual(end === 'given up' ? ['fetch:source-failed'] : [])
  }, TEST_TIMEOUT_MS)
})
