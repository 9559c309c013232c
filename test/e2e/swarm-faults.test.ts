import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadIdentity } from '../../src/net/identity.ts'
import { shortDigest, type Digest } from '../../src/oci/digest.ts'
import { eventsOf, LOG_EVENTS, receivedBytes } from '../support/agent-events.ts'
import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { flipStoredBit } from '../support/bit-rot.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { httpPull } from '../support/http-pull.ts'
import { buildImage, imageBytes, type TestImage } from '../support/image.ts'
import { Parts } from '../support/parts.ts'
import { hostArchitecture, platformImage } from '../support/platform-image.ts'
import { RecordingProxy } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'
import { startBadSwarmPeer } from '../support/swarm-zoo.ts'
import { until } from '../../scenarios/live/until.ts'

const REPOSITORY = 'team/app'
const LAYER_BYTES = 4_000_000
const SLOW_BYTES_PER_SECOND = 2_000_000
const TEST_TIMEOUT_MS = 60_000

describe.skipIf(requireCommands('docker-registry', 'setpriv') !== undefined)('agents that swarm an image', () => {
  let registry: DockerRegistry

  beforeAll(async () => { registry = await startDockerRegistry() })

  afterAll(async () => { await registry.stop() })

  it('at once, cold, get it right and together read little more than one image from the origin', async () => {
    await using parts = new Parts()
    const image = await pushNew('at once')
    const origin = parts.keep(await RecordingProxy.start({ target: registry.url, bytesPerSecond: SLOW_BYTES_PER_SECOND }))
    const origins = { 'reg.test': origin.url }
    const first = parts.keep(await AgentProcess.start({ origins }))
    const others = [parts.keep(await AgentProcess.start({ origins, bootstrap: [first.multiaddr] })), parts.keep(await AgentProcess.start({ origins, bootstrap: [first.multiaddr] }))]
    for (const other of others) await other.connectedTo(first)

    const agents = [first, ...others]
    expect(await Promise.all(agents.map(async agent => pull(agent, image, 'at once')))).toEqual(['right', 'right', 'right'])
    expect(origin.contentBytes).toBeLessThan(1.3 * imageBytes(image))
  }, TEST_TIMEOUT_MS)

  it('beside one that signs wrong hashes of wrong bytes get it right, and ban the signer', async () => {
    await using parts = new Parts()
    const image = await pushNew('lying author')
    const liar = parts.keep(await startBadSwarmPeer({ behaviour: 'signs wrong hashes', content: image.blobs }))
    const b = parts.keep(await AgentProcess.start({ origins: { 'reg.test': registry.url }, bootstrap: liar.addresses }))
    await b.connectedTo(liar)

    expect(await pull(b, image, 'lying author')).toBe('right')
    expect(await bannedBy(b)).toEqual([liar.peerId])
    expect(b.log().split('\n').filter(line => line.includes('peer:banned') && line.includes(liar.peerId))).toHaveLength(1)
  }, TEST_TIMEOUT_MS)

  it('beside one that passes on what another signed, with other bytes, ban it and not the signer', async () => {
    await using parts = new Parts()
    const image = await pushNew('lying relay')
    const a = parts.keep(await AgentProcess.start({ origins: { 'reg.test': registry.url } }))
    expect(await pull(a, image, 'lying relay')).toBe('right')
    const relay = parts.keep(await startBadSwarmPeer({ behaviour: 'flips a byte', content: image.blobs, signAs: await loadIdentity(a.dataDir) }))
    const b = parts.keep(await AgentProcess.start({ origins: { 'reg.test': registry.url }, bootstrap: [a.multiaddr, ...relay.addresses] }))
    await b.connectedTo(a, relay)

    expect(await pull(b, image, 'lying relay')).toBe('right')
    expect(await bannedBy(b)).toEqual([relay.peerId])
  }, TEST_TIMEOUT_MS)

  it('beside a liar under five names get it right, and ban each name that lied', async () => {
    await using parts = new Parts()
    const image = await pushNew('many names')
    const liars = []
    for (let index = 0; index < 5; index++) liars.push(parts.keep(await startBadSwarmPeer({ behaviour: 'signs wrong hashes', content: image.blobs })))
    const b = parts.keep(await AgentProcess.start({ origins: { 'reg.test': registry.url }, bootstrap: liars.flatMap(({ addresses }) => addresses) }))
    await b.connectedTo(...liars)

    expect(await pull(b, image, 'many names')).toBe('right')
    const asked = liars.filter(liar => liar.asked.some(({ type }) => type === 'request')).map(({ peerId }) => peerId)
    expect(asked.length).toBeGreaterThan(0)
    expect(await bannedBy(b)).toEqual(expect.arrayContaining(asked))
  }, TEST_TIMEOUT_MS)

  it('get it right from one whose disk has flipped a bit since, ban it, and tell it so that it mends its copy', async () => {
    await using parts = new Parts()
    const image = await pushNew('bad disk')
    const a = parts.keep(await AgentProcess.start({ origins: { 'reg.test': registry.url } }))
    expect(await pull(a, image, 'bad disk')).toBe('right')
    const layer = await stored(a, image)
    await a.end()
    await flipStoredBit(a.dataDir, layer, Math.floor(LAYER_BYTES / 3))
    await a.restart()
    const b = parts.keep(await AgentProcess.start({ origins: { 'reg.test': registry.url }, bootstrap: [a.multiaddr] }))
    await b.connectedTo(a)

    expect(await pull(b, image, 'bad disk')).toBe('right')
    expect((await b.status()).banned).toMatchObject([{ peer: a.peerId, reason: expect.stringMatching(/^signed a wrong hash of piece \d+ of sha256:.*: the origin has another$/) as string }])
    expect(b.log()).toMatch(new RegExp(`"peer":"${a.peerId}","reason":"signed a wrong hash[^"]*".*peer:banned`))
    // the accused has looked at its own copy, and has a right one again
    await until(() => a.log().includes('blob:quarantined') && isStored(a.log().split('blob:quarantined').at(-1) ?? '', layer), { what: 'the damaged blob is fetched again' })
    expect(await pull(a, image, 'bad disk')).toBe('right')
  }, TEST_TIMEOUT_MS)

  it('go on with the pieces they have when killed in the middle and started again', async () => {
    await using parts = new Parts()
    const image = await pushNew('restart', 2 * LAYER_BYTES)
    const origin = parts.keep(await RecordingProxy.start({ target: registry.url, bytesPerSecond: SLOW_BYTES_PER_SECOND }))
    const b = parts.keep(await AgentProcess.start({ origins: { 'reg.test': origin.url }, args: LOG_EVENTS }))
    const cut = pull(b, image, 'restart').catch(() => 'cut')
    await until(() => receivedBytes(eventsOf(b)) > LAYER_BYTES, { what: 'half of the layer has come' })
    await b.kill()
    expect(await cut).toBe('cut')
    const earlier = b.log().length
    await b.restart()

    expect(await pull(b, image, 'restart')).toBe('right')
    // of the first half the last MiB, at the most, and what was being hashed had not been noted
    expect(receivedBytes(eventsOf(b, earlier))).toBeLessThan(imageBytes(image) - LAYER_BYTES / 2)
    expect(origin.contentBytes).toBeLessThan(1.3 * imageBytes(image))
  }, TEST_TIMEOUT_MS)

  async function pushNew (name: string, layerBytes = LAYER_BYTES): Promise<TestImage> {
    const image = await buildImage({ seed: name, platforms: [hostArchitecture], layerBytes: [layerBytes] })
    await pushImage(registry.url, REPOSITORY, image, { tag: tagOf(name) })
    return image
  }
})

async function pull (agent: AgentProcess, image: TestImage, name: string): Promise<string> {
  return httpPull({ agent: agent.url, registry: 'reg.test', repository: REPOSITORY, reference: tagOf(name), image, timeoutMs: TEST_TIMEOUT_MS })
}

async function bannedBy (agent: AgentProcess): Promise<string[]> {
  return (await agent.status()).banned.map(({ peer }) => peer)
}

/** Resolves with the image's layer when the agent has it in its store: a client may have its last byte before. */
async function stored (agent: AgentProcess, image: TestImage): Promise<Digest> {
  const layer = platformImage(image).layers[0] as Digest
  await until(() => isStored(agent.log(), layer), { what: `${layer} is stored` })
  return layer
}

function isStored (log: string, digest: Digest): boolean {
  return log.split('\n').some(line => line.includes('fetch:completed') && line.includes(shortDigest(digest)))
}

function tagOf (name: string): string {
  return name.replaceAll(' ', '-')
}
