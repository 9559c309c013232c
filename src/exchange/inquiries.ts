import type { ContentKind, Holding, SharedReader } from '../net/peers.ts'
import { PeerError } from '../net/peer-error.ts'
import type { SwarmLink } from '../net/swarm-link.ts'
import type { JoinMessage, MissingMessage } from '../net/swarm-message.ts'
import type { Digest } from '../oci/digest.ts'

const DEFAULT_ANSWER_TIMEOUT_MS = 1_000
/** Questions that one peer may owe us an answer to. */
const MAX_UNANSWERED = 64

export interface InquiriesInit {
  /** How long a peer may take to say whether it holds something, in milliseconds. @default 1000 */
  readonly answerTimeoutMs?: number
}

/** What is asked for. */
export interface Question {
  readonly kind: ContentKind
  readonly digest: Digest
  /** The question stands when it is answered: who asks leaves the channel when it has what it wants. */
  readonly stands?: Pick<JoinMessage, 'leech' | 'readsOrigin'>
}

interface Inquiry extends Question {
  readonly answered: PromiseWithResolvers<Holding | undefined>
}

/**
 * Questions to other agents whether they hold something, over the link that is there anyway: a join without a size, answered
 * by a join of the whole or by `missing`. A libp2p stream for each question costs both sides milliseconds of the processor.
 */
export class Inquiries {
  readonly #answerTimeoutMs: number
  readonly #open = new Map<SwarmLink, Map<number, Inquiry>>()

  constructor (init: InquiriesInit = {}) {
    this.#answerTimeoutMs = init.answerTimeoutMs ?? DEFAULT_ANSWER_TIMEOUT_MS
  }

  /**
   * @param channel a new one of ours on the link
   * @throws PeerError PEER_BUSY, PEER_DENIED, PEER_STALLED, PEER_GONE; the signal's reason
   */
  async ask (link: SwarmLink, channel: number, question: Question, { signal }: { signal?: AbortSignal } = {}): Promise<Holding | undefined> {
    signal?.throwIfAborted()
    const { peer } = link
    const { kind, digest, stands } = question
    const unanswered = this.#open.get(link) ?? new Map<number, Inquiry>()
    if (this.isFull(link)) throw new PeerError('PEER_BUSY', peer, `owes us ${MAX_UNANSWERED} answers`)
    const answered = Promise.withResolvers<Holding | undefined>()
    unanswered.set(channel, { kind, digest, answered })
    this.#open.set(link, unanswered)
    const timer = setTimeout(() => {
      answered.reject(new PeerError('PEER_STALLED', peer, `did not say within ${this.#answerTimeoutMs} ms whether it holds ${digest}`))
    }, this.#answerTimeoutMs)
    const onAbort = (): void => { answered.reject(signal?.reason) }
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      link.send(questionOf(channel, question))
      return await answered.promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      unanswered.delete(channel)
      if (unanswered.size === 0 && this.#open.get(link) === unanswered) this.#open.delete(link)
      if (stands === undefined) link.send({ type: 'leave', channel })
    }
  }

  /** Whether the peer owes us so many answers that it is asked nothing. */
  isFull (link: SwarmLink): boolean {
    return this.#open.get(link)?.size === MAX_UNANSWERED
  }

  /** @returns whether it was the answer to a question of ours */
  joined (link: SwarmLink, join: JoinMessage): boolean {
    if (!join.complete) return false
    // perhaps one that comes too late
    let isAnswer = join.of !== undefined
    for (const { kind, digest, answered } of this.#open.get(link)?.values() ?? []) {
      if (kind !== join.kind || digest !== join.digest) continue
      answered.resolve({ peer: link.peer, size: join.size, restricted: join.restricted })
      isAnswer = true
    }
    return isAnswer
  }

  /** @returns whether it was the answer to a question of ours */
  missing (link: SwarmLink, { of, reason }: MissingMessage): boolean {
    const inquiry = this.#open.get(link)?.get(of)
    if (inquiry === undefined) return false
    if (reason === 'busy') inquiry.answered.reject(new PeerError('PEER_BUSY', link.peer, 'is busy'))
    else inquiry.answered.resolve(undefined)
    return true
  }

  /** Nothing more comes over the link. */
  closed (link: SwarmLink): void {
    for (const { answered } of this.#open.get(link)?.values() ?? []) answered.reject(new PeerError('PEER_GONE', link.peer, 'has gone'))
  }
}

/** Whether the join only asks, rather than telling that its sender takes part. */
export function isInquiry ({ size, complete }: JoinMessage): boolean {
  return size === 0 && !complete
}

/**
 * Answers a join that only asks, without taking part.
 *
 * @param channel a new one of ours on the link
 */
export async function answerInquiry (link: SwarmLink, join: JoinMessage, { channel, open }: { channel: () => number, open: (kind: ContentKind, digest: Digest) => Promise<SharedReader | undefined> }): Promise<void> {
  const { kind, digest } = join
  const reader = await open(kind, digest).catch(() => undefined)
  if (reader === undefined) {
    link.send({ type: 'missing', of: join.channel, reason: 'missing' })
    return
  }
  const { size, restricted } = reader
  await reader.close()
  tellHolding(link, channel(), join.channel, { kind, digest, size, restricted })
}

/** The join that asks. */
export function questionOf (channel: number, { kind, digest, stands }: Question): JoinMessage {
  const { leech, readsOrigin } = stands ?? { leech: false, readsOrigin: false }
  return { type: 'join', channel, kind, digest, size: 0, restricted: false, complete: false, leech, readsOrigin, waits: stands !== undefined }
}

/**
 * Tells that we hold something, without taking part.
 *
 * @param channel a new one of ours on the link
 * @param of the channel of the question
 */
export function tellHolding (link: SwarmLink, channel: number, of: number, { kind, digest, size, restricted }: Pick<JoinMessage, 'kind' | 'digest' | 'size' | 'restricted'>): void {
  link.send({ type: 'join', channel, kind, digest, size, restricted, complete: true, leech: false, readsOrigin: false, of })
  link.send({ type: 'leave', channel })
}
