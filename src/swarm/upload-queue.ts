import { LARGE_PIECE_LENGTH } from './pieces.ts'

/** A piece that a member has asked of us. */
export interface UploadJob {
  readonly member: string
  /** Which session, in the words of the caller. */
  readonly session: string
  readonly piece: number
}

/** What bears on who is served first. */
export interface UploadNeed {
  /** Small blobs and manifests come before everything. */
  readonly isSmall: boolean
  /** Bytes of a piece of its blob: see `slotsOf`. */
  readonly pieceLength: number
  /** It crosses a border, while members on our side lack a part too (`Session.isOutsider`). */
  readonly isFar: boolean
  /** Part of the blob that the member holds, 0 to 1. */
  readonly held: number
  /** How many hold the piece, those included to whom we have sent it. */
  readonly holders: number
}

export interface UploadQueueInit {
  /** Pieces on their way out at a time. @default 6 */
  readonly slots?: number
  /** Of these to one member. @default 2 */
  readonly slotsPerMember?: number
  /** Requests that wait at the most; beyond it the least urgent is refused. @default 4 */
  readonly maxQueued?: number
}

const DEFAULT_SLOTS = 6
const DEFAULT_SLOTS_PER_MEMBER = 2
export const DEFAULT_MAX_QUEUED = 4
/** Of the slots that large blobs take so many do not count for small ones, which never wait for them. */
const SMALL_SLOTS = 2
/**
 * The shortest of large pieces have the first part of the slots beside them, longer ones the second: where links are fast the one that ends leaves its part of the
 * link idle until another has begun, and one of ten leaves less of it than one of six. Small ones come later by it. With more
 * slots the first copies of a piece take too long.
 */
const LARGE_PART = 1 / 3
const LONGER_PART = 2 / 3
/** Far members have this part of the slots while near ones are served or wait, and so many of their requests wait then. */
const FAR_PART = 1 / 3
const FAR_QUEUED = 1

/** Pieces of a blob that an agent sends at a time. @param slots - of small pieces @param pieceLength - bytes */
export function slotsOf (pieceLength: number, slots = DEFAULT_SLOTS): number {
  if (pieceLength < LARGE_PIECE_LENGTH) return slots
  return slots + Math.floor(slots * (pieceLength === LARGE_PIECE_LENGTH ? LARGE_PART : LONGER_PART))
}

/**
 * Who is served next. The queue is short and never idle. Among those who wait, members that get nothing yet come first, then
 * the rarest piece, then the neediest member (neediest before all makes every uploader serve the same one at once, and its
 * download is full then: in the model of test/support half of the upload capacity was idle so). What finds no room is refused at
 * once, so that it is asked of somebody else. A piece takes long over a border, and is passed on over there: of far members and near
 * ones the far have a third of the slots, and one of them always, or zones would become islands. Pure: `need` is asked anew at every
 * choice, as members go on receiving while they wait.
 */
export class UploadQueue {
  readonly #slots: number
  readonly #farSlots: number
  readonly #slotsPerMember: number
  readonly #maxQueued: number
  readonly #need: (job: UploadJob) => UploadNeed
  #waiting: UploadJob[] = []
  readonly #active: Active[] = []

  constructor (need: (job: UploadJob) => UploadNeed, init: UploadQueueInit = {}) {
    this.#need = need
    this.#slots = init.slots ?? DEFAULT_SLOTS
    this.#farSlots = Math.max(1, Math.floor(this.#slots * FAR_PART))
    this.#slotsPerMember = init.slotsPerMember ?? DEFAULT_SLOTS_PER_MEMBER
    this.#maxQueued = init.maxQueued ?? DEFAULT_MAX_QUEUED
  }

  /** Requests that wait. */
  get length (): number {
    return this.#waiting.length
  }

  /** Requests that come before one that is asked now; none while a slot is free. @param pieceLength - bytes of a piece of its blob */
  ahead (pieceLength: number): number {
    return this.#active.length < this.#slotsFor(pieceLength) ? 0 : 1 + this.#waiting.length
  }

  get active (): number {
    return this.#active.length
  }

