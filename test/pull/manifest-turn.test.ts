import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { OriginError } from '../../src/origin/origin-error.ts'
import type { Origin } from '../../src/origin/origin.ts'
import { Manifests } from '../../src/pull/manifests.ts'
import { OriginRecord } from '../../src/pull/origin-record.ts'
import type { OriginPolicy } from '../../src/swarm/origin-plan.ts'
import { OwnershipSeed } from '../../src/swarm/ownership.ts'
import { Succession } from '../../src/swarm/succession.ts'
import { Gate } from '../support/gate.ts'
import { LinkedPeers, type LinkedPeersInit } from '../support/linked-peers.ts'
import { overriding } from '../support/overriding.ts'
import { SwarmOfAgents, type SwarmAgent, type SwarmAgentInit } from '../support/swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'
import { makeImage } from './image-kit.ts'
import { repository } from './kit.ts'

const image = makeImage('one')
const { digest, bytes } = image
const AGENTS = 8
let swarm: SwarmOfAgents

beforeEach(() => {
  swarm = new SwarmOfAgents()
  swarm.origin.addManifest(repository, bytes, image.mediaType)
})
afterEach(async () => {
  vi.useRealTimers()
  await swarm.close()
})

interface PullInit extends LinkedPeersInit {
  readonly origin?: Origin
  readonly originPolicy?: OriginPolicy
  readonly sharePrivate?: boolean
  readonly record?: OriginRecord
}

/** Agents that are all linked, in the order of their ranks: the first is the one whose turn it is. */
async function agents (count: number, init: SwarmAgentInit = {}): Promise<SwarmAgent[]> {
  const all = await Promise.all(Array.from({ length: count }, async () => swarm.add(init)))
  await swarm.linkAll(...all)
  return ranked(all)
}

function ranked (all: readonly SwarmAgent[]): SwarmAgent[] {
  const rank = ({ peer }: SwarmAgent): number => new OwnershipSeed(digest, peer).rank(0)
  return [...all].sort((a, b) => rank(b) - rank(a))
}

/** Where the manifest came from. */
async function pull (agent: SwarmAgent, all: readonly SwarmAgent[], { origin, originPolicy, sharePrivate = false, record, ...init }: PullInit = {}): Promise<string> {
  const mayShare = (access: 'public' | 'restricted'): boolean => access === 'public' || sharePrivate
  const { exchange, peer } = agent
  const swarm = { exchange, self: () => peer, originPolicy, mayShare }
  const manifests = new Manifests({ ...agent, now: Date.now, peers: new LinkedPeers(agent, all, init), origin: origin ?? agent.origin, swarm, record })
  const content = await manifests.get(repository, digest)
  expect(Buffer.compare(content.bytes, bytes)).toBe(0)
  return content.from
}

/** How often the origin was asked for the manifest. */
function reads (): number {
  return swarm.origin.requests.filter(({ type }) => type === 'manifest').length
}

/** Waits for ever, unless its signal ends it. */
function hanging (agent: SwarmAgent): Origin {
  return overriding<Origin>(agent.origin, { manifest: async (_repository, _reference, { signal } = {}) => new Promise((_resolve, reject) => { signal?.addEventListener('abort', () => { reject(signal.reason as Error) }) }) })
}

function refusing (agent: SwarmAgent, code: 'ORIGIN_RATE_LIMITED' | 'ORIGIN_DENIED' | 'ORIGIN_NOT_FOUND' | 'ORIGIN_UNAVAILABLE'): Origin {
  return overriding<Origin>(agent.origin, { manifest: async () => { throw new OriginError(code, 'the test says so', { registry: 'registry.test' }) } })
}

