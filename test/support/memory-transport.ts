import { LaneClosedError, type FrameTransport } from '../../src/net/frame-transport.ts'

/** What comes at a time. */
const MAX_DELIVERY_BYTES = 50_000

interface Packet {
  readonly bytes: Uint8Array
  /** Bytes that the other side has had. */
  at: number
  readonly sent: () => void
  readonly failed: (error: Error) => void
}

/** One end of a lane in memory that keeps the contract of `FrameTransport`. What is sent comes on a later turn of the loop. */
export class MemoryTransport implements FrameTransport {
  readonly lane: FrameTransport['lane']
  /** Bytes of each send, in order. */
  readonly sends: number[] = []
  /** Ends that were asked for from this side: `close` or `abort`. */
  ended: 'close' | 'abort' | undefined
  #other: MemoryTransport | undefined
  #onBytes: FrameTransport['onBytes']
  #onClosed: FrameTransport['onClosed']
  #isHeld = false
  #packets: Packet[] = []
  #isEnding = false
  #end: { readonly error: Error | undefined } | undefined
  #isEndTold = false
  #isPumping = false
  #bytesLeft = Infinity

  constructor (lane: FrameTransport['lane']) {
    this.lane = lane
  }

  /** Two ends of one lane. */
  static pair (lane: FrameTransport['lane'] = 'libp2p'): [MemoryTransport, MemoryTransport] {
    const [one, other] = [new MemoryTransport(lane), new MemoryTransport(lane)]
    one.#other = other
    other.#other = one
    return [one, other]
  }

  get onBytes (): FrameTransport['onBytes'] { return this.#onBytes }

  set onBytes (handler: FrameTransport['onBytes']) {
    this.#onBytes = handler
    this.#pumpSoon()
  }

  get onClosed (): FrameTransport['onClosed'] { return this.#onClosed }

  set onClosed (handler: FrameTransport['onClosed']) {
    this.#onClosed = handler
    this.#tellEndSoon()
  }

  /** What the other side has not taken. */
  get unsentBytes (): number {
    if (this.#other === undefined) return 0
    return this.#other.#packets.reduce((sum, { bytes, at }) => sum + bytes.length - at, 0)
  }

  /** Takes nothing of what comes, until `resume`. */
  pause (): void {
    this.#isHeld = true
  }

  resume (): void {
    this.#isHeld = false
    this.#pumpSoon()
  }

  /** Breaks, for both sides, when so many more bytes have come to this one. */
  cutAfter (bytes: number): void {
    this.#bytesLeft = bytes
  }

  async send (parts: readonly Uint8Array[]): Promise<void> {
    const other = this.#other
    if (this.#end !== undefined || this.ended !== undefined || other === undefined) throw new LaneClosedError(this.lane)
    const bytes = Uint8Array.from(Buffer.concat(parts))
    this.sends.push(bytes.length)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    other.#packets.push({ bytes, at: 0, sent: resolve, failed: reject })
    other.#pumpSoon()
    await promise
  }

  async close (): Promise<void> {
    if (this.ended !== undefined) return
    this.ended = 'close'
    if (this.#other !== undefined) {
      this.#other.#isEnding = true
      this.#other.#pumpSoon()
    }
    this.#finish(undefined)
  }

  abort (reason: Error): void {
    if (this.ended !== undefined) return
    this.ended = 'abort'
    this.#finish(reason)
    this.#other?.cut(new Error('the other side aborted'))
  }

  /** It breaks, for this side. */
  cut (error: Error): void {
    this.#finish(error)
  }

  #pumpSoon (): void {
    if (this.#isPumping) return
    this.#isPumping = true
    setImmediate(() => {
      this.#isPumping = false
      this.#pump()
    })
  }

  #pump (): void {
    const packet = this.#packets[0]
    if (packet !== undefined && this.#onBytes !== undefined && !this.#isHeld && this.#end === undefined) {
      const bytes = packet.bytes.subarray(packet.at, packet.at + Math.min(MAX_DELIVERY_BYTES, this.#bytesLeft))
      packet.at += bytes.length
      this.#bytesLeft -= bytes.length
      this.#onBytes(bytes)
      // lent: whoever kept it sees it change
      bytes.fill(0xee)
      if (this.#bytesLeft === 0) {
        this.#other?.cut(new Error('cut'))
        this.cut(new Error('cut'))
      } else if (packet.at === packet.bytes.length) {
        this.#packets.shift()
        packet.sent()
      }
      this.#pumpSoon()
    }
    if (this.#isEnding && this.#packets.length === 0) this.#finish(undefined)
  }

  #finish (error: Error | undefined): void {
    if (this.#end !== undefined) return
    this.#end = { error }
    for (const { failed } of this.#packets.splice(0)) failed(new LaneClosedError(this.lane))
    this.#tellEndSoon()
  }

  #tellEndSoon (): void {
    setImmediate(() => {
      if (this.#end === undefined || this.#isEndTold || this.#onClosed === undefined) return
      this.#isEndTold = true
      this.#onClosed(this.#end.error)
    })
  }
}
