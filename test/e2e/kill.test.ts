import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { expectImage } from '../support/clients/image-client.ts'
import { skopeoCopy } from '../support/clients/skopeo.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { httpPull } from '../support/http-pull.ts'
import { httpRead } from '../support/http-read.ts'
import { buildImage, type TestImage } from '../support/image.ts'
import { blobOf, platformImage } from '../support/platform-image.ts'
import { RecordingProxy } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'
import { seededRandom, testSeed } from '../support/seeded-random.ts'
import { TcpThrottle } from '../support/tcp-throttle.ts'
import { until } from '../../scenarios/live/until.ts'

const KILLS = 10
const LONGEST_RUN_MS = 600
/** In bytes that the origin has sent, however long a busy host takes to ask for them: some MiB of each layer, as less is not noted. */
const LONGEST_RUN_BYTES = 12_000_000
/**
 * One life, the second, is as long as this whatever the seed: a busy host had noted nothing of a layer of which it had been sent
 * 3.9 MB, and 3 MiB of 4.7, so a seed of short lives only would prove nothing of what is kept. Of a long answer more is on its way: it is
 * asked for at once, and waits in the kernel until it is read.
 */
const LONG_LIFE = 1
const LONG_RUN_BYTES = 33_000_000
/** Of so many kills one comes after a time, also before anything has come, the others after bytes. */
const TIMED_KILL = 3
/** The longest runs together then take about as long as a pull of three layers side by side. */
const LAYER_BYTES = 32_000_000
const BYTES_PER_SECOND = 10_000_000
const TEST_TIMEOUT_MS = 120_000
const REPOSITORY = 'team/app'
const REFERENCE = `reg.test/${REPOSITORY}:1`

describe.skipIf(requireCommands('docker-registry', 'skopeo', 'setpriv') !== undefined)('an agent killed at random moments of a pull', () => {
  const seed = testSeed()
  let registry: DockerRegistry
  let origin: RecordingProxy
  let a: AgentProcess
  let road: TcpThrottle
  let b: AgentProcess | undefined

  beforeAll(async () => {
    registry = await startDockerRegistry()
    origin = await RecordingProxy.start({ target: registry.url, bytesPerSecond: BYTES_PER_SECOND })
    a = await AgentProcess.start({ origins: { 'reg.test': registry.url } })
    road = await TcpThrottle.start({ port: a.p2pPort, bytesPerSecond: 3 * BYTES_PER_SECOND })
  }, TEST_TIMEOUT_MS)

  afterEach(async () => { await b?.stop() })

  afterAll(async () => {
    await road.stop()
    await a.stop()
    await origin.stop()
    await registry.stop()
  })

  async function pushNewImage (name: string): Promise<TestImage> {
    const image = await buildImage({ seed: name, platforms: ['amd64'], layerBytes: [LAYER_BYTES, LAYER_BYTES, LAYER_BYTES] })
    await pushImage(registry.url, REPOSITORY, image, { tag: '1' })
    return image
  }

  it(`and restarted never serves a wrong byte and keeps what it verified, from the origin (seed ${seed})`, async () => {
    const image = await pushNewImage('from the origin')
    b = await AgentProcess.start({ origins: { 'reg.test': origin.url } })
    const restarts = await killAgainAndAgain(b, image, async (share, turn) => {
      const before = origin.contentBytes
      if (turn % TIMED_KILL === 0) await delay(share * LONGEST_RUN_MS)
      else await until(() => origin.contentBytes > before + (turn === LONG_LIFE ? LONG_RUN_BYTES : share * LONGEST_RUN_BYTES), { what: 'so many bytes from the origin' })
    })
    for (const layer of platformImage(image, 'amd64').layers) {
      // what each life asked for first
      const lives = restarts.map((asked, life) => origin.contentRequests.slice(asked, restarts[life + 1]))
      const starts = lives.flatMap(requests => requests.find(({ path }) => path.endsWith(layer))?.rangeStart ?? [])
      expect(starts).toEqual(starts.toSorted((one, other) => one - other))
      expect(starts.at(-1)).toBeGreaterThan(0)
    }
  }, TEST_TIMEOUT_MS)

  it(`and restarted never serves a wrong byte and keeps what it verified, from another agent (seed ${seed})`, async () => {
    const image = await pushNewImage('from another agent')
    await httpPull({ agent: a.url, registry: 'reg.test', repository: REPOSITORY, reference: '1', image })
    origin.requests.length = 0
    b = await AgentProcess.start({ origins: { 'reg.test': origin.url }, bootstrap: [road.multiaddrOf(a)] })
    await killAgainAndAgain(b, image, async share => delay(share * LONGEST_RUN_MS))
  }, TEST_TIMEOUT_MS)

  /**
   * @param moment - resolves when a life is to end; told a share of the longest
   * @returns how many requests for content the origin had had at the beginning of each of its lives
   */
  async function killAgainAndAgain (agent: AgentProcess, image: TestImage, moment: (share: number, turn: number) => Promise<void>): Promise<number[]> {
    const restarts = [origin.contentRequests.length]
    let killsWithinABlob = 0
    for (const [turn, share] of seededRandom(seed, KILLS).entries()) {
      const reads = readAll(agent, image)
      await moment(share, turn)
      await agent.kill()
      expect(await reads).toEqual([])
      const kept = await keptBlobs(agent)
      if (await hasPartials(agent)) killsWithinABlob++
      const asked = origin.contentRequests.length
      restarts.push(asked)
      await agent.restart()
      await readBlobs(agent, image, kept)
      expect(origin.contentRequests.slice(asked).map(({ path }) => path).filter(path => kept.some(digest => path.endsWith(digest)))).toEqual([])
    }
    expect(killsWithinABlob).toBeGreaterThan(KILLS / 3)
    expect(await httpPull({ agent: agent.url, registry: 'reg.test', repository: REPOSITORY, reference: '1', image })).toBe('right')
    await until(async () => (await readFile(join(agent.dataDir, 'index.json'), 'utf8')).includes(REFERENCE), { what: 'index.json names the image' })
    await expectImage(await skopeoCopy(`oci:${agent.dataDir}:${REFERENCE}`), image)
    return restarts
  }
})

