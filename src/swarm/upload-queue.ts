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
  readonly #active = new Map<string, UploadJob>()
  readonly #activeOf = new Map<string, number>()

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

  get active (): number {
    return this.#active.size
  }

  /** @returns what is refused for it, if anything: itself, or one less urgent. Asked again, a request stays as it is. */
  add (job: UploadJob): UploadJob | undefined {
    if (this.#active.has(keyOf(job)) || this.#waiting.some(one => keyOf(one) === keyOf(job))) return undefined
    this.#waiting.push(job)
    if (this.#waiting.length <= this.#maxQueued + this.#slots - this.#active.size) return undefined
    return this.#takeLast()
  }

  /** The next to be served, which is on its way out from now on; undefined while all slots are taken or nobody waits. */
  next (): UploadJob | undefined {
    if (this.#active.size >= this.#slots) return undefined
    const best = this.#best()
    if (best === undefined) return undefined
    this.#waiting.splice(this.#waiting.indexOf(best), 1)
    this.#active.set(keyOf(best), best)
    this.#activeOf.set(best.member, (this.#activeOf.get(best.member) ?? 0) + 1)
    return best
  }

  /** It has been sent, or will not be. */
  done (job: UploadJob): void {
    if (!this.#active.delete(keyOf(job))) return
    const left = (this.#activeOf.get(job.member) ?? 1) - 1
    if (left === 0) this.#activeOf.delete(job.member)
    else this.#activeOf.set(job.member, left)
  }

  /** @returns whether it was still waiting */
  cancel (job: UploadJob): boolean {
    const index = this.#waiting.findIndex(one => keyOf(one) === keyOf(job))
    if (index !== -1) this.#waiting.splice(index, 1)
    return index !== -1
  }

  /** Nothing that fits waits any more; what is on its way out is the caller's to stop. */
  drop (fits: (job: UploadJob) => boolean): void {
    this.#waiting = this.#waiting.filter(job => !fits(job))
  }

  #best (): UploadJob | undefined {
    let best: { job: UploadJob, need: UploadNeed, active: number } | undefined
    for (const job of this.#waiting) {
      const active = this.#activeOf.get(job.member) ?? 0
      if (active >= this.#slotsPerMember) continue
      const candidate = { job, need: this.#need(job), active }
      if (best === undefined || compare(candidate, best) < 0) best = candidate
    }
    return best?.job
  }

  #takeLast (): UploadJob | undefined {
    let worst: { job: UploadJob, need: UploadNeed, active: number } | undefined
    for (const job of this.#waiting) {
      const candidate = { job, need: this.#need(job), active: this.#activeOf.get(job.member) ?? 0 }
      if (worst === undefined || compare(candidate, worst) >= 0) worst = candidate
    }
    if (worst !== undefined) this.#waiting.splice(this.#waiting.indexOf(worst.job), 1)
    return worst?.job
  }
}

interface Candidate {
  readonly need: UploadNeed
  readonly active: number
}

/** Below 0: `a` comes first. */
function compare (a: Candidate, b: Candidate): number {
  if (a.need.isSmall !== b.need.isSmall) return a.need.isSmall ? -1 : 1
  return a.active - b.active || a.need.holders - b.need.holders || a.need.held - b.need.held
}

function keyOf ({ member, session, piece }: UploadJob): string {
  return `${member} ${session} ${piece}`
}
