import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { planOf } from '../../../scenarios/plan.ts'
import { contentOf } from '../../../scenarios/live/layer-content.ts'
import type { LiveContent } from '../../../scenarios/live/live-content.ts'
import type { LiveHost } from '../../../scenarios/live/live-host.ts'
import { LivePulls } from '../../../scenarios/live/live-pulls.ts'
import { RunFacts } from '../../../scenarios/live/run-facts.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import type { Arrival, FaultSpec } from '../../../scenarios/scenario.ts'
import { smallScenario } from '../small-scenario.ts'

const BYTES = 4_000_000
const bytes = Buffer.concat([...contentOf('1 base', BYTES)])
const layer = { name: 'base', bytes: BYTES, seed: '1 base', digest: digestOf(bytes) }
const config = Buffer.from('{}')
const manifest = Buffer.from(JSON.stringify({ config: { digest: digestOf(config) } }))
const content: LiveContent = { images: [{ name: 'app', digest: digestOf(manifest), layers: [layer] }], layers: [layer], warmUps: [] }

describe('the pulls of a live run', () => {
  let server: Server
  /** Answers for the layer that wait, by the order in which they were asked for. */
  let waiting: ServerResponse[]
  let onWaiting: () => void
  let over: AbortController

  beforeEach(async () => {
    waiting = []
    onWaiting = () => {}
    over = new AbortController()
    server = createServer(({ url = '' }, response) => {
      if (url.includes('/manifests/')) response.end(manifest)
      else if (!url.endsWith(layer.digest)) response.end(config)
      else {
        waiting.push(response)
        onWaiting()
      }
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
  })

  afterEach(() => {
    over.abort()
    server.close()
    server.closeAllConnections()
  })

  async function hasWaiting (count: number): Promise<void> {
    while (waiting.length < count) await new Promise<void>(resolve => { onWaiting = resolve })
  }

  function pullsOf (arrival: Arrival, faults: readonly FaultSpec[] = []): { pulls: LivePulls, hosts: LiveHost[], told: () => string[] } {
    const scenario = smallScenario({ faults, pulls: [{ images: ['app'], groups: ['rack'], share: 1, parallelLayers: 3, arrival }] })
    const plan = planOf(scenario)
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const hosts = plan.hosts.map(planned => ({ planned, agent: { url, peerId: planned.name } }) as unknown as LiveHost)
    const facts = new RunFacts(hosts, [layer], Date.now())
    const pulls = new LivePulls({ plan, hosts, content, facts, time: { nowMs: () => facts.nowMs(), end: over.signal } })
    return { pulls, hosts, told: () => facts.chronicle.take(Infinity).map(([name]) => name) }
  }

  it('begin all at once where they are to', async () => {
    const { pulls, told } = pullsOf({ type: 'at-once', fromMs: 0, withinMs: 0 })
    const running = pulls.run()
    await hasWaiting(3)
    for (const response of waiting) response.end(bytes)
    await running
    expect(told()).toEqual(['started', 'started', 'started', 'done', 'done', 'done'])
  })

  it('begin one after the other where one may be unavailable at a time', async () => {
    const { pulls, told } = pullsOf({ type: 'rolling', fromMs: 0, maxUnavailable: 1 })
    const running = pulls.run()
    for (let turn = 1; turn <= 3; turn++) {
      await hasWaiting(turn)
      expect(waiting).toHaveLength(turn)
      waiting[turn - 1]?.end(bytes)
    }
    await running
    expect(told()).toEqual(['started', 'done', 'started', 'done', 'started', 'done'])
  })

  it('wait for nobody that has gone', async () => {
    const { pulls, hosts, told } = pullsOf({ type: 'at-once', fromMs: 0, withinMs: 0 })
    const running = pulls.run()
    await hasWaiting(3)
    for (const host of hosts) pulls.gone(host)
    await running
    expect(hosts.some(host => pulls.isDone(host))).toBe(false)
    expect(told()).toEqual(['started', 'started', 'started'])
  })

  it('are none of a host that lies', async () => {
    const { pulls, told } = pullsOf({ type: 'at-once', fromMs: 0, withinMs: 0 }, [{ type: 'lie', groups: ['rack'], hosts: 3, fromMs: 0, untilMs: 0, forMs: Infinity, factor: 1 }])
    await pulls.run()
    expect(told()).toEqual([])
  })

  it('end with the run, those that have not begun as well', async () => {
    const { pulls, told } = pullsOf({ type: 'waves', fromMs: 0, hosts: 1, everyMs: 3_600_000 })
    const running = pulls.run()
    await hasWaiting(1)
    over.abort()
    await running
    expect(told()).toEqual(['started'])
  })
})
