import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { until } from '../../scenarios/live/until.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { readVerified } from '../support/http-read.ts'
import { buildImage, type TestImage } from '../support/image.ts'
import { platformImage } from '../support/platform-image.ts'
import { RecordingProxy } from '../support/recording-proxy.ts'
import { requireCommands } from '../support/requires.ts'

const CLIENTS = 50
const BLOB_BYTES = 50_000_000
const TEST_TIMEOUT_MS = 120_000

describe.skipIf(requireCommands('docker-registry', 'setpriv') !== undefined)('many clients at once', () => {
  let registry: DockerRegistry
  let origin: RecordingProxy
  let image: TestImage
  let agent: AgentProcess

  beforeAll(async () => {
    registry = await startDockerRegistry()
    image = await buildImage({ platforms: ['amd64'], layerBytes: [BLOB_BYTES] })
    await pushImage(registry.url, 'team/app', image, { tag: '1' })
    origin = await RecordingProxy.start({ target: registry.url })
    agent = await AgentProcess.start({ origins: { 'reg.test': origin.url } })
  }, TEST_TIMEOUT_MS)

  afterAll(async () => {
    await agent.stop()
    await origin.stop()
    await registry.stop()
  })

  it('find its hash thread started before they ask', async () => {
    const tasks = `/proc/${agent.pid}/task`
    const names = async (): Promise<string[]> => Promise.all((await readdir(tasks)).map(async task => (await readFile(join(tasks, task, 'comm'), 'utf8')).trim()))
    await until(async () => (await names()).includes('shoal-hash'), { what: 'the agent has its hash thread' })
  }, TEST_TIMEOUT_MS)

  it('get one cold blob of 50 MB whole and right, and the origin is asked for it once', async () => {
    const [layer] = platformImage(image, 'amd64').layers
    if (layer === undefined) throw new Error('the image has a layer')
    const url = `${agent.url}/v2/team/app/blobs/${layer}?ns=reg.test`
    const reads = await Promise.allSettled(Array.from({ length: CLIENTS }, async () => { await readVerified(url, layer, { timeoutMs: TEST_TIMEOUT_MS }) }))
    expect(reads.filter(read => read.status === 'rejected').map(read => String(read.reason))).toEqual([])
    expect(origin.requests.filter(({ method, path }) => method === 'GET' && path.endsWith(layer))).toHaveLength(1)
  }, TEST_TIMEOUT_MS)
})
