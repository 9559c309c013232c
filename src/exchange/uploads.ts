import type { EventSink } from '../events.ts'
import type { Pace } from '../net/pace.ts'
import { nextChunk } from '../net/chunk-length.ts'
import { MAX_CHUNK_LENGTH } from '../net/swarm-limits.ts'
import type { SwarmLink } from '../net/swarm-link.ts'
import type { PieceMessage } from '../net/swarm-message.ts'
import { MIN_PIECE_LENGTH, pieceLength, pieceSpan } from '../swarm/pieces.ts'
import { UploadQueue, type UploadJob, type UploadNeed, type UploadQueueInit } from '../swarm/upload-queue.ts'
import type { RejectReason } from '../swarm/session.ts'
import type { Attendee } from './participation.ts'

/** Bytes of a blob up to which it goes before all others. */
export const SMALL_BYTES = 1024 * 1024
/** Buffers kept for the next chunk. */
const MAX_FREE_BUFFERS = 16
/** Bytes sent to one peer between two events that say so. */
const SERVED_EVENT_BYTES = 1024 * 1024

export interface UploadsComponents {
  readonly events: EventSink
  readonly pace: Pace
}

interface Running extends UploadJob {
  readonly attendee: Attendee
  /** Our channel when it was asked for: the answer goes there or nowhere. Who comes back over another link or channel asks anew. */
  readonly channel: number
  isCancelled: boolean
  /** All of its bytes have been sent. */
  isSent: boolean
}

/** All pieces on their way to other agents, of all blobs: whom to serve next, chunk by chunk, at the pace allowed. */
export class Uploads {
  readonly #events: EventSink
  readonly #pace: Pace
  readonly #chunkBytes: number
  readonly #queue: UploadQueue
  readonly #jobs = new Map<string, Running>()
  /** Tells the links to one peer from each other. */
  readonly #linkNumbers = new WeakMap<SwarmLink, number>()
  #lastLink = 0
  readonly #free: Uint8Array[] = []
  readonly #served = new Map<string, { readonly attendee: Attendee, bytes: number }>()

  constructor (components: UploadsComponents, init: UploadQueueInit = {}) {
    this.#events = components.events
    this.#pace = components.pace
    this.#chunkBytes = components.pace.chunkBytes ?? Infinity
    this.#queue = new UploadQueue(job => this.#need(job), init)
  }

  /** Requests that come before one for a piece of such a blob that is asked now; none while a slot is free. @param size - bytes */
  ahead (size: number): number {
    return this.#queue.ahead(pieceLength(size))
  }

  /** A member asks for a held piece. */
  add (attendee: Attendee, piece: number): void {
    const { peer: member, link, ours: channel } = attendee
    if (channel === undefined) return
    const job: Running = { member, session: this.#conversation(link, channel), piece, attendee, channel, isCancelled: false, isSent: false }
    const key = keyOf(job)
    if (this.#jobs.has(key)) return
    this.#jobs.set(key, job)
    const refused = this.#queue.add(job)
    if (refused !== undefined) this.#refuse(refused)
    this.#serve()
  }

  /** Whether something is on its way to it, or waits to be. */
  isServing (attendee: Attendee): boolean {
    for (const job of this.#jobs.values()) if (job.attendee === attendee) return true
    return false
  }

  cancel (attendee: Attendee, piece: number): void {
    const { peer: member, link, ours: channel } = attendee
    if (channel === undefined) return
    const job = this.#jobs.get(keyOf({ member, session: this.#conversation(link, channel), piece }))
    if (job !== undefined) this.#callOff(job)
  }

  /** Nothing more goes there. */
  left (attendee: Attendee): void {
    for (const job of [...this.#jobs.values()]) {
      if (job.attendee === attendee) this.#callOff(job)
    }
    this.#tellServed(attendee)
  }

  /** What two agents say to each other about one blob from a join to a leave. */
  #conversation (link: SwarmLink, channel: number): string {
    const number = this.#linkNumbers.get(link) ?? ++this.#lastLink
    this.#linkNumbers.set(link, number)
    return `${number} ${channel}`
  }

  #callOff (job: Running): void {
    job.isCancelled = true
    if (!this.#queue.cancel(job)) return
    this.#jobs.delete(keyOf(job))
    this.#reject(job, 'cancelled')
  }

  #refuse (job: UploadJob): void {
    const key = keyOf(job)
    const refused = this.#jobs.get(key)
    this.#jobs.delete(key)
    if (refused !== undefined) this.#reject(refused, 'busy')
  }

  #reject ({ attendee, channel, piece }: Running, reason: RejectReason): void {
    if (attendee.ours === channel) attendee.participation.reject(attendee, piece, reason)
  }

  #serve (): void {
    for (let job = this.#queue.next(); job !== undefined; job = this.#queue.next()) {
      const running = this.#jobs.get(keyOf(job))
      if (running === undefined) this.#queue.done(job)
      else this.#run(running).catch(() => {})
    }
  }

