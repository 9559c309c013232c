import { Session, type Decision } from '../../src/swarm/session.ts'
import type { OriginPolicy } from '../../src/swarm/origin-plan.ts'
import { pieceCount, pieceSpan } from '../../src/swarm/pieces.ts'
import { UploadQueue, type UploadJob } from '../../src/swarm/upload-queue.ts'

/** How a host of the model behaves, if not as it should. */
export type ModelFault = 'dies' | 'stalls'

export interface ModelHost {
  /** Bytes per millisecond. */
  readonly up: number
  readonly down: number
  readonly startMs?: number
  readonly zone?: string
  readonly isLeech?: boolean
  readonly fault?: { readonly kind: ModelFault, readonly atMs: number }
  /** Part of the pieces held at the start, 0 to 1. */
  readonly held?: number
  readonly readsOrigin?: boolean
}

export interface ModelInit {
  readonly size: number
  readonly hosts: readonly ModelHost[]
  /** Bytes per millisecond of all hosts together. */
  readonly origin: number
  /** One way, in milliseconds. */
  readonly latencyMs?: number
  readonly haveIntervalMs?: number
  readonly random: () => number
  readonly policy?: OriginPolicy
  readonly slots?: number
  readonly maxQueued?: number
  readonly minRoom?: number
  readonly window?: number
  readonly limitMs?: number
  readonly check?: (model: SwarmModel) => void
}

interface Transfer {
  readonly from: Node | undefined
  readonly to: Node
  readonly piece: number
  left: number
  rate: number
  sinceMs: number
  event: number
}

interface Node {
  readonly id: string
  readonly host: ModelHost
  readonly session: Session
  readonly uploads: UploadQueue
  readonly asked: Map<string, Set<number>>
  readonly sent: Map<string, Set<number>>
  readonly up: Set<Transfer>
  readonly down: Set<Transfer>
  isAlive: boolean
  hasStarted: boolean
  fresh: number[]
  haveDue: boolean
  decideDue: boolean
  doneMs: number | undefined
  bytesIn: number
  rate: number
  rateAtMs: number
}

interface Event { readonly atMs: number, readonly order: number, readonly run: () => void }

/**
 * A swarm in memory and in simulated time: hosts with links of their own run the real sessions and upload queues; transfers
 * share links evenly, messages take a fixed time. Deterministic for one `random`.
 */
export class SwarmModel {
  nowMs = 0
  originBytes = 0
  requests = 0
  rejects = 0
  copies = 0
  crossings = 0
  readonly nodes = new Map<string, Node>()
  readonly #init: ModelInit
  readonly #events: Event[] = []
  readonly #origin = new Set<Transfer>()
  #order = 0
  #isShareDue = false

  constructor (init: ModelInit) {
    this.#init = init
    for (const [index, host] of init.hosts.entries()) this.#addHost(`host${index}`, host)
  }

  /** @returns when each host was done, undefined for those that never were */
  run (): Array<number | undefined> {
    const limitMs = this.#init.limitMs ?? 600_000
    for (let event = this.#take(); event !== undefined && event.atMs <= limitMs; event = this.#take()) {
      this.nowMs = event.atMs
      event.run()
      if ([...this.nodes.values()].every(node => !node.isAlive || node.host.fault?.kind === 'stalls' || node.session.isComplete)) break
    }
    return [...this.nodes.values()].map(node => node.doneMs)
  }

