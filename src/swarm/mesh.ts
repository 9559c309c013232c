import { shuffled } from './sample.ts'

/** After the start members are told of each other at these times, so many of them each time: milliseconds. */
export const GOSSIP_MS = [100, 300, 700, 1500, 3000] as const
export const GOSSIP_FAN = 4
/** Half of the places are filled at once, and one more each so many milliseconds up to three quarters; the rest is for those who come. */
const GROW_MS = 250
/** Between two rotations, at least, and as much again at random, in milliseconds. */
const ROTATE_MS = 10_000
/** Who takes part for less is not sent away, or newcomers would push each other out, in milliseconds. */
const YOUNG_MS = 5_000
/** Who does not answer for so long is not waited for, in milliseconds. */
const ANSWER_MS = 3_000
/** Who had no room is not asked again for so long, in milliseconds. */
const REST_MS = 10_000
/** The same where we have too few members: all whom we know may have had no room in the same moment, and have some now. */
const NEEDY_REST_MS = 1_000
/** Agents remembered besides members; of more, any is forgotten. */
const MAX_KNOWN = 256

export interface MeshDecision {
  /** Ask it to take part with us, or take part with it no longer. */
  readonly type: 'ask' | 'leave'
  readonly peer: string
}

export interface MeshInit {
  /** Members at the most. */
  readonly limit: number
  /** Numbers in [0, 1). */
  readonly random: () => number
  /** Whether something is on its way between us and a member: it is not sent away. */
  readonly isDelivering: (peer: string) => boolean
  /**
   * Whom we need more than any others, the most needed first: they are asked first, in place of others if need be, and not sent
   * away. No more than a quarter of the places are theirs, or who is near would find none. @default nobody
   */
  readonly sought?: () => readonly string[]
  /** Whether a peer that we are linked to says that it is in our zone: it takes the place of a far one beyond their share at once. @default nobody */
  readonly isHome?: (peer: string) => boolean
}

interface Known {
  readonly peer: string
  isNear: boolean
  state: 'known' | 'asked' | 'member'
  /** Since when it is in this state. */
  sinceMs: number
  /** Not asked before then. */
  restUntilMs: number
  /** It would be a member if both of us had had room. */
  isAside: boolean
}

/**
 * With whom of very many to exchange the pieces of one blob: a bounded number, most of them near, some always far, and one of
 * them replaced now and then. Whoever comes is let in, in place of another that loses little by it, so that those who come late
 * find room. As everybody's members are random ones of all, the whole hangs together however many there are.
 */
export class Mesh {
  readonly #init: MeshInit
  readonly #peers = new Map<string, Known>()
  #degree = 0
  #startedMs: number | undefined
  #rotateAtMs = 0

  constructor (init: MeshInit) {
    this.#init = init
  }

  /** Members, and those asked. */
  get degree (): number {
    return this.#degree
  }