  async #run (job: Running): Promise<void> {
    try {
      await this.#send(job)
    } catch {
      // a piece that cannot be read is refused; a link that broke has nobody to tell
      this.#reject(job, 'missing')
    } finally {
      // each request is answered once: by all of its bytes or by a refusal
      if (job.isCancelled && !job.isSent) this.#reject(job, 'cancelled')
      this.#jobs.delete(keyOf(job))
      this.#queue.done(job)
      this.#serve()
    }
  }

  async #send (job: Running): Promise<void> {
    const { attendee, channel, piece } = job
    const { participation, link } = attendee
    const attestation = await participation.vouch(piece)
    if (attendee.ours !== channel) return
    participation.tellNews(attendee)
    if (!attendee.told.has(attestation)) {
      attendee.told.add(attestation)
      link.send({ type: 'attest', channel, attestation: attestation.bytes })
    }
    const { start, end } = pieceSpan(participation.size, piece)
    for (let at = start; at < end;) {
      if (job.isCancelled || !link.isOpen) return
      const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(MAX_CHUNK_LENGTH)
      try {
        const length = await fill(participation, buffer, at, nextChunk(end - at, this.#chunkBytes))
        await this.#pace.pass(length, { isUrgent: participation.size <= SMALL_BYTES })
        if (job.isCancelled || !link.isOpen || attendee.ours !== channel) return
        const isLast = at + length === end
        // with its last bytes its slot is free
        const queue = isLast && this.#queue.length === 0 ? 0 : this.ahead(participation.size)
        const message: PieceMessage = { type: 'piece', channel, piece, offset: at - start, length, queue }
        await link.sendPiece(message, buffer.subarray(0, length))
        at += length
        job.isSent = isLast
        this.#count(attendee, length)
      } finally {
        if (this.#free.length < MAX_FREE_BUFFERS) this.#free.push(buffer)
      }
    }
  }

  #need ({ member, session, piece }: UploadJob): UploadNeed {
    const participation = this.#jobs.get(keyOf({ member, session, piece }))?.attendee.participation
    if (participation === undefined) return { isSmall: false, pieceLength: MIN_PIECE_LENGTH, isFar: false, held: 1, holders: Infinity }
    const facts = participation.session.members.get(member)
    let sent = 0
    for (const job of this.#jobs.values()) {
      if (job.piece === piece && job.attendee.participation === participation && job.member !== member) sent++
    }
    return {
      isSmall: participation.size <= SMALL_BYTES,
      pieceLength: participation.session.pieceLength,
      isFar: participation.size > SMALL_BYTES && participation.session.isOutsider(member),
      held: (facts?.held.count ?? 0) / Math.max(1, participation.session.pieces),
      holders: participation.session.availability.of(piece) + sent
    }
  }

  #count (attendee: Attendee, bytes: number): void {
    const key = `${attendee.peer} ${attendee.participation.digest}`
    const served = this.#served.get(key) ?? { attendee, bytes: 0 }
    served.bytes += bytes
    this.#served.set(key, served)
    if (served.bytes >= SERVED_EVENT_BYTES) this.#tellServed(attendee)
  }

  #tellServed (attendee: Attendee): void {
    const key = `${attendee.peer} ${attendee.participation.digest}`
    const served = this.#served.get(key)
    if (served === undefined) return
    this.#served.delete(key)
    this.#events.emit({ type: 'peer:served', peer: attendee.peer, digest: attendee.participation.digest, bytes: served.bytes })
  }
}

/** @throws RangeError when the source ends early */
async function fill (source: { read (buffer: Uint8Array, position: number): Promise<number> }, buffer: Uint8Array, position: number, length: number): Promise<number> {
  let filled = 0
  while (filled < length) {
    const read = await source.read(buffer.subarray(filled, length), position + filled)
    if (read === 0) throw new RangeError(`no byte at ${position + filled}`)
    filled += read
  }
  return filled
}

function keyOf ({ member, session, piece }: UploadJob): string {
  return `${member} ${session} ${piece}`
}
