import { shortDigest } from '../../src/oci/digest.ts'
import type { RunProgress } from '../result.ts'
import { Chronicle } from './chronicle.ts'
import type { PushedLayer } from './image-push.ts'
import type { LiveHost } from './live-host.ts'
import type { LogLine } from './log-tail.ts'
import type { FrontReply } from './origin-policy.ts'

const PEER = 'peer:'

interface HostFacts {
  readonly host: LiveHost
  /** Bytes that it lacks of each layer that it pulls. */
  readonly lacking: Map<PushedLayer, number>
  readonly bytes: number
  startedMs: number | undefined
  receivedMs: number | undefined
}

/** Makes what agents, the registry's front and pulls tell into what an observer of a run is told, and counts what progress shows. */
export class RunFacts {
  readonly chronicle = new Chronicle()
  readonly #hosts: ReadonlyMap<LiveHost, HostFacts>
  readonly #byPeer: ReadonlyMap<string, LiveHost>
  readonly #layers: ReadonlyMap<string, PushedLayer>
  readonly #startedAt: number
  #isRejecting = false
  #started = 0
  #done = 0
  #failed = 0
  #bytes = 0
  #originBytes = 0

  /** @param startedAt - of the run, milliseconds since the epoch; what was before is of no interest */
  constructor (hosts: readonly LiveHost[], layers: readonly PushedLayer[], startedAt: number) {
    const byName = new Map(layers.map(layer => [layer.name, layer]))
    this.#startedAt = startedAt
    this.#layers = new Map(layers.map(layer => [shortDigest(layer.digest), layer]))
    this.#byPeer = new Map(hosts.map(host => [host.agent.peerId, host]))
    this.#hosts = new Map(hosts.map(host => {
      const { pull, held } = host.planned
      const lacking = new Map((pull?.layers ?? []).flatMap(({ name, bytes }) => {
        const layer = byName.get(name)
        return layer === undefined || held.has(name) ? [] : [[layer, bytes] as const]
      }))
      const bytes = [...lacking.values()].reduce((sum, size) => sum + size, 0)
      return [host, { host, lacking, bytes, startedMs: undefined, receivedMs: undefined }]
    }))
  }

  /** Of the run. */
  nowMs (): number {
    return Date.now() - this.#startedAt
  }

  get progress (): RunProgress {
    const pulling = [...this.#hosts.values()].filter(({ host }) => host.planned.pull !== undefined)
    return {
      atMs: this.nowMs(),
      hosts: pulling.length,
      started: this.#started,
      done: this.#done,
      failed: this.#failed,
      bytes: this.#bytes,
      bytesInAll: pulling.reduce((sum, { bytes }) => sum + bytes, 0),
      originBytes: this.#originBytes
    }
  }

  started (host: LiveHost): void {
    const facts = this.#factsOf(host)
    facts.startedMs = this.nowMs()
    this.#started++
    this.chronicle.note(facts.startedMs, ['started', host.planned.name, facts.bytes, facts.startedMs])
  }

  done (host: LiveHost): void {
    const { receivedMs } = this.#factsOf(host)
    const { name } = host.planned
    const atMs = this.nowMs()
    this.#done++
    this.chronicle.note(atMs, ['done', name, atMs])
    if (receivedMs !== undefined && atMs > receivedMs) this.chronicle.note(atMs, ['waited', name, 'verify', atMs - receivedMs])
  }

  failed ({ planned }: LiveHost, reason: string): void {
    const atMs = this.nowMs()
    this.#failed++
    this.chronicle.note(atMs, ['failed', planned.name, reason, atMs])
  }

  wrong ({ planned }: LiveHost, bytes: number): void {
    const atMs = this.nowMs()
    this.chronicle.note(atMs, ['wrong', planned.name, bytes, atMs])
  }

  /** Of an agent. */
  logged (host: LiveHost, { time, msg, digest = '', source = '', bytes = 0, peer = '' }: LogLine): void {
    const atMs = Date.parse(time) - this.#startedAt
    const layer = this.#layers.get(digest)
    if (!(atMs >= 0)) return
    if (msg === 'fetch:received' && layer !== undefined) this.#received(host, layer, { source, bytes, atMs })
    const other = this.#byPeer.get(peer)
    if (other === undefined) return
    if (msg === 'peer:banned') this.chronicle.note(atMs, ['banned', other.planned.name, host.planned.name, atMs])
    if (msg === 'lied') this.chronicle.note(atMs, ['lied', host.planned.name, other.planned.name, atMs])
  }

  /** Of the registry's front. */
  fronted (fact: FrontReply): void {
    if (fact.type === 'up' || fact.type === 'down') return
    const atMs = fact.atMs - this.#startedAt
    if (atMs < 0) return
    switch (fact.type) {
      case 'sent':
        this.#originBytes += fact.bytes
        this.chronicle.note(atMs, ['originSent', fact.bytes, atMs])
        break
      case 'answered':
        this.chronicle.note(atMs, ['originAnswered', fact.bytes, atMs])
        break
      case 'rejected':
        this.chronicle.note(atMs, ['originAnswered', 0, atMs])
        if (!this.#isRejecting) this.chronicle.note(atMs, ['event', { atMs, type: 'origin-rejected', host: null, detail: 'answered 429 for the first time' }])
        this.#isRejecting = true
        break
      default:
        fact satisfies never
    }
  }

  /** What it lacks it has had once: more of it than there is, was in vain. */
  #received (host: LiveHost, layer: PushedLayer, { source, bytes, atMs }: { source: string, bytes: number, atMs: number }): void {
    const facts = this.#factsOf(host)
    const { name, group } = host.planned
    const lacking = facts.lacking.get(layer) ?? 0
    const useful = Math.min(bytes, lacking)
    if (facts.receivedMs === undefined && facts.startedMs !== undefined) this.chronicle.note(atMs, ['waited', name, 'discovery', Math.max(0, atMs - facts.startedMs)])
    facts.receivedMs = atMs
    facts.lacking.set(layer, lacking - useful)
    this.#bytes += useful
    if (useful > 0) this.chronicle.note(atMs, ['received', name, source.startsWith(PEER) ? 'member' : 'origin', useful, atMs])
    if (bytes > useful) this.chronicle.note(atMs, ['inVain', name, bytes - useful, atMs])
    const giver = source.startsWith(PEER) ? this.#byPeer.get(source.slice(PEER.length)) : undefined
    if (giver === undefined) return
    this.chronicle.note(atMs, ['gave', giver.planned.name, bytes, atMs])
    const { zone } = giver.planned.group
    if (zone !== undefined && group.zone !== undefined && zone !== group.zone) this.chronicle.note(atMs, ['crossedBorder', bytes])
  }

  #factsOf (host: LiveHost): HostFacts {
    const facts = this.#hosts.get(host)
    if (facts === undefined) throw new RangeError(`${host.planned.name} is no host of this run`)
    return facts
  }
}
