import { pieceCount, pieceSpan } from '../../src/swarm/pieces.ts'
import type { ModelClock } from './model-clock.ts'
import type { ModelHost } from './model-host.ts'
import type { ModelLink, ModelLinks, ModelTransfer } from './model-links.ts'

/** An origin that knows no ranges says so so late, in milliseconds: with the head of its answer. */
const ANSWER_MS = 10

export interface ModelOriginInit {
  /** Bytes of the blob. */
  readonly size: number
  /** Of all hosts together. */
  readonly bytesPerMs: number
  readonly knowsNoRanges: boolean
}

/** What hosts hear of their reads. */
export interface ModelOriginListener {
  /** All of a piece that the host lacked has come. */
  onPiece (host: ModelHost, piece: number): void
  /** All of the blob comes, whatever was asked. */
  onWhole (host: ModelHost): void
  /** What was asked as `start` to `end` has come, or was stopped. */
  onEnded (host: ModelHost, start: number, end: number): void
}

interface Reading {
  readonly start: number
  end: number
  transfer: ModelTransfer | undefined
}

/** The registry of the model: each host reads one run at a time, piece behind piece; all of them share its link. */
export class ModelOrigin {
  /** Bytes sent, or begun to send. */
  bytes = 0
  readonly #clock: ModelClock
  readonly #links: ModelLinks
  readonly #listener: ModelOriginListener
  readonly #init: ModelOriginInit
  readonly #link: ModelLink
  readonly #readings = new Map<ModelHost, Reading>()

  constructor ({ clock, links }: { readonly clock: ModelClock, readonly links: ModelLinks }, listener: ModelOriginListener, init: ModelOriginInit) {
    this.#clock = clock
    this.#links = links
    this.#listener = listener
    this.#init = init
    this.#link = links.add(init.bytesPerMs)
  }

  read (host: ModelHost, { start, end }: { readonly start: number, readonly end: number }): void {
    const reading: Reading = { start, end, transfer: undefined }
    this.#readings.set(host, reading)
    const pieces = pieceCount(this.#init.size)
    if (!this.#init.knowsNoRanges || pieces === 1) {
      this.#send(host, reading, start)
      return
    }
    this.#clock.after(ANSWER_MS, () => {
      if (this.#readings.get(host) !== reading) return
      this.#listener.onWhole(host)
      reading.end = pieces
      this.#send(host, reading, 0)
    })
  }

  /** What the host reads ends before this piece. */
  shorten (host: ModelHost, end: number): void {
    const reading = this.#readings.get(host)
    if (reading !== undefined) reading.end = Math.min(reading.end, end)
  }

  /** The host reads no more of it. */
  stop (host: ModelHost): void {
    const reading = this.#readings.get(host)
    if (reading === undefined) return
    const { start, end, transfer } = reading
    if (transfer !== undefined) {
      this.bytes -= Math.max(0, transfer.left - transfer.bytesPerMs * (this.#clock.nowMs - transfer.sinceMs))
      this.#links.end(transfer)
    }
    this.#readings.delete(host)
    this.#listener.onEnded(host, start, end)
  }

  #send (host: ModelHost, reading: Reading, piece: number): void {
    if (this.#readings.get(host) !== reading) return
    if (piece >= reading.end) {
      this.#readings.delete(host)
      this.#listener.onEnded(host, reading.start, reading.end)
      return
    }
    const { start, end } = pieceSpan(this.#init.size, piece)
    this.bytes += end - start
    reading.transfer = this.#links.begin([this.#link, host.down], end - start, () => {
      reading.transfer = undefined
      // what is here already passes by
      if (!host.session.held.has(piece)) this.#listener.onPiece(host, piece)
      this.#send(host, reading, piece + 1)
    })
  }
}
