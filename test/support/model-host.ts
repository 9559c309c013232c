import { DownloadBudget } from '../../src/pull/download-budget.ts'
import type { OriginPolicy } from '../../src/swarm/origin-plan.ts'
import { pieceLength } from '../../src/swarm/pieces.ts'
import { Session } from '../../src/swarm/session.ts'
import { UploadQueue, type UploadJob, type UploadNeed } from '../../src/swarm/upload-queue.ts'
import type { ModelClock } from './model-clock.ts'
import type { ModelLink, ModelTransfer } from './model-links.ts'

/** What a host of the model is and does. */
export interface ModelHostInit {
  /** Bytes per millisecond, each way. */
  readonly up: number
  readonly down: number
  /** @default 0 */
  readonly startMs?: number
  readonly zone?: string
  /** @default false */
  readonly isLeech?: boolean
  /** Pieces held at the start. @default none */
  readonly held?: readonly number[]
  /** It dies: the others see its links break. */
  readonly diesAtMs?: number
  /** It neither sends nor hears anything from `fromMs` to `toMs`, and its links stay up. */
  readonly stall?: { readonly fromMs: number, readonly toMs: number }
}

/** A host of the model: the real session, uploads and budget, and what it has on its way. */
export class ModelHost {
  readonly id: string
  readonly init: ModelHostInit
  readonly session: Session
  readonly uploads: UploadQueue
  readonly budget: DownloadBudget
  readonly up: ModelLink
  readonly down: ModelLink
  /** Whom it has told what it holds. */
  readonly joined = new Set<ModelHost>()
  /** Requests that were not answered yet, as `member piece`. */
  readonly unanswered = new Set<string>()
  /** What it sends, by `member piece`. */
  readonly sending = new Map<string, { readonly job: UploadJob, readonly transfer: ModelTransfer }>()
  /** What it hears while it stalls. */
  readonly unheard: Array<() => void> = []
  /** Pieces that came since it last told the others. */
  news: number[] = []
  isReadingOrigin = false
  /** What it reads goes on to the end of the blob. */
  isReadingWhole = false
  isDecideDue = false
  /** When it decides next though nothing happens. */
  dueMs: number | undefined
  hasStarted = false
  isAlive = true
  isStalled = false
  doneMs: number | undefined

  constructor (id: string, init: ModelHostInit, { size, policy, clock, up, down }: { size: number, policy: OriginPolicy, clock: ModelClock, up: ModelLink, down: ModelLink }) {
    this.id = id
    this.init = init
    this.up = up
    this.down = down
    this.session = new Session({ self: id, digest: 'sha256:model', size, held: init.held, originPolicy: policy, isLeech: init.isLeech })
    this.uploads = new UploadQueue(job => this.#need(job))
    this.budget = new DownloadBudget(() => clock.nowMs)
    this.budget.add(this.session)
    if (this.session.isComplete) this.doneMs = 0
  }

  /** Whether it takes part now. */
  get isActive (): boolean {
    return this.hasStarted && this.isAlive && !this.isStalled
  }

  /** A piece is no longer on its way out. @returns how it was */
  sent (job: UploadJob): ModelTransfer | undefined {
    const key = requestKey(job.member, job.piece)
    const sending = this.sending.get(key)
    this.sending.delete(key)
    this.uploads.done(job)
    return sending?.transfer
  }

  /** Another is gone for good, or goes on with others. */
  forget (dead: ModelHost, { goesOn = false }: { goesOn?: boolean } = {}): void {
    this.joined.delete(dead)
    this.session.gone(dead.id, { goesOn })
    this.uploads.drop(({ member }) => member === dead.id)
    for (const { job } of [...this.sending.values()]) if (job.member === dead.id) this.sent(job)
    for (const key of [...this.unanswered]) if (key.startsWith(requestKey(dead.id, ''))) this.unanswered.delete(key)
  }

  /** Requests that come before one that is asked now. */
  get ahead (): number {
    return this.uploads.ahead(pieceLength(this.session.size))
  }

  #need ({ member, piece }: UploadJob): UploadNeed {
    const { members, availability, pieces } = this.session
    let sent = 0
    for (const { job } of this.sending.values()) {
      if (job.piece === piece && job.member !== member) sent++
    }
    return { isSmall: false, pieceLength: pieceLength(this.session.size), isFar: this.session.isOutsider(member), held: (members.get(member)?.held.count ?? 0) / pieces, holders: availability.of(piece) + sent }
  }
}

export function requestKey (member: string, piece: number | ''): string {
  return `${member} ${piece}`
}