/** Reads the whole image side by side. @returns what was wrong with what came: a cut is not */
async function readAll (agent: AgentProcess, image: TestImage): Promise<string[]> {
  const { manifest, config, layers } = platformImage(image, 'amd64')
  const contents = [
    { path: 'manifests/1', expected: image.index.bytes },
    { path: `manifests/${manifest.digest}`, expected: manifest.bytes },
    ...[config, ...layers].map(digest => ({ path: `blobs/${digest}`, expected: blobOf(image, digest) }))
  ]
  const problems = await Promise.all(contents.map(async ({ path, expected }) => {
    const { status, body, isComplete } = await httpRead(`${agent.url}/v2/${REPOSITORY}/${path}?ns=reg.test`)
    if (status === 0) return []
    if (status !== 200) return [`${path}: ${status}`]
    if (isComplete && body.length !== expected.length) return [`${path}: ends after ${body.length} of ${expected.length} bytes`]
    return body.equals(expected.subarray(0, body.length)) ? [] : [`${path}: a wrong byte within the first ${body.length}`]
  }))
  return problems.flat()
}

/** What lies under `blobs/`, every file of which must be what its name says. */
async function keptBlobs (agent: AgentProcess): Promise<string[]> {
  const dir = join(agent.dataDir, 'blobs', 'sha256')
  const digests = (await readdir(dir)).map(name => `sha256:${name}`)
  for (const digest of digests) expect(digestOf(await readFile(join(dir, digest.slice('sha256:'.length))))).toBe(digest)
  return digests
}

/** Whether it was killed with a blob on its way in. */
async function hasPartials (agent: AgentProcess): Promise<boolean> {
  const dir = join(agent.dataDir, 'partial')
  const sizes = await Promise.all((await readdir(dir)).map(async name => (await stat(join(dir, name))).size))
  return sizes.some(size => size > 0)
}

async function readBlobs (agent: AgentProcess, image: TestImage, digests: readonly string[]): Promise<void> {
  const { layers } = platformImage(image, 'amd64')
  for (const layer of layers.filter(candidate => digests.includes(candidate))) {
    const { status, body } = await httpRead(`${agent.url}/v2/${REPOSITORY}/blobs/${layer}?ns=reg.test`)
    expect({ status, digest: digestOf(body) }).toEqual({ status: 200, digest: layer })
  }
}
