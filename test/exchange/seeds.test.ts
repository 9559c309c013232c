import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SwarmLink } from '../../src/net/swarm-link.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { bytesOf } from '../pull/kit.ts'
import { SwarmOfAgents, type SwarmAgent } from '../support/swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'

/** Stored blobs served at a time, and how long one that nobody asks for is. */
const MAX_SEEDS = 64
const IDLE_MS = 60_000
const SIZE = 1000
let swarm: SwarmOfAgents

beforeEach(() => { swarm = new SwarmOfAgents() })
afterEach(async () => {
  vi.useRealTimers()
  await swarm.close()
})

interface Scene {
  readonly link: SwarmLink
  /** Blobs that it has been told are served, and no longer. */
  readonly served: Set<number>
  /** Blobs whose bytes have come. */
  readonly had: Set<number>
  /** Files that are open. */
  readonly open: Set<Digest>
}

/** An agent with so many stored blobs, and a peer that may join each on the channel of its number. */
async function scene (blobs: number): Promise<Scene> {
  const [served, had, open] = [new Set<number>(), new Set<number>(), new Set<Digest>()]
  const agent = await swarm.add({
    share: share => ({
      open: async (kind, digest) => {
        const reader = await share.open(kind, digest)
        if (reader === undefined) return undefined
        open.add(digest)
        return { ...reader, close: async () => { open.delete(digest); await reader.close() } }
      }
    })
  })
  for (let index = 1; index <= blobs; index++) await agent.seed(digestOf(bytesFor(index)), bytesFor(index))
  const numbers = new Map(Array.from({ length: blobs }, (_, index) => [digestOf(bytesFor(index + 1)), index + 1]))
  const channels = new Map<number, number>()
  const other: SwarmAgent = await swarm.add()
  other.links.use({
    onOpen () {},
    onMessage: (_link, message) => {
      if (message.type === 'join') {
        const number = numbers.get(message.digest) ?? 0
        channels.set(message.channel, number)
        served.add(number)
      } else if (message.type === 'leave') served.delete(channels.get(message.channel) ?? 0)
    },
    onBody: (_link, message, _bytes, _offset, isLast) => { if (isLast) had.add(channels.get(message.channel) ?? 0) },
    onClosed () {}
  }, { leech: false })
  return { link: await other.links.connect(agent.peer), served, had, open }
}

function bytesFor (number: number): Uint8Array {
  return bytesOf(SIZE, `blob ${number}`)
}

async function join ({ link, served }: Scene, number: number): Promise<void> {
  link.send({ type: 'join', channel: number, kind: 'blob', digest: digestOf(bytesFor(number)), size: SIZE, restricted: false, complete: false, leech: false, readsOrigin: false })
  await until(() => served.has(number), { what: `blob ${number} is served` })
}

async function read ({ link, had }: Scene, number: number): Promise<void> {
  link.send({ type: 'request', channel: number, pieces: [0] })
  await until(() => had.has(number), { what: `the bytes of blob ${number}` })
}

describe('a stored blob that is served', () => {
  it('is closed when nobody has asked for it for a minute, and each request begins that anew', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const one = await scene(1)
    await join(one, 1)
    vi.advanceTimersByTime(IDLE_MS - 1)
    await read(one, 1)
    vi.advanceTimersByTime(IDLE_MS - 1)
    expect([...one.served]).toEqual([1])
    vi.advanceTimersByTime(1)
    await until(() => one.served.size === 0, { what: 'the end' })
    await until(() => one.open.size === 0, { what: 'the file is closed' })
  })

  it('makes room for another when there are too many: first those of which nobody has asked for a piece', async () => {
    const one = await scene(MAX_SEEDS + 2)
    await join(one, 1)
    await read(one, 1)
    for (let number = 2; number <= MAX_SEEDS + 2; number++) await join(one, number)
    await until(() => one.served.size === MAX_SEEDS, { what: 'two are closed' })
    expect([1, 2, 3, 4].map(number => one.served.has(number))).toEqual([true, false, false, true])
    expect(one.open.size).toBe(MAX_SEEDS)
  })

  it('makes room too when all have been asked for: the one for which that is longest ago', async () => {
    const one = await scene(MAX_SEEDS + 1)
    for (let number = 1; number <= MAX_SEEDS; number++) {
      await join(one, number)
      await read(one, number)
    }
    await join(one, MAX_SEEDS + 1)
    await until(() => one.served.size === MAX_SEEDS, { what: 'one is closed' })
    expect([one.served.has(1), one.served.has(2)]).toEqual([false, true])
  })
})
