import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { expectImage, type ImageClient } from '../support/clients/image-client.ts'
import { skopeoClient } from '../support/clients/skopeo.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { httpPull, type PullOutcome } from '../support/http-pull.ts'
import { errorCode, httpRead } from '../support/http-read.ts'
import { buildImage, type TestImage } from '../support/image.ts'
import { answers, endsAt, flipsAt, hangs, once, type OriginFault } from '../support/origin-fault.ts'
import { platformImage } from '../support/platform-image.ts'
import { RecordingProxy } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'
import { seededRandom, testSeed } from '../support/seeded-random.ts'

const REPOSITORY = 'team/app'
/** Shorter than the defaults, so that a suite of failures does not take minutes. */
const DEADLINES = ['--timeouts-origin-connect', '1s', '--timeouts-manifest', '2s', '--timeouts-blob-first-byte', '2s', '--timeouts-stall', '1s']
/** For one request: its deadlines, tried a few times with back-off. */
const REQUEST_DEADLINE_MS = 12_000
const TEST_TIMEOUT_MS = 60_000
const SLOW_BYTES_PER_SECOND = 200_000
const SLOW_HOST = 'slow.test'
const WRONG_HOST = 'wrong.test'
const CUTS = 6

interface Fault {
  readonly name: string
  readonly fault: OriginFault
  readonly outcome: PullOutcome
}

const seed = testSeed()
const faults: Fault[] = [
  { name: 'is silent', fault: hangs, outcome: 'not found' },
  { name: 'answers 500', fault: answers(500), outcome: 'not found' },
  { name: 'answers 503', fault: answers(503), outcome: 'not found' },
  { name: 'answers 429', fault: answers(429, { 'retry-after': '1' }), outcome: 'not found' },
  { name: 'answers 429 for an hour', fault: answers(429, { 'retry-after': '3600' }), outcome: 'not found' },
  { name: 'answers 500 once', fault: once(answers(500)), outcome: 'right' },
  { name: 'answers 429 once', fault: once(answers(429, { 'retry-after': '1' })), outcome: 'right' },
  ...seededRandom(seed, CUTS).map(share => ({ name: `is cut after ${share.toFixed(3)} once`, fault: once(endsAt(share, 'torn')), outcome: 'right' as const }))
]
const scopes = ['manifests', 'blobs'] as const
const faultCases = [
  ...scopes.flatMap(scope => faults.map(fault => ({ ...fault, scope }))),
  // One deadline holds for the whole of a manifest, one for each silence within a blob.
  { name: 'falls silent half way once', fault: once(endsAt(0.5, 'silent')), scope: 'manifests' as const, outcome: 'not found' as const },
  { name: 'falls silent half way once', fault: once(endsAt(0.5, 'silent')), scope: 'blobs' as const, outcome: 'right' as const }
].map(({ name, ...fault }, index) => ({ ...fault, name: `${name} at ${fault.scope}`, host: `fault-${index}.test` }))

