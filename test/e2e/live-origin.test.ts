import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { pushImage, pushLayer, type PushedLayer } from '../../scenarios/live/image-push.ts'
import { loopbackNetwork } from '../../scenarios/live/network.ts'
import { Origin } from '../../scenarios/live/origin.ts'
import type { FrontReply, OriginPolicy } from '../../scenarios/live/origin-policy.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'
import { until } from '../../scenarios/live/until.ts'
import { requireCommands } from '../support/requires.ts'

const BYTES = 300_000
const PLAIN: OriginPolicy = { hasRanges: true, rejectShare: 0, retryAfterMs: 0, bytesPerSecond: Infinity }

describe.skipIf(requireCommands('docker-registry', 'setpriv') !== undefined)('the registry of a live run', () => {
  const facts: FrontReply[] = []
  let dir: string
  let origin: Origin
  let layer: PushedLayer
  let url: string

  beforeAll(async () => {
    dir = await makeTempDir('origin')
    await mkdir(join(dir, 'registry'))
    origin = await Origin.start({ place: loopbackNetwork(0).registry, dir: join(dir, 'registry'), seed: 1, onFact: fact => { facts.push(fact) } })
    const init = { url: origin.url, repository: 'rehearsal/image', seed: 1 }
    layer = await pushLayer(init, { name: 'base', bytes: BYTES })
    const image = await pushImage(init, 'app', [layer])
    expect((await fetch(`${origin.url}/v2/rehearsal/image/manifests/${image.digest}`, { headers: { Accept: 'application/vnd.oci.image.manifest.v1+json' } })).status).toBe(200)
    await until(() => facts.some(({ type }) => type === 'answered'), { what: 'the front has told of the manifest' })
    url = `${origin.url}/v2/rehearsal/image/blobs/${layer.digest}`
  })

  beforeEach(() => {
    origin.setPolicy(PLAIN)
    facts.length = 0
  })

  afterAll(async () => {
    await origin.stop()
    await removeTempDir(dir)
  })

  it('answers a part of a blob, and its front counts what went out', async () => {
    const response = await fetch(url, { headers: { Range: 'bytes=100-299' } })
    expect(response.status).toBe(206)
    expect(await response.arrayBuffer()).toHaveProperty('byteLength', 200)
    await until(() => facts.some(({ type }) => type === 'answered'), { what: 'the front tells of the answer' })
    expect(facts.reduce((sum, fact) => sum + (fact.type === 'sent' ? fact.bytes : 0), 0)).toBe(200)
    expect(facts.filter(({ type }) => type === 'answered')).toMatchObject([{ bytes: 200 }])
  })

  it('answers the whole where it is to know nothing of parts', async () => {
    origin.setPolicy({ ...PLAIN, hasRanges: false })
    const response = await fetch(url, { headers: { Range: 'bytes=100-299' } })
    expect(response.status).toBe(200)
    expect(response.headers.has('accept-ranges')).toBe(false)
    expect(await response.arrayBuffer()).toHaveProperty('byteLength', BYTES)
  })

  it('turns away as large a share of requests as it is to', async () => {
    origin.setPolicy({ ...PLAIN, rejectShare: 0.5, retryAfterMs: 1500 })
    const answers = []
    for (let turn = 0; turn < 40; turn++) {
      const response = await fetch(url, { headers: { Range: 'bytes=0-0' } })
      await response.arrayBuffer()
      answers.push(response)
    }
    const rejected = answers.filter(({ status }) => status === 429)
    expect(rejected.length).toBeGreaterThan(8)
    expect(rejected.length).toBeLessThan(32)
    expect(rejected[0]?.headers.get('retry-after')).toBe('2')
    await until(() => facts.filter(({ type }) => type === 'rejected').length === rejected.length, { what: 'the front tells of each' })
  })

  it('cannot be reached while it is down, and is there again under the same address', async () => {
    await origin.goDown()
    await expect(fetch(url)).rejects.toThrow()
    await origin.goUp()
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200)
  })
})
