import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EventHub } from '../../src/events.ts'
import { createSwarmNode, type SwarmNode } from '../../src/net/node.ts'
import { PeerError } from '../../src/net/peer-error.ts'
import type { ContentKind } from '../../src/net/peers.ts'
import type { Digest } from '../../src/oci/digest.ts'
import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { basicAuthorization, bearerGate, blobRedirect } from '../support/bearer-gate.ts'
import { expectImage, type ImageClient, type PulledImage } from '../support/clients/image-client.ts'
import { skopeoClient } from '../support/clients/skopeo.ts'
import { configuredLogin, helperLogin } from '../support/docker-credentials.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { errorCode, httpRead } from '../support/http-read.ts'
import { buildImage, type TestImage } from '../support/image.ts'
import { platformImage } from '../support/platform-image.ts'
import { RecordingProxy } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'
import { until } from '../../scenarios/live/until.ts'

const REPOSITORY = 'team/secret'
const LOGIN = { username: 'robot', password: 'pa55-word-of-the-robot' }
const TOKEN = 'token-that-nobody-may-log'
const SIGNATURE = 'signature-that-nobody-may-log'
const DHT_TIMEOUT_MS = 5_000
const TEST_TIMEOUT_MS = 60_000

const registryNames = ['basic.test', 'bearer.test', 'redirect.test'] as const
const sources = ['config.json', 'a credential helper'] as const
const cases = sources.flatMap(source => registryNames.map(name => ({ source, name })))

