import { shortDigest } from '../../src/oci/digest.ts'
import type { RunProgress } from '../result.ts'
import { Chronicle } from './chronicle.ts'
import type { PushedLayer } from './image-push.ts'
import { isLiar, type LiveHost } from './live-host.ts'
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

interface Receipt {
  readonly from: LiveHost | 'origin' | 'stranger'
  readonly bytes: number
  readonly isWrong: boolean
  readonly atMs: number
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
    const pulling = [...this.#hosts.values()].filter(({ host }) => host.planned.pull !== undefined && !isLiar(host.planned))
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

  /** It has been away since then; what it waits for now begins anew. */
  wasDown (host: LiveHost, fromMs: number): void {
    const facts = this.#factsOf(host)
    const atMs = this.nowMs()
    this.chronicle.note(atMs, ['waited', host.planned.name, 'down', atMs - fromMs])
    if (facts.receivedMs === undefined && facts.startedMs !== undefined) facts.startedMs = atMs
  }

  /** Of an agent. What a liar gives is wrong, whatever it is of. */
  logged (host: LiveHost, { time, msg, digest = '', source = '', bytes = 0, peer = '' }: LogLine): void {
    const atMs = Date.parse(time) - this.#startedAt
    if (!(atMs >= 0)) return
    const { name } = host.planned
    if (msg === 'peer:banned') {
      const banned = this.#byPeer.get(peer)
      if (banned !== undefined) this.chronicle.note(atMs, ['banned', banned.planned.name, name, atMs])
    }
    if (msg !== 'fetch:received') return
    const from = source.startsWith(PEER) ? this.#byPeer.get(source.slice(PEER.length)) ?? 'stranger' : 'origin'
    const isWrong = typeof from === 'object' && isLiar(from.planned)
    if (isWrong) this.chronicle.note(atMs, ['lied', from.planned.name, name, atMs])
    const layer = this.#layers.get(digest)
    if (layer !== undefined) this.#received(host, layer, { from, bytes, isWrong, atMs })
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

  /** What a host lacks it has had once: more of it than there is, was in vain. */
  #received (host: LiveHost, layer: PushedLayer, { from, bytes, isWrong, atMs }: Receipt): void {
    const facts = this.#factsOf(host)
    const { name, group } = host.planned
    const lacking = facts.lacking.get(layer) ?? 0
    const useful = isWrong ? 0 : Math.min(bytes, lacking)
    if (facts.receivedMs === undefined && facts.startedMs !== undefined) this.chronicle.note(atMs, ['waited', name, 'discovery', Math.max(0, atMs - facts.startedMs)])
    facts.receivedMs = atMs
    facts.lacking.set(layer, lacking - useful)
    this.#bytes += useful
    if (useful > 0) this.chronicle.note(atMs, ['received', name, from === 'origin' ? 'origin' : 'member', useful, atMs])
    if (bytes > useful) this.chronicle.note(atMs, ['inVain', name, bytes - useful, atMs])
    if (typeof from === 'string') return
    this.chronicle.note(atMs, ['gave', from.planned.name, bytes, atMs])
    const { zone } = from.planned.group
    if (zone !== undefined && group.zone !== undefined && zone !== group.zone) this.chronicle.note(atMs, ['crossedBorder', bytes])
  }

  #factsOf (host: LiveHost): HostFacts {
    const facts = this.#hosts.get(host)
    if (facts === undefined) throw new RangeError(`${host.planned.name} is no host of this run`)
    return facts
  }
}
