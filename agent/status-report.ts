import type { EventHub } from '../src/events.ts'
import type { SwarmNode } from '../src/net/node.ts'
import type { Puller } from '../src/pull/puller.ts'
import { RecentMap } from '../src/recent.ts'
import type { Store } from '../src/store/store.ts'
import type { PeerScore } from '../src/swarm/peer-score.ts'
import type { PeerAnswer, StatusAnswer } from './api-types.ts'
import type { ByteCounters } from './byte-counters.ts'

/** Peers whose bytes are remembered; the least recent goes first. */
const MAX_PEERS = 10_000

export interface StatusReportComponents {
  readonly node: Pick<SwarmNode, 'peerId' | 'addresses' | 'connections'>
  readonly store: Store
  readonly puller: Puller
  readonly score: PeerScore
  readonly counters: ByteCounters
  readonly events: EventHub
}

export interface StatusReportInit {
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly version: string
  readonly isKeyed: boolean
}

interface PeerFacts {
  bytesFrom: number
  bytesTo: number
  connectedAt: number
}

export interface StatusReport {
  status (): Promise<StatusAnswer>
  peers (): PeerAnswer[]
  close (): void
}

/** What `/api/v1/status` and `/api/v1/peers` answer. */
export function createStatusReport ({ node, store, puller, score, counters, events }: StatusReportComponents, { startedAt, version, isKeyed }: StatusReportInit): StatusReport {
  const facts = new RecentMap<string, PeerFacts>(MAX_PEERS)

  function of (peer: string): PeerFacts {
    const known = facts.get(peer) ?? { bytesFrom: 0, bytesTo: 0, connectedAt: startedAt }
    facts.set(peer, known)
    return known
  }

  const unsubscribe = events.subscribe((event, timestamp) => {
    if (event.type === 'peer:connected') of(event.peer).connectedAt = timestamp
    if (event.type === 'peer:served') of(event.peer).bytesTo += event.bytes
    if (event.type === 'fetch:received' && event.source !== 'origin') of(event.source.slice('peer:'.length)).bytesFrom += event.bytes
  })

  return {
    status: async () => {
      const { blobs, bytes, partials } = await store.usage()
      return {
        peerId: node.peerId,
        addresses: node.addresses(),
        version,
        uptimeMs: Date.now() - startedAt,
        peers: new Set(node.connections().map(({ peer }) => peer)).size,
        sessions: puller.blobs.status(),
        store: { blobs, bytes, partials },
        bytes: counters.totals,
        swarm: isKeyed ? 'keyed' : 'open',
        banned: score.bans(Date.now()).map(({ peer, reason, untilMs }) => ({ peer, reason, until: untilMs }))
      }
    },
    peers: () => {
      const peers = new Map<string, PeerAnswer>()
      for (const { peer, address, direction, rttMs } of node.connections()) {
        const { bytesFrom, bytesTo, connectedAt } = of(peer)
        const known = peers.get(peer)
        const addresses = [...new Set([...known?.addresses ?? [], address])]
        const isBanned = score.isBanned(peer, Date.now())
        peers.set(peer, {
          peer,
          addresses,
          direction: known?.direction ?? direction,
          connectedAt,
          bytesFrom,
          bytesTo,
          ...fastest(known?.rttMs, rttMs),
          ...(isBanned ? { banned: true } : {})
        })
      }
      return [...peers.values()]
    },
    close: unsubscribe
  }
}

/** Of several connections to one peer, that with the shortest round trip counts. */
function fastest (...rttsMs: ReadonlyArray<number | undefined>): { rttMs?: number } {
  const known = rttsMs.filter(rttMs => rttMs !== undefined)
  return known.length === 0 ? {} : { rttMs: Math.min(...known) }
}
