import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { receivedBy, SwarmOfAgents, type SwarmAgent } from '../support/swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'
import { bytesOf, pullBlob, repository } from './kit.ts'

const SMALL_SIZE = 300_000
let swarm: SwarmOfAgents

beforeEach(() => { swarm = new SwarmOfAgents() })
afterEach(async () => { await swarm.close() })

/** Bytes of a blob that have come, as the events tell. */
function received ({ log }: SwarmAgent, digest: Digest): number {
  return log.reduce((sum, event) => event.type === 'fetch:received' && event.digest === digest ? sum + event.bytes : sum, 0)
}

describe.each(['a member', 'the origin'])('under a limit, from %s', from => {
  it('two large blobs get equal shares, and a small one that is asked for later does not wait for them', async () => {
    const size = 5_000_000
    const blobs = [bytesOf(size, 'one'), bytesOf(size, 'other'), bytesOf(SMALL_SIZE, 'small')]
    const [one, other, small] = blobs.map(bytes => digestOf(bytes)) as [Digest, Digest, Digest]
    const [seeder, agent] = [await swarm.add(), await swarm.add({ downloadLimit: 4_000_000 })]
    const puller = agent.puller()
    for (const bytes of blobs) {
      if (from === 'a member') await seeder.seed(digestOf(bytes), bytes)
      else swarm.origin.addBlob(repository, bytes)
      await agent.describe(repository, digestOf(bytes), bytes.length)
    }
    if (from === 'a member') await swarm.link(seeder, agent)
    const large = Promise.all([one, other].map(async digest => pullBlob(puller, digest)))
    await until(() => received(agent, one) > 500_000 && received(agent, other) > 500_000, { what: 'both are on their way' })
    const before = received(agent, one) + received(agent, other)
    await pullBlob(puller, small)
    expect(received(agent, one) + received(agent, other) - before).toBeLessThan(3_000_000)
    const shares = await until(() => {
      const sums = [received(agent, one), received(agent, other)]
      return Math.max(...sums) > 0.9 * size && sums
    }, { what: 'one is nearly here' })
    expect(Math.min(...shares)).toBeGreaterThan(0.65 * size)
    await large
  }, 20_000)
})

describe('a member that gives a small blob to one under a limit', () => {
  const size = 3 * MIN_PIECE_LENGTH
  const bytes = bytesOf(size)
  let seeder: SwarmAgent
  let agent: SwarmAgent

  beforeEach(async () => {
    // of a small blob nobody waits longer than 0.4 s for bytes: here each turn takes as long
    ;[seeder, agent] = [await swarm.add(), await swarm.add({ downloadLimit: 100_000 })]
    await seeder.seed(digestOf(bytes), bytes)
    await agent.describe(repository, digestOf(bytes), size)
    await swarm.link(seeder, agent)
  })

  /** Bytes that it has given in all, known when it has ended. */
  async function served (): Promise<number> {
    await swarm.close()
    return seeder.log.reduce((sum, event) => event.type === 'peer:served' ? sum + event.bytes : sum, 0)
  }

  it('is not asked twice, nor blamed, when it is we who do not read', async () => {
    await pullBlob(agent.puller(), digestOf(bytes))
    expect(receivedBy(agent)).toEqual({ peers: size, origin: 0 })
    expect(agent.links.transports.get(seeder.peer)?.sends.length).toBeLessThan(20)
    expect(agent.score.isResting(seeder.peer, Date.now())).toBe(false)
    expect(await served()).toBe(size)
  }, 20_000)

  it('is not asked twice when this process had no processor for a while', async () => {
    const stalls = setInterval(() => { stall(500) }, 600)
    try {
      await pullBlob(agent.puller(), digestOf(bytes))
    } finally {
      clearInterval(stalls)
    }
    expect(await served()).toBe(size)
  }, 20_000)
})

/** Nothing else runs for so many milliseconds: as where others have the processor. */
function stall (ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs) { /* as said */ }
}
