import type { SwarmMessage } from '../net/swarm-message.ts'

/** Who has heard of us so lately knows that we are at it, in milliseconds. */
const RECENT_MS = 200

/** Another agent that may wait for what we read. */
export interface Waiting {
  readonly isMember: boolean
  readonly isComplete: boolean
  /** When we last said what we have or read, in milliseconds. */
  saidAtMs: number
}

export interface OriginPromisesParts<Member extends Waiting> {
  readonly members: () => Iterable<Member>
  /** Says it on our channel to the member, if there is one. */
  readonly say: (member: Member, message: (channel: number) => SwarmMessage) => void
  /** Pieces that we read from the origin now. */
  readonly taking: () => readonly number[]
  /** Pieces that we have read and will offer when they are signed. */
  readonly unsigned: () => readonly number[]
  /** We give nothing: nobody need wait for what we read. */
  readonly isLeech: boolean
  readonly now: () => number
}

/** What others hear of our reading from the origin: whether we do, and which pieces they may wait for. Of what is not for them they hear nothing. */
export class OriginPromises<Member extends Waiting> {
  readonly #parts: OriginPromisesParts<Member>
  #reads: boolean
  #isRestricted: boolean
  /** Known to be not for others: nobody need wait for what we read. */
  #isHidden = false

  constructor (parts: OriginPromisesParts<Member>, { reads, isRestricted }: { readonly reads: boolean, readonly isRestricted: boolean }) {
    this.#parts = parts
    this.#reads = reads
    this.#isRestricted = isRestricted
  }

  /** Whether others may have of us what we read. */
  get reads (): boolean {
    return this.#reads && !this.#isHidden
  }

  /** It was got with credentials. */
  get isRestricted (): boolean {
    return this.#isRestricted
  }

  /** Pieces that others may wait for: we read them, or have read them and will offer them when their hashes are signed. Ascending. */
  get pieces (): number[] {
    if (this.#isHidden || this.#parts.isLeech) return []
    return [...new Set([...this.#parts.taking(), ...this.#parts.unsigned()])].sort((a, b) => a - b)
  }

  /** Tells all that we read these pieces, or no longer do. */
  tell (type: 'take' | 'release', pieces: readonly number[]): void {
    for (const member of this.#parts.members()) if (member.isMember) this.tellOne(member, type, pieces)
  }

  /** Tells one that has heard of us before of all that it may wait for, or of these pieces. */
  tellOne (member: Member, type: 'take' | 'release' = 'take', pieces: readonly number[] = this.pieces): void {
    if (member.isComplete || pieces.length === 0 || this.#isHidden || this.#parts.isLeech) return
    member.saidAtMs = this.#parts.now()
    this.#parts.say(member, channel => ({ type, channel, pieces }))
  }

  /** Tells again of one piece to those who have heard nothing of us for so long that they might think we no longer read. */
  repeat (): void {
    const now = this.#parts.now()
    const pieces = this.pieces.slice(0, 1)
    for (const member of this.#parts.members()) {
      if (member.isMember && now - member.saidAtMs >= RECENT_MS) this.tellOne(member, 'take', pieces)
    }
  }

  /** Whether we go on reading has changed. */
  setReads (reads: boolean): void {
    if (this.#reads === reads || (reads && this.#isHidden)) return
    this.#reads = reads
    this.#tellOrigin()
  }

  /** Who may have it has become known. */
  setAccess ({ isShared, isRestricted }: { readonly isShared: boolean, readonly isRestricted: boolean }): void {
    const isMarkNew = isRestricted && !this.#isRestricted
    this.#isRestricted = isRestricted
    this.#isHidden = !isShared
    if (this.#isHidden) this.setReads(false)
    else if (isMarkNew) this.#tellOrigin()
  }

  #tellOrigin (): void {
    const [reads, restricted] = [this.#reads, this.#isRestricted]
    for (const member of this.#parts.members()) this.#parts.say(member, channel => ({ type: 'origin', channel, reads, restricted }))
  }
}