describe.skipIf(requireCommands('docker-registry', 'skopeo', 'setpriv') !== undefined)('a private registry', () => {
  const images = new Map<string, TestImage>()
  const running: Array<{ stop (): Promise<void> }> = []
  let agents: Record<typeof sources[number], AgentProcess>
  let stranger: AgentProcess
  let second: RecordingProxy
  let openImage: TestImage
  let skopeo: ImageClient

  beforeAll(async () => {
    const basic = keep(await startDockerRegistry({ auth: LOGIN }))
    const open = keep(await startDockerRegistry())
    const bearer = keep(await RecordingProxy.start({ target: open.url }))
    const redirect = keep(await RecordingProxy.start({ target: open.url }))
    second = keep(await RecordingProxy.start({ target: open.url }))
    const [askToken, sendAway] = [bearerGate({ ...LOGIN, token: TOKEN }), blobRedirect(second.url, SIGNATURE)]
    bearer.intercept = askToken
    redirect.intercept = (request, response) => askToken(request, response) || sendAway(request, response)
    await pushNew('basic.test', basic, LOGIN)
    await pushNew('bearer.test', open)
    await pushNew('redirect.test', open)

    openImage = await buildImage({ seed: 'open' })
    await pushImage(open.url, REPOSITORY, openImage, { tag: 'open' })

    const origins = { 'open.test': open.url, 'basic.test': basic.url, 'bearer.test': bearer.url, 'redirect.test': redirect.url }
    const login = { ...LOGIN, hosts: Object.values(origins).map(url => new URL(url).host) }
    const args = ['--log-level', 'trace']
    const first = keep(await AgentProcess.start({ origins, args, env: await configuredLogin(login) }))
    const other = keep(await AgentProcess.start({ origins, args, env: await helperLogin(login), bootstrap: [first.multiaddr] }))
    agents = { 'config.json': first, 'a credential helper': other }
    stranger = keep(await AgentProcess.start({ origins, args, bootstrap: [first.multiaddr, other.multiaddr] }))
    await stranger.connectedTo(first, other)
    skopeo = keep(await skopeoClient())
  }, TEST_TIMEOUT_MS)

  afterAll(async () => {
    for (const part of running.reverse()) await part.stop()
  })

  function keep<T extends { stop (): Promise<void> }> (part: T): T {
    running.push(part)
    return part
  }

  async function pushNew (name: string, registry: DockerRegistry, auth?: typeof LOGIN): Promise<void> {
    const image = await buildImage({ seed: name })
    images.set(name, image)
    await pushImage(registry.url, REPOSITORY, image, { tag: name, ...(auth === undefined ? {} : { auth }) })
  }

  function imageOf (name: string): TestImage {
    const image = images.get(name)
    if (image === undefined) throw new Error(`no image for ${name}`)
    return image
  }

  /** Every image through every agent that has credentials. */
  async function pullAll (): Promise<void> {
    for (const { source, name } of cases) await pull(source, name)
    await skopeo.pull({ endpoint: agents['config.json'].endpoint, registry: 'open.test', repository: REPOSITORY, reference: 'open' })
  }

  async function pull (source: typeof sources[number], name: string): Promise<PulledImage> {
    return skopeo.pull({ endpoint: agents[source].endpoint, registry: name, repository: REPOSITORY, reference: name })
  }

  it.each(cases)('of the kind $name is pulled from with credentials of $source', async ({ source, name }) => {
    await expectImage(await pull(source, name), imageOf(name))
  }, TEST_TIMEOUT_MS)

  it('that redirects to a second host: that one receives no Authorization', async () => {
    await pullAll()
    expect(second.requests.length).toBeGreaterThan(0)
    expect(second.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([])
  })

  it.each(registryNames)('of the kind %s is closed to an agent without credentials, though its neighbours hold the content', async name => {
    await pullAll()
    const image = imageOf(name)
    const { manifest, config, layers } = platformImage(image)
    const paths = [image.index.digest, name, manifest.digest].map(reference => `manifests/${reference}`).concat([config, ...layers].map(digest => `blobs/${digest}`))
    for (const path of paths) {
      const answer = await httpRead(`${stranger.url}/v2/${REPOSITORY}/${path}?ns=${name}`)
      expect({ path, status: answer.status, code: errorCode(answer) }).toEqual({ path, status: 404, code: path.startsWith('blobs') ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN' })
    }
  }, TEST_TIMEOUT_MS)

  it('shows no byte of its content to other agents, nor offers it', async () => {
    await pullAll()
    const node = keep(createSwarmNode({ events: new EventHub() }, { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: Object.values(agents).map(agent => agent.multiaddr) }))
    await node.start()
    const holders = Object.values(agents).map(agent => agent.peerId)
    await until(() => holders.every(peer => node.content.neighbours().includes(peer)), { what: 'the node knows both agents' })
    await until(async () => (await providersOf(node, openImage.index.digest)).length > 0, { what: 'what is not private is offered' })
    for (const name of registryNames) {
      const { index, blobs } = imageOf(name)
      for (const digest of [index.digest, ...blobs.keys()]) {
        expect(await providersOf(node, digest)).toEqual([])
        for (const peer of holders) expect(await isGiven(node, peer, digest === index.digest ? 'manifest' : 'blob', digest)).toBe(false)
      }
    }
    for (const agent of Object.values(agents)) expect((await agent.status()).bytes.toPeers).toBe(0)
  }, TEST_TIMEOUT_MS)

  it('leaves no secret in any log at trace level', async () => {
    await pullAll()
    const secrets = [LOGIN.password, basicAuthorization(LOGIN.username, LOGIN.password).slice('Basic '.length), TOKEN, SIGNATURE]
    for (const agent of [...Object.values(agents), stranger]) {
      const log = agent.log()
      expect(log).not.toBe('')
      expect(secrets.filter(secret => log.includes(secret))).toEqual([])
    }
  })
})

async function providersOf (node: SwarmNode, digest: Digest): Promise<string[]> {
  const found: string[] = []
  for await (const { peer } of node.router.findProviders(digest, { signal: AbortSignal.timeout(DHT_TIMEOUT_MS) })) found.push(peer)
  return found
}

async function isGiven (node: SwarmNode, peer: string, kind: ContentKind, digest: Digest): Promise<boolean> {
  try {
    if (await node.content.have(peer, kind, digest) !== undefined) return true
    await node.content.read(peer, kind, digest, 0)
    return true
  } catch (error) {
    if (error instanceof PeerError && ['PEER_MISSING', 'PEER_DENIED'].includes(error.code)) return false
    throw error
  }
}