  #addHost (id: string, host: ModelHost): void {
    const { size, policy } = this.#init
    const held: number[] = []
    for (let piece = 0; piece < pieceCount(size); piece++) if (this.#init.random() < (host.held ?? 0)) held.push(piece)
    const node: Node = {
      id,
      host,
      session: new Session({ self: id, digest: 'sha256:model', size, held, originPolicy: policy, isLeech: host.isLeech }),
      uploads: new UploadQueue(job => this.#need(node, job), { slots: this.#init.slots, maxQueued: this.#init.maxQueued }),
      asked: new Map(),
      sent: new Map(),
      up: new Set(),
      down: new Set(),
      isAlive: true,
      hasStarted: false,
      fresh: [],
      haveDue: false,
      decideDue: false,
      doneMs: undefined,
      bytesIn: 0,
      rate: 0,
      rateAtMs: 0
    }
    this.nodes.set(id, node)
    this.at(host.startMs ?? 0, () => { this.#start(node) })
    if (host.fault !== undefined) this.at(host.fault.atMs, () => { this.#fail(node) })
  }

  at (atMs: number, run: () => void): void {
    const event = { atMs, order: this.#order++, run }
    // binary heap
    const heap = this.#events
    heap.push(event)
    let index = heap.length - 1
    while (index > 0) {
      const parent = index - 1 >> 1
      if (before(heap[parent]!, heap[index]!)) break
      ;[heap[parent], heap[index]] = [heap[index]!, heap[parent]!]
      index = parent
    }
  }

  #take (): Event | undefined {
    const heap = this.#events
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    heap[0] = last
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) return first
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (before(heap[index]!, heap[child]!)) return first
      ;[heap[index], heap[child]] = [heap[child]!, heap[index]!]
      index = child
    }
  }

  #need (node: Node, job: UploadJob): { isSmall: boolean, held: number, holders: number } {
    const member = node.session.members.get(job.member)
    return {
      isSmall: false,
      held: (member?.held.count ?? 0) / node.session.pieces,
      holders: node.session.availability.of(job.piece) + this.#sentCopies(node, job.piece)
    }
  }

  #sentCopies (node: Node, piece: number): number {
    let copies = 0
    for (const [member, pieces] of node.sent) if (pieces.has(piece) && node.session.members.get(member)?.held.has(piece) === false) copies++
    return copies
  }

  #start (node: Node): void {
    node.hasStarted = true
    const isReady = node.host.readsOrigin ?? true
    // the grace for the neighbours' answers
    this.at(this.nowMs + 30, () => { node.session.originReady(isReady); this.#poke(node) })
    for (const other of this.nodes.values()) {
      if (other === node || !other.hasStarted || !other.isAlive) continue
      this.#tell(node, other, () => { this.#meet(other, node) })
      this.#tell(other, node, () => { this.#meet(node, other) })
    }
    this.#tick(node)
  }

  #meet (node: Node, other: Node): void {
    const isNear = node.host.zone === other.host.zone
    node.session.joined(other.id, { held: other.session.held, isLeech: other.host.isLeech, readsOrigin: other.host.readsOrigin ?? true, isNear }, this.nowMs)
    node.session.takes(other.id, other.session.taking, this.nowMs)
    this.#poke(node)
  }

  #fail (node: Node): void {
    if (node.host.fault?.kind === 'stalls') {
      for (const transfer of [...node.up]) this.#end(transfer)
      return
    }
    node.isAlive = false
    for (const transfer of [...node.up, ...node.down]) this.#end(transfer)
    for (const other of this.nodes.values()) {
      if (other !== node) {
        this.at(this.nowMs + 5, () => {
          other.session.gone(node.id)
          other.uploads.drop(job => job.member === node.id)
          this.#poke(other)
        })
      }
    }
  }

  #tell (_from: Node, to: Node, run: () => void): void {
    const latency = this.#init.latencyMs ?? 5
    this.at(this.nowMs + latency * (0.75 + 0.5 * this.#init.random()), () => { if (to.isAlive) run() })
  }

  #isStalled (node: Node): boolean {
    return node.host.fault?.kind === 'stalls' && this.nowMs >= node.host.fault.atMs
  }

