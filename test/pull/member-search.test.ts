import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Participation } from '../../src/exchange/participation.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { MemberSearch } from '../../src/pull/member-search.ts'
import type { Router } from '../../src/routing/router.ts'
import { Session } from '../../src/swarm/session.ts'
import { overriding } from '../support/overriding.ts'
import { SwarmOfAgents, type SwarmAgent } from '../support/swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'
import { bytesOf, NEVER_MS, pullBlob, repository } from './kit.ts'

const SIZE = 1000
const bytes = bytesOf(SIZE)
const digest = digestOf(bytes)
let swarm: SwarmOfAgents
const searches: MemberSearch[] = []

beforeEach(() => { swarm = new SwarmOfAgents() })
afterEach(async () => {
  for (const search of searches.splice(0)) search.stop()
  await swarm.close()
})

/** A search of this agent, with what it has told so far. */
function searchOf (agent: SwarmAgent, { graceMs = NEVER_MS, router = agent.router }: { graceMs?: number, router?: Router } = {}): { readonly search: MemberSearch, readonly participation: Participation, readonly graces: number[] } {
  const graces: number[] = []
  const hearer: { search?: MemberSearch } = {}
  const participation = agent.exchange.fetch({
    digest,
    kind: 'blob',
    size: SIZE,
    session: new Session({ self: agent.peer, digest, size: SIZE }),
    source: { read: async () => 0, hash: async () => new Uint8Array(32) },
    restricted: false,
    isShared: true,
    readsOrigin: false,
    listener: { onFacts () {}, onBody () {}, onAnswer: member => { hearer.search?.answered(member) }, onReject () {}, onLie () {}, onRestricted () {}, onAccused () {}, onSuspect () {}, onLiar () {}, onOtherSize () {} }
  })
  const search = new MemberSearch({ exchange: agent.exchange, router }, { digest, participation, graceMs, onGrace: () => { graces.push(participation.memberCount) } })
  hearer.search = search
  searches.push(search)
  return { search, participation, graces }
}

