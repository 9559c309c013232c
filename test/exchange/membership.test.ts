import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Membership } from '../../src/exchange/membership.ts'
import type { Participation } from '../../src/exchange/participation.ts'
import type { SwarmLink } from '../../src/net/swarm-link.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { Gate } from '../support/gate.ts'
import { meetStranger } from '../support/stranger.ts'
import { SwarmOfAgents, type SwarmAgent, type SwarmAgentInit } from '../support/swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'
import { bytesOf, pullBlob, repository } from '../pull/kit.ts'

const bytes = bytesOf(24 * MIN_PIECE_LENGTH)
let swarm: SwarmOfAgents

beforeEach(() => { swarm = new SwarmOfAgents() })
afterEach(async () => { await swarm.close() })

interface Fetcher {
  readonly agent: SwarmAgent
  /** What it takes part in as one who fetches. */
  readonly participations: Participation[]
}

async function fetcher (init: SwarmAgentInit = {}): Promise<Fetcher> {
  const agent = await swarm.add(init)
  const participations: Participation[] = []
  const { exchange } = agent
  const fetch = exchange.fetch.bind(exchange)
  exchange.fetch = init => {
    const participation = fetch(init)
    participations.push(participation)
    return participation
  }
  return { agent, participations }
}

it('a peer whose link ends while another is up is asked by that one', () => {
  const link = { peer: 'peer', isOpen: true } as unknown as SwarmLink
  const invited: SwarmLink[] = []
  const participation = { session: { fellows: [], isAsked: () => false }, invite: (one: SwarmLink) => { invited.push(one) } } as unknown as Participation
  let open: SwarmLink | undefined
  const membership = new Membership(participation, {
    limit: 4,
    candidates: () => [],
    interested: () => [],
    linkOf: () => open,
    isWelcome: () => true,
    isNear: () => true,
    isHome: () => false,
    isServing: () => false,
    call () {},
    introduce () {},
    leave () {},
    now: () => 0
  })
  open = link
  membership.gone('peer')
  expect(invited).toEqual([link])
  open = undefined
  membership.gone('peer')
  expect(invited).toHaveLength(1)
})

describe('agents that may have few members', () => {
  it('come to the same blob by way of each other, though they know one of them at first', async () => {
    const gate = new Gate()
    const digest = swarm.origin.addBlob(repository, bytes, { gate })
    const fetchers: Fetcher[] = []
    for (let index = 0; index < 12; index++) fetchers.push(await fetcher({ maxMembers: 4 }))
    const [first] = fetchers
    for (const { agent } of fetchers.slice(1)) await swarm.link(agent, first?.agent ?? agent)
    const pulls = fetchers.map(async ({ agent }) => {
      await agent.describe(repository, digest, bytes.length)
      return pullBlob(agent.puller({ graceMs: 100 }), digest)
    })
    const reachable = (): number => {
      const byPeer = new Map(fetchers.map(one => [one.agent.peer, one]))
      const seen = new Set(fetchers.slice(0, 1))
      for (const { participations } of seen) {
        for (const peer of participations[0]?.session.members.keys() ?? []) {
          const member = byPeer.get(peer)
          if (member !== undefined) seen.add(member)
        }
      }
      return seen.size
    }
    await until(() => reachable() === 12 && fetchers.every(({ participations }) => (participations[0]?.memberCount ?? 0) >= 2), { what: 'one whole' })
    for (const { participations } of fetchers) expect(participations[0]?.memberCount).toBeLessThanOrEqual(4)
    gate.open()
    for (const pulled of await Promise.all(pulls)) expect(Buffer.compare(pulled, bytes)).toBe(0)
  })

  it('leave nothing to those whom others have named and nobody can reach', async () => {
    const one = await fetcher({ maxMembers: 4 })
    const stranger = await meetStranger(swarm, one.agent, bytes)
    const digest = swarm.origin.addBlob(repository, bytes)
    await one.agent.describe(repository, digest, bytes.length)
    // it says that many more take part, so that most of the blob would be theirs to read
    const named = Array.from({ length: 20 }, (_, index) => ({ peer: `nobody${'x'.repeat(index)}`, addresses: ['/memory/nowhere'] }))
    const called = new Set<string>()
    const connect = one.agent.links.connect.bind(one.agent.links)
    one.agent.links.connect = async (peer, ...options) => {
      called.add(peer)
      return connect(peer, ...options)
    }
    const pulled = pullBlob(one.agent.puller({ graceMs: 100 }), digest)
    stranger.join()
    const { channel } = await stranger.hears('join')
    stranger.say({ type: 'members', of: channel, members: named })
    await until(() => called.size === named.length && one.participations[0]?.session.foremost.length === 0, { what: 'calls in vain' })
    expect(Buffer.compare(await pulled, bytes)).toBe(0)
  })

  it('find those of their zone at once by way of far ones, and take them in place of these', async () => {
    const gate = new Gate()
    const digest = swarm.origin.addBlob(repository, bytes, { gate })
    const first = await fetcher({ maxMembers: 4, zone: 'here' })
    const second = await fetcher({ maxMembers: 4, zone: 'here' })
    const far: Fetcher[] = []
    for (let index = 0; index < 8; index++) far.push(await fetcher({ zone: 'there' }))
    for (const one of far) for (const { agent } of [first, second]) await swarm.link(one.agent, agent)
    const pull = async ({ agent }: Fetcher): Promise<Uint8Array> => {
      await agent.describe(repository, digest, bytes.length)
      return pullBlob(agent.puller({ graceMs: 100 }), digest)
    }
    // the far ones ask it, and half of them find no room: these too say where it is
    const pulls = [pull(first)]
    await until(() => first.participations.length === 1, { what: 'the first to fetch' })
    pulls.push(...far.map(pull))
    await until(() => first.participations[0]?.memberCount === 4, { what: 'no place' })
    pulls.push(pull(second))
    await until(() => first.participations[0]?.session.members.has(second.agent.peer) === true, { what: 'each other as members', timeoutMs: 3000 })
    gate.open()
    for (const pulled of await Promise.all(pulls)) expect(Buffer.compare(pulled, bytes)).toBe(0)
  })

  it('ask others in place of those who want something else', async () => {
    const agent = await fetcher({ maxMembers: 4, originPolicy: 'never' })
    for (let index = 0; index < 20; index++) await swarm.link(await swarm.add(), agent.agent)
    const holder = await swarm.add()
    const digest = swarm.origin.addBlob(repository, bytes)
    await holder.seed(digest, bytes)
    await swarm.link(holder, agent.agent)
    await agent.agent.describe(repository, digest, bytes.length)
    expect(Buffer.compare(await pullBlob(agent.agent.puller(), digest), bytes)).toBe(0)
  })
})