  #tick (node: Node): void {
    if (!node.isAlive || node.session.isComplete) return
    this.#decide(node)
    this.at(this.nowMs + 50, () => { this.#tick(node) })
  }

  #poke (node: Node): void {
    if (node.decideDue) return
    node.decideDue = true
    this.at(this.nowMs + 1, () => { node.decideDue = false; this.#decide(node) })
  }

  #decide (node: Node): void {
    if (!node.isAlive || !node.hasStarted || this.#isStalled(node)) return
    const length = pieceSpan(this.#init.size, 0).end
    const target = Math.min(64, Math.max(this.#init.minRoom ?? 8, Math.ceil(node.rate * (2 * (this.#init.latencyMs ?? 5) + 15) / length) + 2))
    const room = Math.max(0, target - node.session.onTime(this.nowMs))
    const runs = [...this.#origin].some(transfer => transfer.to === node) ? 0 : 1
    for (const decision of node.session.decide(this.nowMs, { room, runs, window: this.#init.window ?? Math.max(2, Math.ceil(target / Math.max(1, node.session.members.size))) })) this.#do(node, decision)
    this.#init.check?.(this)
  }

  #do (node: Node, decision: Decision): void {
    switch (decision.type) {
      case 'request': {
        this.requests++
        const member = this.nodes.get(decision.member)
        const asked = setOf(node.asked, decision.member)
        if (asked.has(decision.piece)) throw new Error(`${node.id} asks ${decision.member} for piece ${decision.piece} twice`)
        asked.add(decision.piece)
        if (member === undefined) break
        if (member.host.zone !== node.host.zone) this.crossings++
        this.#tell(node, member, () => { this.#asked(member, node, decision.piece) })
        break
      }
      case 'cancel': {
        const member = this.nodes.get(decision.member)
        setOf(node.asked, decision.member).delete(decision.piece)
        if (member === undefined) break
        this.#tell(node, member, () => {
          member.uploads.cancel({ member: node.id, session: 's', piece: decision.piece })
          for (const transfer of member.up) if (transfer.to === node && transfer.piece === decision.piece) this.#endUpload(member, transfer)
        })
        break
      }
      case 'take':
        for (const other of this.nodes.values()) {
          const pieces = range(decision.start, decision.end)
          if (other !== node && node.session.members.has(other.id)) this.#tell(node, other, () => { other.session.takes(node.id, pieces, this.nowMs) })
        }
        this.#read(node, decision.start, decision.start, decision.end)
        break
      default:
        decision satisfies never
    }
  }

  #asked (member: Node, by: Node, piece: number): void {
    if (this.#isStalled(member)) return
    if (!member.session.held.has(piece)) throw new Error(`${member.id} does not hold piece ${piece}`)
    const refused = member.uploads.add({ member: by.id, session: 's', piece })
    if (refused !== undefined) {
      this.rejects++
      const to = this.nodes.get(refused.member)!
      const queue = member.uploads.length
      this.#tell(member, to, () => {
        setOf(to.asked, member.id).delete(refused.piece)
        to.session.rejected(member.id, refused.piece, 'busy', this.nowMs)
        to.session.queued(member.id, queue)
        this.#poke(to)
      })
    }
    this.#serve(member)
  }

  #serve (node: Node): void {
    for (let job = node.uploads.next(); job !== undefined; job = node.uploads.next()) {
      const to = this.nodes.get(job.member)!
      if (!to.isAlive) {
        node.uploads.done(job)
        continue
      }
      setOf(node.sent, job.member).add(job.piece)
      this.#begin({ from: node, to, piece: job.piece })
    }
  }

  #read (node: Node, first: number, piece: number, end: number): void {
    if (!node.isAlive) return
    if (piece === end) {
      node.session.originEnded(first, end, this.nowMs)
      this.#poke(node)
      return
    }
    this.#begin({ from: undefined, to: node, piece, then: () => { this.#read(node, first, piece + 1, end) } })
  }

  #begin ({ from, to, piece, then }: { from: Node | undefined, to: Node, piece: number, then?: () => void }): void {
    const { start, end } = pieceSpan(this.#init.size, piece)
    const transfer: Transfer & { then?: () => void } = { from, to, piece, left: end - start, rate: 0, sinceMs: this.nowMs, event: 0, then }
    if (from === undefined) this.originBytes += end - start
    ;(from === undefined ? this.#origin : from.up).add(transfer)
    to.down.add(transfer)
    this.#share(transfer)
  }

  /** Rates of all transfers: each link is shared evenly, and what some cannot use goes to the others. */
  #share (_changed: Transfer): void {
    if (this.#isShareDue) return
    this.#isShareDue = true
    this.at(this.nowMs, () => { this.#isShareDue = false; this.#shareNow() })
  }

  #shareNow (): void {
    const links: Array<{ left: number, open: Set<Transfer> }> = []
    const linksOf = new Map<Transfer, Array<{ left: number, open: Set<Transfer> }>>()
    const addLink = (capacity: number, transfers: Set<Transfer>): void => {
      if (transfers.size === 0) return
      const link = { left: capacity, open: new Set(transfers) }
      links.push(link)
      for (const transfer of transfers) {
        const list = linksOf.get(transfer)
        if (list === undefined) linksOf.set(transfer, [link])
        else list.push(link)
      }
    }
    addLink(this.#init.origin, this.#origin)
    for (const node of this.nodes.values()) {
      addLink(node.host.up, node.up)
      addLink(node.host.down, node.down)
    }
    const rates = new Map<Transfer, number>()
    while (rates.size < linksOf.size) {
      let tightest: { left: number, open: Set<Transfer> } | undefined
      for (const link of links) {
        if (link.open.size > 0 && (tightest === undefined || link.left / link.open.size < tightest.left / tightest.open.size)) tightest = link
      }
      if (tightest === undefined) break
      const rate = tightest.left / tightest.open.size
      for (const transfer of [...tightest.open]) {
        rates.set(transfer, rate)
        for (const link of linksOf.get(transfer) ?? []) {
          link.open.delete(transfer)
          link.left -= rate
        }
      }
    }
    for (const [transfer, rate] of rates) {
      transfer.left -= transfer.rate * (this.nowMs - transfer.sinceMs)
      transfer.sinceMs = this.nowMs
      if (Math.abs(transfer.rate - rate) < 1e-9 && transfer.event > 0) continue
      transfer.rate = Math.max(rate, 1e-6)
      const event = ++transfer.event
      this.at(this.nowMs + Math.max(0, transfer.left) / transfer.rate, () => { if (transfer.event === event) this.#arrive(transfer) })
    }
  }

  #end (transfer: Transfer): void {
    transfer.event += 1_000_000
    const { from, to } = transfer
    ;(from === undefined ? this.#origin : from.up).delete(transfer)
    to.down.delete(transfer)
    this.#share(transfer)
  }

  #endUpload (from: Node, transfer: Transfer): void {
    this.#end(transfer)
    from.uploads.done({ member: transfer.to.id, session: 's', piece: transfer.piece })
    this.#serve(from)
  }

  #arrive (transfer: Transfer & { then?: () => void }): void {
    const { from, to, piece } = transfer
    if (from === undefined) this.#end(transfer)
    else this.#endUpload(from, transfer)
    const { start, end } = pieceSpan(this.#init.size, piece)
    this.#measure(to, end - start)
    if (from !== undefined) setOf(to.asked, from.id).delete(piece)
    if (to.session.held.has(piece)) this.copies++
    if (from !== undefined) to.session.queued(from.id, from.uploads.length)
    to.session.arrived(piece, from?.id ?? 'origin', this.nowMs)
    if (!to.session.held.has(piece)) {
      to.session.verified(piece)
      to.fresh.push(piece)
      if (to.session.isComplete) to.doneMs = this.nowMs
      this.#announce(to)
    }
    transfer.then?.()
    this.#poke(to)
  }

  #measure (node: Node, bytes: number): void {
    const elapsed = this.nowMs - node.rateAtMs
    node.bytesIn += bytes
    if (elapsed < 200) return
    node.rate = node.rate * 0.5 + node.bytesIn / elapsed * 0.5
    node.bytesIn = 0
    node.rateAtMs = this.nowMs
  }

  #announce (node: Node): void {
    if (node.haveDue) return
    node.haveDue = true
    this.at(this.nowMs + (this.#init.haveIntervalMs ?? 20), () => {
      node.haveDue = false
      const pieces = node.fresh.splice(0)
      const queue = node.uploads.length
      for (const other of this.nodes.values()) {
        if (other === node || !other.session.members.has(node.id)) continue
        this.#tell(node, other, () => {
          other.session.has(node.id, pieces, this.nowMs)
          other.session.queued(node.id, queue)
          this.#poke(other)
        })
      }
    })
  }
}

function before (a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

function setOf<Key> (map: Map<Key, Set<number>>, key: Key): Set<number> {
  let set = map.get(key)
  if (set === undefined) map.set(key, set = new Set())
  return set
}

function range (start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index)
}
