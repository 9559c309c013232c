import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFleet } from '../support/agent-fleet.ts'
import type { AgentInit, AgentProcess } from '../../scenarios/live/agent-process.ts'
import { configuredLogin } from '../support/docker-credentials.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { httpPull } from '../support/http-pull.ts'
import { buildImage } from '../support/image.ts'
import { Parts } from '../support/parts.ts'
import { hostArchitecture } from '../support/platform-image.ts'
import { RecordingProxy, type Interceptor } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'
import { writeSwarmKey } from '../support/swarm-key.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'

const REPOSITORY = 'team/app'
const LOGIN = { username: 'robot', password: 'pa55-word-of-the-robot' }
const TEST_TIMEOUT_MS = 90_000
/** Once, as a rule; on a busy machine one that reads may be so slow that it is passed over. */
const MOST_READS_OF_8 = 3

/** Cold agents, each with a proxy of its own before the registry, and a new image for them. */
interface Rollout {
  readonly agents: readonly AgentProcess[]
  readonly proxies: readonly RecordingProxy[]
  readonly pull: (agent: AgentProcess) => Promise<string>
  /** GET requests for manifests that the registry has answered so, of each of its manifests. */
  readonly reads: (status?: number) => number[]
}

describe.skipIf(requireCommands('docker-registry', 'setpriv') !== undefined)('cold agents that pull the same new image at once', () => {
  let registry: DockerRegistry
  let closed: DockerRegistry
  let workDir: string

  beforeAll(async () => {
    registry = await startDockerRegistry()
    closed = await startDockerRegistry({ auth: LOGIN })
    workDir = await makeTempDir('manifests')
  })

  afterAll(async () => {
    await closed.stop()
    await registry.stop()
    await removeTempDir(workDir)
  })

  async function rollout (parts: Parts, reference: string, count: number, { auth, init }: { auth?: typeof LOGIN, init?: (proxy: RecordingProxy) => Promise<AgentInit> } = {}): Promise<Rollout> {
    const image = await buildImage({ seed: reference, platforms: [hostArchitecture], layerBytes: [100_000] })
    const { url } = auth === undefined ? registry : closed
    await pushImage(url, REPOSITORY, image, { tag: reference, auth })
    const proxies: RecordingProxy[] = []
    const inits: AgentInit[] = []
    for (let place = 0; place < count; place++) {
      const proxy = parts.keep(await RecordingProxy.start({ target: url }))
      proxies.push(proxy)
      inits.push({ origins: { 'reg.test': proxy.url }, ...await init?.(proxy) })
    }
    return {
      agents: await startFleet(parts, count, place => inits[place] ?? {}),
      proxies,
      pull: async agent => httpPull({ agent: agent.url, registry: 'reg.test', repository: REPOSITORY, reference, image, timeoutMs: TEST_TIMEOUT_MS }),
      reads: (status = 200) => [image.index, ...image.manifests].map(({ digest }) => proxies.flatMap(({ requests }) => requests)
        .filter(request => request.method === 'GET' && request.path.endsWith(`/manifests/${digest}`) && request.status === status).length)
    }
  }

  /** Does so with the first request for the bytes of a manifest. */
  function first (intercept: (place: number) => Interceptor): (place: number) => Interceptor {
    let isHit = false
    return place => (request, response) => {
      if (isHit || request.method !== 'GET' || request.url?.includes('/manifests/') !== true) return false
      isHit = true
      return intercept(place)(request, response)
    }
  }

  it('read each of its manifests from the registry about once', async () => {
    await using parts = new Parts()
    const { agents, pull, reads } = await rollout(parts, 'once', 8)
    expect(await Promise.all(agents.map(pull))).toEqual(agents.map(() => 'right'))
    for (const count of reads()) expect(count).toBeLessThanOrEqual(MOST_READS_OF_8)
  }, TEST_TIMEOUT_MS)

  it.each(['SIGKILL', 'SIGSTOP'] as const)('go on when the one that reads a manifest gets a %s', async signal => {
    await using parts = new Parts()
    const { agents, proxies, pull, reads } = await rollout(parts, signal.toLowerCase(), 4)
    const victim = Promise.withResolvers<AgentProcess>()
    const hit = first(place => () => {
      const agent = agents[place]
      if (agent === undefined) return false
      process.kill(agent.pid, signal)
      victim.resolve(agent)
      return true
    })
    for (const [place, proxy] of proxies.entries()) proxy.intercept = hit(place)

    const pulls = agents.map(agent => ({ agent, end: pull(agent).catch(() => 'cut') }))
    const lost = await victim.promise
    try {
      const outcomes = await Promise.all(pulls.filter(({ agent }) => agent !== lost).map(async ({ end }) => end))
      expect(outcomes).toEqual(['right', 'right', 'right'])
      for (const count of reads()) expect(count).toBeLessThanOrEqual(2)
    } finally {
      if (signal === 'SIGSTOP') process.kill(lost.pid, 'SIGCONT')
    }
  }, TEST_TIMEOUT_MS)

  it('go on when the registry answers 429 to the first, and that one gets it too', async () => {
    await using parts = new Parts()
    const { agents, proxies, pull, reads } = await rollout(parts, 'limited', 4)
    const hit = first(() => (_request, response) => {
      response.writeHead(429, { 'retry-after': '3600' }).end()
      return true
    })
    for (const [place, proxy] of proxies.entries()) proxy.intercept = hit(place)

    expect(await Promise.all(agents.map(pull))).toEqual(agents.map(() => 'right'))
    expect(reads(429).reduce((sum, count) => sum + count)).toBe(1)
    for (const count of reads()) expect(count).toBeLessThanOrEqual(2)
  }, TEST_TIMEOUT_MS)

  it.each([
    ['each read it where it is private and not shared', [], 4, 4],
    ['read it once, or twice, where it is private and shared', ['--share-private'], 1, 2]
  ] as const)('%s', async (_name, args, least, most) => {
    await using parts = new Parts()
    const key = await writeSwarmKey(workDir, `${least}`)
    const init = async (proxy: RecordingProxy): Promise<AgentInit> => ({ env: await configuredLogin({ ...LOGIN, hosts: [new URL(proxy.url).host] }), args: ['--swarm-key', key, ...args] })
    const { agents, pull, reads } = await rollout(parts, `private-${least}`, 4, { auth: LOGIN, init })
    expect(await Promise.all(agents.map(pull))).toEqual(agents.map(() => 'right'))
    for (const count of reads()) {
      expect(count).toBeGreaterThanOrEqual(least)
      expect(count).toBeLessThanOrEqual(most)
    }
  }, TEST_TIMEOUT_MS)
})