  /** Whether somebody who was asked has not answered. As answers that bring no member make us ask others, nobody is left to ask otherwise. */
  get isAsking (): boolean {
    for (const { state } of this.#peers.values()) if (state === 'asked') return true
    return false
  }

  /** With fewer members others are looked for at once. */
  get low (): number {
    return Math.ceil(this.#init.limit / 2)
  }

  /** Places for far members at the least, where there are such; and for those who are sought at the most. */
  get far (): number {
    return Math.max(1, this.#init.limit >> 2)
  }

  /** Far members beyond their share: so many of our own zone are to take their places. */
  get farSurplus (): number {
    return Math.max(0, this.#farMembers - this.far)
  }

  /** Those who want the same and are no members, as one of us had no room for the other. */
  get aside (): string[] {
    return [...this.#peers.values()].filter(({ isAside }) => isAside).map(({ peer }) => peer)
  }

  /** It takes part, or may. */
  knows (peer: string, isNear: boolean, nowMs: number): void {
    const known = this.#peers.get(peer)
    if (known !== undefined) {
      known.isNear = isNear
      return
    }
    if (this.#peers.size - this.#degree >= MAX_KNOWN) this.#forgetAny()
    this.#peers.set(peer, { peer, isNear, state: 'known', sinceMs: nowMs, restUntilMs: 0, isAside: false })
  }

  /** It cannot be reached, or is not welcome. */
  forget (peer: string): void {
    const known = this.#peers.get(peer)
    if (known === undefined) return
    this.#become(known, 'known', 0)
    this.#peers.delete(peer)
  }

  /** It takes part with us. @returns whether it may, and who goes for it */
  joined (peer: string, isNear: boolean, nowMs: number): { readonly isAdmitted: boolean, readonly leave?: string } {
    this.knows(peer, isNear, nowMs)
    const known = this.#peers.get(peer)
    if (known === undefined) return { isAdmitted: false }
    const hasPlace = known.state !== 'known'
    const isFull = !hasPlace && this.#degree >= this.#init.limit
    const leave = isFull ? this.#giveWay(known, nowMs) : undefined
    if (isFull && leave === undefined) {
      known.isAside = true
      return { isAdmitted: false }
    }
    if (leave !== undefined) this.left(leave, nowMs)
    if (known.state !== 'member') this.#become(known, 'member', nowMs)
    return { isAdmitted: true, leave }
  }

  /** It does not take part with us, or no longer: it is asked again later, unless it will tell by itself. */
  left (peer: string, nowMs: number, { forMs = REST_MS }: { forMs?: number } = {}): void {
    const known = this.#peers.get(peer)
    if (known === undefined) return
    if (known.state !== 'known') this.#become(known, 'known', nowMs)
    known.restUntilMs = nowMs + forMs
    known.isAside = forMs < Infinity
  }

  /** Whom to ask and whom to leave now. Call it after facts, and every second or so. */
  next (nowMs: number): MeshDecision[] {
    this.#startedMs ??= nowMs
    for (const known of this.#peers.values()) {
      if (known.state === 'asked' && nowMs - known.sinceMs >= ANSWER_MS) this.left(known.peer, nowMs)
    }
    const { limit } = this.#init
    const decisions = [...this.#seek(nowMs), ...this.#bringHome(nowMs)]
    const target = Math.min(this.low + Math.floor((nowMs - this.#startedMs) / GROW_MS), Math.ceil(limit * 3 / 4))
    const isRotating = this.#isRotationDue(nowMs)
    if (this.#degree >= target && !isRotating) return decisions
    const spareRestMs = this.#degree < this.low ? REST_MS - NEEDY_REST_MS : 0
    const candidates = this.#ordered([...this.#peers.values()].filter(({ state, restUntilMs }) => state === 'known' && nowMs >= restUntilMs - spareRestMs))
    decisions.push(...candidates.splice(0, Math.max(0, target - this.#degree)).map(known => this.#ask(known, nowMs)))
    const [another] = this.#shuffled(candidates)
    if (!isRotating || decisions.length > 0 || another === undefined) return decisions
    if (this.#degree >= limit) {
      const leave = this.#dispensable(another.isNear, nowMs)
      if (leave === undefined) return decisions
      decisions.push(this.#leave(leave, nowMs))
    }
    return [...decisions, this.#ask(another, nowMs)]
  }

  /** Those who are sought are asked beyond the places that are filled at once. */
  #seek (nowMs: number): MeshDecision[] {
    const decisions: MeshDecision[] = []
    for (const peer of this.#sought) {
      const known = this.#peers.get(peer)
      if (known?.state !== 'known' || nowMs < known.restUntilMs) continue
      if (this.#degree >= this.#init.limit) {
        const leave = this.#replaceable()
        if (leave === undefined) return decisions
        decisions.push(this.#leave(leave, nowMs))
      }
      decisions.push(this.#ask(known, nowMs))
    }
    return decisions
  }

  /** Those of our zone are not left to chance: a piece that one of them has need not cross the border again. */
  #bringHome (nowMs: number): MeshDecision[] {
    const { isHome, limit } = this.#init
    const decisions: MeshDecision[] = []
    let wanted = isHome === undefined ? 0 : this.farSurplus
    for (const known of wanted === 0 ? [] : this.#peers.values()) {
      if (known.state !== 'known' || nowMs < known.restUntilMs || isHome?.(known.peer) !== true) continue
      if (wanted-- === 0) break
      if (this.#degree >= limit) {
        const leave = this.#farToGo()
        if (leave === undefined) break
        decisions.push(this.#leave(leave, nowMs))
      }
      decisions.push(this.#ask(known, nowMs))
    }
    return decisions
  }

  #leave (peer: string, nowMs: number): MeshDecision {
    this.left(peer, nowMs)
    return { type: 'leave', peer }
  }

  #ask (known: Known, nowMs: number): MeshDecision {
    this.#become(known, 'asked', nowMs)
    return { type: 'ask', peer: known.peer }
  }

  /** The degree is changed here alone. */
  #become (known: Known, state: Known['state'], nowMs: number): void {
    this.#degree += Number(state !== 'known') - Number(known.state !== 'known')
    known.state = state
    known.sinceMs = nowMs
    known.isAside = false
  }

  #isRotationDue (nowMs: number): boolean {
    const isDue = this.#rotateAtMs > 0 && nowMs >= this.#rotateAtMs
    if (isDue || this.#rotateAtMs === 0) this.#rotateAtMs = nowMs + ROTATE_MS * (1 + this.#init.random())
    return isDue
  }

  /** Near ones for most of the places that are free, others for the rest, each in random order. */
  #ordered (candidates: readonly Known[]): Known[] {
    const shuffled = this.#shuffled(candidates)
    const near = shuffled.filter(({ isNear }) => isNear)
    const far = shuffled.filter(({ isNear }) => !isNear)
    const farHere = [...this.#peers.values()].filter(({ state, isNear }) => state !== 'known' && !isNear).length
    const others = far.splice(0, Math.max(0, this.far - farHere))
    const first = near.splice(0, Math.max(0, this.#init.limit - this.#degree - others.length))
    return [...first, ...others, ...near, ...far]
  }

  /** Who goes for one that comes. */
  #giveWay ({ peer, isNear }: Known, nowMs: number): string | undefined {
    if (this.#sought.includes(peer)) return this.#replaceable()
    return (this.#init.isHome?.(peer) === true ? this.#farToGo() : undefined) ?? this.#dispensable(isNear, nowMs)
  }

  /** Near members keep their places but for the share of the far ones, and the other way round. */
  #dispensable (isNear: boolean, nowMs: number): string | undefined {
    const far = this.#farMembers
    const isFarToGo = isNear ? far > this.far : far >= this.far
    return this.#anyMember(member => member.isNear !== isFarToGo && nowMs - member.sinceMs >= YOUNG_MS)
  }

  /** Who goes for one of our zone. */
  #farToGo (): string | undefined {
    return this.farSurplus > 0 ? this.#anyMember(({ isNear }) => !isNear) : undefined
  }

  get #farMembers (): number {
    let far = 0
    for (const { state, isNear } of this.#peers.values()) if (state === 'member' && !isNear) far++
    return far
  }

  /** Who goes for one that is sought, those of our zone last: these are so few that they do not push out one newcomer after the other. */
  #replaceable (): string | undefined {
    return this.#anyMember(({ peer }) => this.#init.isHome?.(peer) !== true) ?? this.#anyMember(() => true)
  }

  #anyMember (mayGo: (member: Known) => boolean): string | undefined {
    const sought = this.#sought
    const members = [...this.#peers.values()].filter(known => known.state === 'member' && mayGo(known) && !sought.includes(known.peer))
    return this.#shuffled(members.filter(({ peer }) => !this.#init.isDelivering(peer)))[0]?.peer
  }

  get #sought (): readonly string[] {
    return this.#init.sought?.().slice(0, this.far) ?? []
  }

  #forgetAny (): void {
    let left = Math.floor(this.#init.random() * (this.#peers.size - this.#degree))
    for (const { peer, state } of this.#peers.values()) {
      if (state !== 'known' || left-- > 0) continue
      this.#peers.delete(peer)
      return
    }
  }

  #shuffled<Value> (values: readonly Value[]): Value[] {
    return shuffled(values, this.#init.random)
  }
}