describe.skipIf(requireCommands('docker-registry', 'skopeo', 'setpriv') !== undefined)(`an origin that misbehaves (seed ${seed})`, () => {
  const proxies = new Map<string, RecordingProxy>()
  let registry: DockerRegistry
  let agent: AgentProcess
  let skopeo: ImageClient

  beforeAll(async () => {
    registry = await startDockerRegistry()
    proxies.set(SLOW_HOST, await RecordingProxy.start({ target: registry.url, bytesPerSecond: SLOW_BYTES_PER_SECOND }))
    proxies.set(WRONG_HOST, await RecordingProxy.start({ target: registry.url }))
    for (const { host, fault, scope } of faultCases) {
      const proxy = await RecordingProxy.start({ target: registry.url })
      proxy.intercept = fault(proxy, scope)
      proxies.set(host, proxy)
    }
    skopeo = await skopeoClient()
    const origins = Object.fromEntries([...proxies].map(([host, { url }]) => [host, url]))
    agent = await AgentProcess.start({ origins, args: DEADLINES })
  })

  afterAll(async () => {
    await agent.stop()
    await skopeo.stop()
    for (const proxy of proxies.values()) await proxy.stop()
    await registry.stop()
  })

  /** An image that nobody has pulled before. */
  async function pushNewImage (host: string): Promise<TestImage> {
    const image = await buildImage({ seed: host })
    await pushImage(registry.url, REPOSITORY, image, { tag: host })
    return image
  }

  it.concurrent.each(faultCases)('that $name: the pull is $outcome, in time', async ({ host, outcome }) => {
    const image = await pushNewImage(host)
    expect(await httpPull({ agent: agent.url, registry: host, repository: REPOSITORY, reference: host, image, timeoutMs: REQUEST_DEADLINE_MS })).toBe(outcome)
  }, TEST_TIMEOUT_MS)

  it.each(scopes)('that gives wrong %s: no answer comes to its end with them', async scope => {
    const proxy = proxies.get(WRONG_HOST)
    if (proxy === undefined) throw new Error('the wrong origin runs')
    const image = await pushNewImage(`wrong-${scope}`)
    proxy.intercept = flipsAt(0.9)(proxy, scope)
    const { config, layers } = platformImage(image)
    const paths = scope === 'blobs' ? [config, ...layers].map(digest => `blobs/${digest}`) : [image.index.digest, 'wrong-manifests'].map(reference => `manifests/${reference}`)
    for (const path of paths) {
      const answer = await httpRead(`${agent.url}/v2/${REPOSITORY}/${path}?ns=${WRONG_HOST}`, { timeoutMs: REQUEST_DEADLINE_MS })
      expect({ path, isWrong: answer.status === 200 && answer.isComplete }).toEqual({ path, isWrong: false })
    }
  }, TEST_TIMEOUT_MS)

  it('that is slow: skopeo gets the image right', async () => {
    const image = await pushNewImage(SLOW_HOST)
    await expectImage(await skopeo.pull({ endpoint: agent.endpoint, registry: SLOW_HOST, repository: REPOSITORY, reference: SLOW_HOST }), image)
  }, TEST_TIMEOUT_MS)
})

describe.skipIf(requireCommands('docker-registry', 'skopeo', 'setpriv') !== undefined)('an origin that is gone', () => {
  let image: TestImage
  let a: AgentProcess
  let b: AgentProcess
  let skopeo: ImageClient

  beforeAll(async () => {
    const registry = await startDockerRegistry()
    image = await buildImage()
    await pushImage(registry.url, REPOSITORY, image, { tag: '1' })
    skopeo = await skopeoClient()
    const origins = { 'reg.test': registry.url }
    a = await AgentProcess.start({ origins, args: [...DEADLINES, '--tag-ttl', '0s'] })
    b = await AgentProcess.start({ origins, args: DEADLINES, bootstrap: [a.multiaddr] })
    await b.connectedTo(a)
    await skopeo.pull({ endpoint: a.endpoint, registry: 'reg.test', repository: REPOSITORY, reference: '1' })
    await registry.stop()
  })

  afterAll(async () => {
    await skopeo.stop()
    await b.stop()
    await a.stop()
  })

  it('leaves pulls by digest as they were', async () => {
    await expectImage(await skopeo.pull({ endpoint: a.endpoint, registry: 'reg.test', repository: REPOSITORY, reference: image.index.digest }), image)
  }, TEST_TIMEOUT_MS)

  it('leaves pulls by digest through an agent that gets all of it from another', async () => {
    await expectImage(await skopeo.pull({ endpoint: b.endpoint, registry: 'reg.test', repository: REPOSITORY, reference: image.index.digest }), image)
  }, TEST_TIMEOUT_MS)

  it('leaves tags that were resolved before, with a warning', async () => {
    const answer = await httpRead(`${a.url}/v2/${REPOSITORY}/manifests/1?ns=reg.test`, { timeoutMs: REQUEST_DEADLINE_MS })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('warning')).toMatch(/^299 /)
    expect(answer.headers.get('docker-content-digest')).toBe(image.index.digest)
    await expectImage(await skopeo.pull({ endpoint: a.endpoint, registry: 'reg.test', repository: REPOSITORY, reference: '1' }), image)
  }, TEST_TIMEOUT_MS)

  it('makes a tag that this agent never resolved a 404, whatever others know', async () => {
    const answer = await httpRead(`${b.url}/v2/${REPOSITORY}/manifests/1?ns=reg.test`, { timeoutMs: REQUEST_DEADLINE_MS })
    expect({ status: answer.status, code: errorCode(answer) }).toEqual({ status: 404, code: 'MANIFEST_UNKNOWN' })
  })
})