describe('agents that want the same manifest at once', () => {
  it('read it from the origin once, and give it to each other', async () => {
    const all = await agents(AGENTS)
    expect(await Promise.all(all.map(async agent => pull(agent, all)))).toEqual(['origin', ...all.slice(1).map(() => 'peer')])
    expect(reads()).toBe(1)
  })

  it('leave it to whoever has begun to read it, whatever its rank', async () => {
    swarm.origin.gate = new Gate()
    const all = await agents(3)
    const [first, second, third] = all as [SwarmAgent, SwarmAgent, SwarmAgent]
    const begun = pull(third, all)
    await swarm.origin.gate.reached()
    const others = [pull(first, all), pull(second, all)]
    await until(() => [first, second].every(({ log }) => log.some(({ type }) => type === 'fetch:started')), { what: 'the others have begun' })
    swarm.origin.gate.open()
    expect(await Promise.all([begun, ...others])).toEqual(['origin', 'peer', 'peer'])
    expect(reads()).toBe(1)
  })

  it.each(['ORIGIN_RATE_LIMITED', 'ORIGIN_DENIED', 'ORIGIN_NOT_FOUND', 'ORIGIN_UNAVAILABLE'] as const)('go on with the next when the origin refuses the first with %s, which gets it too', async code => {
    const all = await agents(AGENTS)
    const [first] = all as [SwarmAgent]
    const from = await Promise.all(all.map(async agent => pull(agent, all, agent === first ? { origin: refusing(agent, code) } : {})))
    expect(from).toEqual(['peer', 'origin', ...all.slice(2).map(() => 'peer')])
    expect(reads()).toBe(1)
  })

  it('go on with the next when the origin is silent towards the first, which gets it too', async () => {
    const all = await agents(AGENTS)
    const [first] = all as [SwarmAgent]
    const from = await Promise.all(all.map(async agent => pull(agent, all, agent === first ? { origin: hanging(agent) } : {})))
    expect(from).toEqual(['peer', 'origin', ...all.slice(2).map(() => 'peer')])
    expect(reads()).toBe(1)
  })

  it('leave an origin that is silent to take it from one who had it before', async () => {
    const [first, second] = await agents(2) as [SwarmAgent, SwarmAgent]
    const all = [first, second]
    const silent = pull(first, all, { origin: hanging(first) })
    expect(await pull(second, all, { originPolicy: 'fast' })).toBe('origin')
    expect(await silent).toBe('peer')
  })

  it('go on with the next when the first is gone', async () => {
    const all = await agents(AGENTS)
    const [first, ...others] = all as [SwarmAgent, ...SwarmAgent[]]
    const gone = pull(first, all, { origin: hanging(first) })
    gone.catch(() => {})
    const from = Promise.all(others.map(async agent => pull(agent, all)))
    await until(() => others.every(({ log }) => log.some(({ type }) => type === 'fetch:started')), { what: 'the others have begun' })
    first.links.stop()
    expect((await from).filter(one => one === 'origin')).toHaveLength(1)
    expect(reads()).toBe(1)
  })

  it('go on with the next when the first sends wrong bytes, and ban it', async () => {
    const all = await agents(4)
    const [first] = all as [SwarmAgent]
    await Promise.all(all.map(async agent => pull(agent, all, { liars: new Set([first.peer]) })))
    expect(reads()).toBeLessThanOrEqual(2)
    for (const agent of all.slice(1)) expect(agent.score.bans(Date.now()).map(({ peer }) => peer)).toEqual([first.peer])
  })

  it('go on when the first says that it has it and then sends nothing', async () => {
    const all = await agents(3)
    const [first] = all as [SwarmAgent]
    await Promise.all(all.map(async agent => pull(agent, all, { gates: new Map([[first.peer, new Gate()]]) })))
    expect(reads()).toBe(2)
  })

  it('ask the origin when three that say they have it give nothing', async () => {
    swarm.origin.gate = new Gate()
    const all = await agents(6)
    const [reader, ...others] = all as [SwarmAgent, ...SwarmAgent[]]
    const [last] = others.slice(-1) as [SwarmAgent]
    const begun = pull(reader, all)
    await swarm.origin.gate.reached()
    const pulling = pull(last, all, { gates: new Map(all.map(({ peer }) => [peer, new Gate()])) })
    await until(() => last.log.some(({ type }) => type === 'fetch:started'), { what: 'it has begun' })
    for (const { store } of others.slice(0, -1)) await store.put(digest, bytes, { kind: 'manifest', access: 'public' })
    for (const other of others.slice(0, -1)) {
      other.exchange.wish({ kind: 'manifest', digest, succession: new Succession({ self: other.peer, digest, isCandidate: false }), isCandidate: false, onFacts () {} })?.end({ isRead: true })
    }
    swarm.origin.gate.open()
    expect(await Promise.all([begun, pulling])).toEqual(['origin', 'origin'])
    expect(last.log.filter(({ type }) => type === 'fetch:source-failed')).toHaveLength(3)
  })

  it('each ask for themselves when three have been refused', async () => {
    const all = await agents(AGENTS)
    const asked = new Set<string>()
    const origin = (agent: SwarmAgent): Origin => overriding<Origin>(agent.origin, {
      manifest: async () => {
        asked.add(agent.peer)
        throw new OriginError('ORIGIN_NOT_FOUND', 'the test says so', { registry: 'registry.test' })
      }
    })
    const results = await Promise.allSettled(all.map(async agent => pull(agent, all, { origin: origin(agent) })))
    expect(results.map(({ status }) => status)).toEqual(all.map(() => 'rejected'))
    expect(asked.size).toBe(AGENTS)
  })

  it('get it by way of others that are linked to whoever reads it', async () => {
    const [first, second, third] = ranked(await Promise.all(Array.from({ length: 3 }, async () => swarm.add()))) as [SwarmAgent, SwarmAgent, SwarmAgent]
    await swarm.link(first, second)
    await swarm.link(second, third)
    const all = [first, second, third]
    expect(await Promise.all(all.map(async agent => pull(agent, all)))).toEqual(['origin', 'peer', 'peer'])
    expect(reads()).toBe(1)
  })
})

