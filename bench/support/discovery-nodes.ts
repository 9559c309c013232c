import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import v8 from 'node:v8'
import { EventHub } from '../../src/events.ts'
import { Exchange } from '../../src/exchange/exchange.ts'
import type { Participation } from '../../src/exchange/participation.ts'
import { SwarmNode } from '../../src/net/node.ts'
import { parseDigest } from '../../src/oci/digest.ts'
import { MemberSearch } from '../../src/pull/member-search.ts'
import { PeerScore } from '../../src/swarm/peer-score.ts'
import { Session } from '../../src/swarm/session.ts'

/*
 * Many agents' swarm parts in one process, told what to do by bench/discovery.ts: they join a blob that nobody holds, and note
 * when each of them has met whom.
 */

export type DiscoveryOrder =
  | { readonly type: 'start', readonly count: number, readonly bootstrap: readonly string[] }
  /** All join within `spreadMs` after `atMs`, milliseconds since the epoch. */
  | { readonly type: 'join', readonly name: string, readonly size: number, readonly atMs: number, readonly spreadMs: number }
  | { readonly type: 'report' }

/** One node and those it met, in order; milliseconds since the epoch. */
export interface Meetings {
  readonly peer: string
  readonly joinedAtMs: number
  readonly met: ReadonlyArray<{ readonly peer: string, readonly atMs: number }>
}

export type DiscoveryAnswer =
  | { readonly type: 'started', readonly addresses: readonly string[] }
  | { readonly type: 'report', readonly nodes: readonly Meetings[], readonly neighbours: readonly number[], readonly cpuSeconds: number }

const HOST = '/ip4/127.0.0.1/tcp/0'
const GRACE_MS = 100
const MAX_ENTRY_MS = 3_000

// As agent/main does.
v8.setFlagsFromString('--semi-space-growth-factor=1')

class DiscoveringNode {
  readonly node: SwarmNode
  readonly #exchange: Exchange
  readonly #met = new Map<string, number>()
  #joinedAtMs = 0
  #search: MemberSearch | undefined

  constructor (bootstrap: readonly string[]) {
    const events = new EventHub()
    this.node = new SwarmNode({ events }, { listen: [HOST], bootstrap })
    this.#exchange = new Exchange({
      links: this.node.links,
      share: { open: async () => undefined },
      self: () => this.node.peerId,
      sign: pieces => this.node.sign(pieces),
      score: new PeerScore(),
      events,
      pace: { pass: async () => {} },
      now: Date.now
    })
  }

  join (name: string, size: number): void {
    const digest = parseDigest(`sha256:${createHash('sha256').update(name).digest('hex')}`)
    this.#joinedAtMs = nowMs()
    this.#met.clear()
    this.#search?.stop()
    const session = new Session({ self: this.node.peerId, digest, size })
    const participation: Participation = this.#exchange.fetch({
      digest,
      kind: 'blob',
      size,
      session,
      source: { read: async () => 0, hash: async () => new Uint8Array(32) },
      restricted: false,
      isShared: true,
      readsOrigin: true,
      listener: {
        onFacts: () => { this.#note(session) },
        onAnswer: peer => { this.#search?.answered(peer) },
        onBody () {},
        onReject () {},
        onLie () {},
        onAccused () {},
        onSuspect () {},
        onLiar () {},
        onRestricted () {},
        onOtherSize () {}
      }
    })
    this.#search = new MemberSearch({ exchange: this.#exchange, router: this.node.router }, { digest, participation, graceMs: GRACE_MS, onGrace () {} })
    this.#search.start()
  }

  meetings (): Meetings {
    return { peer: this.node.peerId, joinedAtMs: this.#joinedAtMs, met: [...this.#met].map(([peer, atMs]) => ({ peer, atMs })) }
  }

  #note (session: Session): void {
    for (const peer of session.members.keys()) if (!this.#met.has(peer)) this.#met.set(peer, nowMs())
  }
}

function nowMs (): number {
  return performance.timeOrigin + performance.now()
}

const nodes: DiscoveringNode[] = []
let cpuBefore = process.cpuUsage()

async function start (count: number, bootstrap: readonly string[]): Promise<void> {
  for (let index = 0; index < count; index++) {
    const entry = bootstrap.length > 0 ? bootstrap : nodes[0]?.node.addresses() ?? []
    const one = new DiscoveringNode(entry)
    nodes.push(one)
    await one.node.start()
    if (entry.length > 0) await entered(one)
  }
  answer({ type: 'started', addresses: nodes.flatMap(({ node }) => node.addresses()) })
}

/** One after the other, or those who enter at once keep each other from it on few cores. */
async function entered ({ node }: DiscoveringNode): Promise<void> {
  const deadline = performance.now() + MAX_ENTRY_MS
  while (node.links.open().length === 0 && performance.now() < deadline) await sleep(10)
}

async function join ({ name, size, atMs, spreadMs }: Extract<DiscoveryOrder, { type: 'join' }>): Promise<void> {
  cpuBefore = process.cpuUsage()
  await Promise.all(nodes.map(async one => {
    await sleep(Math.max(0, atMs + Math.random() * spreadMs - nowMs()))
    one.join(name, size)
  }))
}

function report (): void {
  const { user, system } = process.cpuUsage(cpuBefore)
  answer({ type: 'report', nodes: nodes.map(one => one.meetings()), neighbours: nodes.map(({ node }) => node.connections().length), cpuSeconds: (user + system) / 1e6 })
}

function answer (message: DiscoveryAnswer): void {
  process.send?.(message)
}

process.on('message', (order: DiscoveryOrder) => {
  if (order.type === 'start') start(order.count, order.bootstrap).catch(fail)
  else if (order.type === 'join') join(order).catch(fail)
  else report()
})

function fail (error: unknown): void {
  console.error(error)
  process.exit(1)
}
