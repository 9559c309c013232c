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
const DEFAULT_MAX_QUEUED = 4
/** Of the slots that large blobs take so many do not count for small ones, which never wait for them. */
const SMALL_SLOTS = 2

/**
 * Who is served next. The queue is short and never idle. Among those who wait, members that get nothing yet come first, then
 * the rarest piece, then the neediest member (neediest before all makes every uploader serve the same one at once, and its
 * download is full then: in the model of test/support half of the upload capacity was idle so). What finds no room is refused at once, so that it is asked of somebody else. Pure:
 * `need` is asked anew at every choice, as members go on receiving while they wait.
 */
export class UploadQueue {
  readonly #slots: number
  readonly #slotsPerMember: number
  readonly #maxQueued: number
  readonly #need: (job: UploadJob) => UploadNeed
  #waiting: UploadJob[] = []
  readonly #active: Active[] = []

  constructor (need: (job: UploadJob) => UploadNeed, init: UploadQueueInit = {}) {
    this.#need = need
    this.#slots = init.slots ?? DEFAULT_SLOTS
    this.#slotsPerMember = init.slotsPerMember ?? DEFAULT_SLOTS_PER_MEMBER
    this.#maxQueued = init.maxQueued ?? DEFAULT_MAX_QUEUED
  }

  /** Requests that wait. */
  get length (): number {
    return this.#waiting.length
  }

  /** Requests that come before one that is asked now; none while a slot is free. */
  get ahead (): number {
    return this.#active.length < this.#slots ? 0 : 1 + this.#waiting.length
  }

  get active (): number {
    return this.#active.length
  }

  /** @returns what is refused for it, if anything: itself, or one less urgent. Asked again, a request stays as it is. */
  add (job: UploadJob): UploadJob | undefined {
    if (this.#active.some(one => isSame(one.job, job)) || this.#waiting.some(one => isSame(one, job))) return undefined
    this.#waiting.push(job)
    if (this.#waiting.length <= this.#maxQueued + Math.max(0, this.#slots - this.#active.length)) return undefined
    return this.#takeLast()
  }

  /** The next to be served, which is on its way out from now on; undefined while all slots are taken or nobody waits. */
  next (): UploadJob | undefined {
    const best = this.#best()
    if (best === undefined) return undefined
    const { job, need } = best
    this.#waiting.splice(this.#waiting.indexOf(job), 1)
    this.#active.push({ job, isSmall: need.isSmall })
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
    const all = this.#activeOf(undefined)
    if (all.count - all.unseen >= this.#slots) return undefined
    let best: Waiting | undefined
    for (const job of this.#waiting) {
      const own = this.#activeOf(job.member)
      const candidate = { job, need: this.#need(job), active: own.count }
      const [taken, ofMember] = candidate.need.isSmall ? [all.count - all.unseen, own.count - own.unseen] : [all.count, own.count]
      if (taken >= this.#slots || ofMember >= this.#slotsPerMember) continue
      if (best === undefined || compare(candidate, best) < 0) best = candidate
    }
    return best
  }

  /** Slots that are taken, by one member or all, and how many of them small ones do not see. */
  #activeOf (member: string | undefined): { count: number, unseen: number } {
    let count = 0
    let large = 0
    for (const { job, isSmall } of this.#active) {
      if (member !== undefined && job.member !== member) continue
      count++
      if (!isSmall) large++
    }
    return { count, unseen: Math.min(SMALL_SLOTS, large) }
  }

  #takeLast (): UploadJob | undefined {
    let worst: Waiting | undefined
    for (const job of this.#waiting) {
      const candidate = { job, need: this.#need(job), active: this.#activeOf(job.member).count }
      if (worst === undefined || compare(candidate, worst) >= 0) worst = candidate
    }
    if (worst !== undefined) this.#waiting.splice(this.#waiting.indexOf(worst.job), 1)
    return worst?.job
  }
}

interface Active {
  readonly job: UploadJob
  readonly isSmall: boolean
}

interface Candidate {
  readonly need: UploadNeed
  readonly active: number
}

interface Waiting extends Candidate {
  readonly job: UploadJob
}

/** Below 0: `a` comes first. */
function compare (a: Candidate, b: Candidate): number {
  if (a.need.isSmall !== b.need.isSmall) return a.need.isSmall ? -1 : 1
  return a.active - b.active || a.need.holders - b.need.holders || a.need.held - b.need.held
}

function isSame (one: UploadJob, other: UploadJob): boolean {
  return one.piece === other.piece && one.member === other.member && one.session === other.session
}