describe('a search for members', () => {
  it('asks all neighbours, and waits no longer than until each has answered', async () => {
    const [agent, holder, other] = [await swarm.add(), await swarm.add(), await swarm.add()]
    await holder.seed(digest, bytes)
    await swarm.linkAll(agent, holder, other)
    const { search, participation, graces } = searchOf(agent)
    search.start()
    await until(() => graces.length > 0, { what: 'the end of the grace' })
    expect(graces).toEqual([1])
    expect([...participation.session.members.keys()]).toEqual([holder.peer])
  })

  it('alone waits for nobody', async () => {
    const { search, graces } = searchOf(await swarm.add())
    search.start()
    await until(() => graces.length === 1, { what: 'the end of the grace' })
  })

  it('waits for a neighbour that does not answer no longer than the grace', async () => {
    const [agent, silent] = [await swarm.add(), await swarm.add()]
    await swarm.link(agent, silent)
    silent.links.transports.get(agent.peer)?.pause()
    const { search, graces } = searchOf(agent, { graceMs: 30 })
    search.start()
    await until(() => graces.length === 1, { what: 'the end of the grace' })
    expect(graces).toEqual([0])
  })

  it('waits longer for a neighbour that fetches the blob itself', async () => {
    const [agent, other] = [await swarm.add(), await swarm.add()]
    await swarm.link(agent, other)
    const graceMs = 40
    const { search: otherSearch } = searchOf(other)
    otherSearch.start()
    await until(() => agent.exchange.wantedForMs({ kind: 'blob', digest } as Participation, other.peer) !== undefined, { what: 'its wish' })
    await sleep(2 * graceMs)
    const lane = other.links.transports.get(agent.peer)
    lane?.pause()
    const { search, graces } = searchOf(agent, { graceMs })
    search.start()
    // far beyond the grace of others
    await sleep(4 * graceMs)
    expect(graces).toEqual([])
    lane?.resume()
    await until(() => graces.length === 1, { what: 'the end of the grace' })
    expect(graces).toEqual([1])
  })

  it('has not ended while a neighbour that was asked has not answered, though the router knows nobody', async () => {
    const [agent, holder] = [await swarm.add({ originPolicy: 'never' }), await swarm.add()]
    await holder.seed(digest, bytes)
    await agent.describe(repository, digest, SIZE)
    await swarm.link(agent, holder)
    const lane = holder.links.transports.get(agent.peer)
    lane?.pause()
    const pulled = pullBlob(agent.puller({ graceMs: 10, searchMs: NEVER_MS }), digest)
    pulled.catch(() => {})
    await until(() => agent.log.some(({ type }) => type === 'fetch:started'), { what: 'the fetch' })
    const startedAt = performance.now()
    await until(() => performance.now() - startedAt > 150, { what: 'more than a search without answers takes' })
    lane?.resume()
    expect(digestOf(await pulled)).toBe(digest)
  })

  it('has not ended while neighbours are asked in place of those that want something else', async () => {
    const [agent, holder] = [await swarm.add({ originPolicy: 'never', maxMembers: 4, zone: 'a' }), await swarm.add({ zone: 'b' })]
    // near ones are asked first
    for (let index = 0; index < 8; index++) await swarm.link(await swarm.add({ zone: 'a' }), agent)
    await holder.seed(digest, bytes)
    await agent.describe(repository, digest, SIZE)
    await swarm.link(agent, holder)
    const lane = holder.links.transports.get(agent.peer)
    lane?.pause()
    const pulled = pullBlob(agent.puller({ graceMs: 10, searchMs: NEVER_MS }), digest)
    pulled.catch(() => {})
    await until(() => (agent.links.transports.get(holder.peer)?.unsentBytes ?? 0) > 0, { what: 'the holder is asked' })
    const askedAt = performance.now()
    await until(() => performance.now() - askedAt > 150, { what: 'more than a search without answers takes' })
    lane?.resume()
    expect(digestOf(await pulled)).toBe(digest)
  })

  it('finds by the router those it is not linked to', async () => {
    const [agent, holder] = [await swarm.add(), await swarm.add()]
    await holder.seed(digest, bytes)
    agent.router.start()
    holder.router.start()
    await holder.router.provide(digest)
    const { search, participation } = searchOf(agent)
    search.start()
    await until(() => participation.memberCount === 1, { what: 'the holder' })
    await until(() => search.hasEnded, { what: 'the first round' })
  })

  it('asks the router at once when members are there and none of them helps', async () => {
    const agents = [await swarm.add({ originPolicy: 'never' }), await swarm.add({ originPolicy: 'never' })]
    const holder = await swarm.add()
    await holder.seed(digest, bytes)
    await swarm.linkAll(...agents)
    for (const agent of [...agents, holder]) agent.router.start()
    await holder.router.provide(digest)
    for (const agent of agents) await agent.describe(repository, digest, SIZE)
    // each is a member of the other's session, so both would wait for the other
    const pulled = await Promise.all(agents.map(async agent => pullBlob(agent.puller({ graceMs: 10, searchMs: 100 }), digest)))
    expect(pulled.map(blob => digestOf(blob))).toEqual([digest, digest])
  })

  it('asks no router that knows only those it is linked to, also when not all of them are asked at once', async () => {
    const agent = await swarm.add({ maxMembers: 4 })
    const neighbours = [await swarm.add(), await swarm.add(), await swarm.add(), await swarm.add()]
    for (const neighbour of neighbours) {
      await swarm.link(agent, neighbour)
      neighbour.links.transports.get(agent.peer)?.pause()
    }
    let walks = 0
    const known: ReadonlySet<string>[] = []
    const router = overriding<Router>(agent.router, {
      isReady: () => true,
      mayKnowMore: (asked: ReadonlySet<string>) => {
        known.push(new Set(asked))
        return neighbours.some(({ peer }) => !asked.has(peer))
      },
      findProviders: async function * () { walks++ }
    })
    const { search, participation } = searchOf(agent, { graceMs: 10, router })
    search.start()
    await until(() => known.length > 0, { what: 'whether the router is to be asked' })
    expect(participation.attendees.size).toBe(2)
    expect([...known[0]!].sort()).toEqual(neighbours.map(({ peer }) => peer).sort())
    expect(walks).toBe(0)
  })

  it('asks nobody whom it has banned', async () => {
    const [agent, banned] = [await swarm.add(), await swarm.add()]
    await banned.seed(digest, bytes)
    agent.router.start()
    banned.router.start()
    await banned.router.provide(digest)
    agent.score.ban(banned.peer, 'lied', Date.now())
    const { search, participation } = searchOf(agent)
    search.start()
    await until(() => search.hasEnded, { what: 'the first round' })
    expect([participation.attendees.size, agent.links.open().length]).toEqual([0, 0])
  })

  it('tells nothing after its end', async () => {
    const [agent, silent] = [await swarm.add(), await swarm.add()]
    await swarm.link(agent, silent)
    silent.links.transports.get(agent.peer)?.pause()
    const { search, participation, graces } = searchOf(agent, { graceMs: 10 })
    search.start()
    search.stop()
    silent.links.transports.get(agent.peer)?.resume()
    await until(() => participation.attendees.get(silent.peer)?.hasRefused, { what: 'the late answer' })
    expect(graces).toEqual([])
  })
})