  /** @returns what is refused for it, if anything: itself, or one less urgent. Asked again, a request stays as it is. */
  add (job: UploadJob): UploadJob | undefined {
    if (this.#active.some(one => isSame(one.job, job)) || this.#waiting.some(one => isSame(one, job))) return undefined
    this.#waiting.push(job)
    const waiting = this.#candidates()
    const far = waiting.filter(({ need }) => need.isFar)
    const isShared = far.length > 0 && this.#isNearServed(waiting)
    if (isShared && far.length > FAR_QUEUED + Math.max(0, this.#farSlots - this.#farActive)) return this.#refuseLast(far)
    const others = isShared ? waiting.filter(({ need }) => !need.isFar) : waiting
    return others.length > this.#maxQueued + Math.max(0, this.#slots - this.#active.length) ? this.#refuseLast(others) : undefined
  }

  /** The next to be served, which is on its way out from now on; undefined while all slots are taken or nobody waits. */
  next (): UploadJob | undefined {
    const best = this.#best()
    if (best === undefined) return undefined
    const { job, need } = best
    this.#waiting.splice(this.#waiting.indexOf(job), 1)
    this.#active.push({ job, isSmall: need.isSmall, slots: slotsOf(need.pieceLength, this.#slots), isFar: need.isFar })
    return job
  }

  /** It has been sent, or will not be. */
  done (job: UploadJob): void {
    const index = this.#active.findIndex(one => isSame(one.job, job))
    if (index !== -1) this.#active.splice(index, 1)
  }

  /** @returns whether it was still waiting */
  cancel (job: UploadJob): boolean {
    const index = this.#waiting.findIndex(one => isSame(one, job))
    if (index !== -1) this.#waiting.splice(index, 1)
    return index !== -1
  }

  /** Nothing that fits waits any more; what is on its way out is the caller's to stop. */
  drop (fits: (job: UploadJob) => boolean): void {
    this.#waiting = this.#waiting.filter(job => !fits(job))
  }

  #best (): Waiting | undefined {
    if (this.#waiting.length === 0) return undefined
    const { length } = this.#active
    const unseen = this.#unseenOf(undefined)
    const farActive = this.#farActive
    // near ones do not see those that far ones have beyond their share
    const surplus = Math.max(0, farActive - this.#farSlots)
    if (length - unseen - surplus >= this.#slotsFor(Infinity)) return undefined
    const waiting = this.#candidates()
    const farLimit = this.#isNearServed(waiting) ? this.#farSlots : this.#slots
    let best: Waiting | undefined
    for (const candidate of waiting) {
      const { job: { member }, active, need: { isSmall, pieceLength, isFar } } = candidate
      const taken = isSmall ? length - unseen : length
      const ofMember = isSmall ? active - this.#unseenOf(member) : active
      if (ofMember >= this.#slotsPerMember || taken - (isFar ? 0 : surplus) >= this.#slotsFor(pieceLength) || (isFar && farActive >= farLimit)) continue
      if (best === undefined || compare(candidate, best, farActive === 0) < 0) best = candidate
    }
    return best
  }

  /** Of those who are served none sees the slots that larger pieces have beyond theirs. */
  #slotsFor (pieceLength: number): number {
    let count = slotsOf(pieceLength, this.#slots)
    for (const { slots } of this.#active) if (slots > count) count++
    return count
  }

  /** All that wait. */
  #candidates (): Waiting[] {
    const waiting: Waiting[] = []
    for (const job of this.#waiting) {
      let active = 0
      for (const one of this.#active) if (one.job.member === job.member) active++
      waiting.push({ job, need: this.#need(job), active })
    }
    return waiting
  }

  get #farActive (): number {
    let count = 0
    for (const { isFar } of this.#active) if (isFar) count++
    return count
  }

  /** Else far ones may have all that is free. */
  #isNearServed (waiting: readonly Waiting[]): boolean {
    return this.#active.some(({ isFar }) => !isFar) || waiting.some(({ need }) => !need.isFar)
  }

  /** Slots taken by one member or all that small ones do not see. */
  #unseenOf (member: string | undefined): number {
    let large = 0
    for (const { job, isSmall } of this.#active) if (!isSmall && (member === undefined || job.member === member)) large++
    return Math.min(SMALL_SLOTS, large)
  }

  /** Of these the least urgent waits no longer. */
  #refuseLast (waiting: readonly Waiting[]): UploadJob | undefined {
    let worst: Waiting | undefined
    for (const candidate of waiting) if (worst === undefined || compare(candidate, worst, false) >= 0) worst = candidate
    if (worst !== undefined) this.#waiting.splice(this.#waiting.indexOf(worst.job), 1)
    return worst?.job
  }
}

interface Active {
  readonly job: UploadJob
  readonly isSmall: boolean
  /** Those of its kind. */
  readonly slots: number
  readonly isFar: boolean
}

interface Candidate {
  readonly need: UploadNeed
  readonly active: number
}

interface Waiting extends Candidate {
  readonly job: UploadJob
}

/** Below 0: `a` comes first. @param isFarDue - nothing is on its way to a far one */
function compare (a: Candidate, b: Candidate, isFarDue: boolean): number {
  if (a.need.isSmall !== b.need.isSmall) return a.need.isSmall ? -1 : 1
  if (a.need.isFar !== b.need.isFar) return a.need.isFar === isFarDue ? -1 : 1
  return a.active - b.active || a.need.holders - b.need.holders || a.need.held - b.need.held
}

function isSame (one: UploadJob, other: UploadJob): boolean {
  return one.piece === other.piece && one.member === other.member && one.session === other.session
}