describe('nobody waits', () => {
  beforeEach(() => { vi.useFakeTimers({ toFake: ['setTimeout'] }) })

  it('who is alone', async () => {
    const [alone] = await agents(1) as [SwarmAgent]
    expect(await pull(alone, [])).toBe('origin')
  })

  it('whose neighbours do not want it', async () => {
    const all = await agents(AGENTS)
    expect(await pull(all.at(-1) as SwarmAgent, all)).toBe('origin')
  })

  it('for what the origin gives only with credentials, where that is not shared', async () => {
    swarm.origin.access = 'restricted'
    swarm.origin.gate = new Gate()
    const all = await agents(AGENTS)
    const pulls = all.map(async agent => {
      const record = new OriginRecord()
      record.answered(repository, { access: 'restricted', tookMs: 5 })
      return pull(agent, all, { record })
    })
    await until(() => swarm.origin.gate?.waiting === AGENTS, { what: 'each asks the origin' })
    swarm.origin.gate.open()
    expect(await Promise.all(pulls)).toEqual(all.map(() => 'origin'))
  })

  it('for a leech, nor for one that asks no origin before others', async () => {
    swarm.origin.gate = new Gate()
    const [leech, frugal, plain] = [await swarm.add({ isLeech: true }), await swarm.add(), await swarm.add()]
    const all = [leech, frugal, plain]
    await swarm.linkAll(...all)
    const first = [pull(leech, all), pull(frugal, all, { originPolicy: 'never' })]
    await until(() => swarm.origin.gate?.waiting === 2, { what: 'both ask the origin' })
    const last = pull(plain, all)
    await until(() => swarm.origin.gate?.waiting === 3, { what: 'all ask the origin' })
    swarm.origin.gate.open()
    expect(await Promise.all([...first, last])).toEqual(['origin', 'origin', 'origin'])
  })

  it('who takes from the origin what comes sooner', async () => {
    swarm.origin.gate = new Gate()
    const all = await agents(3)
    const pulls = all.map(async agent => pull(agent, all, { originPolicy: 'fast' }))
    await until(() => swarm.origin.gate?.waiting === 3, { what: 'each asks the origin' })
    swarm.origin.gate.open()
    expect(await Promise.all(pulls)).toEqual(['origin', 'origin', 'origin'])
  })
})

describe('what the origin gives only with credentials', () => {
  beforeEach(() => { swarm.origin.access = 'restricted' })

  it('is asked for by all others as soon as the first knows, where it is not shared', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    swarm.origin.gate = new Gate()
    const all = await agents(AGENTS)
    const pulls = all.map(async agent => pull(agent, all))
    await swarm.origin.gate.reached()
    swarm.origin.gate.release()
    await until(() => swarm.origin.gate?.waiting === AGENTS - 1, { what: 'all others ask the origin' })
    swarm.origin.gate.open()
    expect(await Promise.all(pulls)).toEqual(all.map(() => 'origin'))
  })

  it('is read once in a swarm with a key that shares it', async () => {
    const all = await agents(AGENTS, { isKeyed: true, sharePrivate: true })
    const record = new OriginRecord()
    record.answered(repository, { access: 'restricted', tookMs: 5 })
    expect(await Promise.all(all.map(async agent => pull(agent, all, { sharePrivate: true, record })))).toEqual(['origin', ...all.slice(1).map(() => 'peer')])
    expect(reads()).toBe(1)
    for (const { store } of all) expect(await store.stat(digest)).toMatchObject({ access: 'restricted' })
  })
})

describe('a leech', () => {
  it('gets it from who reads it, and nobody waits for it', async () => {
    swarm.origin.gate = new Gate()
    const [leech, other] = [await swarm.add({ isLeech: true }), await swarm.add()]
    const all = [leech, other]
    await swarm.linkAll(...all)
    const first = pull(other, all)
    await swarm.origin.gate.reached()
    const second = pull(leech, all)
    await until(() => leech.log.some(({ type }) => type === 'fetch:started'), { what: 'the leech has begun' })
    swarm.origin.gate.open()
    expect(await Promise.all([first, second])).toEqual(['origin', 'peer'])
  })
})
