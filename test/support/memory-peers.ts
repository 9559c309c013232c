import type { Digest } from '../../src/oci/digest.ts'
import { PeerError, type PeerErrorCode } from '../../src/net/peer-error.ts'
import type { ContentKind, ContentRead, Holding, PeerContent, PeerRequestOptions } from '../../src/net/peers.ts'
import type { Gate } from './gate.ts'

const DEFAULT_CHUNK_BYTES = 16 * 1024

/** How a peer gives one digest. */
export interface PeerBehaviour {
  /** @default 'blob' */
  readonly kind?: ContentKind
  /** Dies at these bytes, one each read; later reads are whole. */
  readonly dieAt?: readonly number[]
  /** Dies at this byte in every read. */
  readonly alwaysDiesAt?: number
  /** This byte is sent wrong. */
  readonly flipAt?: number
  /** The size it claims, and so many bytes it sends. */
  readonly size?: number
  /** The size a read claims, when it is another than that of `have`. */
  readonly readSize?: number
  /** So many questions, then so many reads are answered with `PEER_BUSY`. */
  readonly busyHaves?: number
  readonly busyReads?: number
  /** Reads fail with it. */
  readonly fails?: PeerErrorCode
  /** Answers no question until `stall` is called. */
  readonly isSilent?: boolean
  readonly restricted?: boolean
  /** Each chunk waits here. */
  readonly gate?: Gate
  /** Each answer to `have` waits here. */
  readonly haveGate?: Gate
  /** @default 16384 */
  readonly chunkBytes?: number
}

export interface PeerRequest {
  readonly type: 'have' | 'read'
  readonly peer: string
  readonly digest: Digest
  readonly start?: number
}

interface Content {
  readonly bytes: Uint8Array
  readonly behaviour: PeerBehaviour
  reads: number
  haves: number
}

/** Other agents in memory that keep the contract of `PeerContent`, and misbehave as told. */
export class MemoryPeers implements PeerContent {
  /** All that was asked, in order. */
  readonly requests: PeerRequest[] = []
  readonly #neighbours = new Set<string>()
  readonly #contents = new Map<string, Content>()
  readonly #silent = new Map<string, Array<(error: Error) => void>>()

  /** A connected peer, holding nothing yet. */
  connect (peer: string): void {
    this.#neighbours.add(peer)
  }

  disconnect (peer: string): void {
    this.#neighbours.delete(peer)
  }

  /** Lets a peer hold content; a neighbour unless told otherwise. */
  add (peer: string, digest: Digest, bytes: Uint8Array, behaviour: PeerBehaviour = {}, { isNeighbour = true }: { isNeighbour?: boolean } = {}): void {
    if (isNeighbour) this.connect(peer)
    this.#contents.set(`${peer} ${behaviour.kind ?? 'blob'} ${digest}`, { bytes, behaviour, reads: 0, haves: 0 })
  }

  /** The questions a silent peer was asked end at their deadline. */
  stall (peer: string): void {
    for (const reject of this.#silent.get(peer)?.splice(0) ?? []) reject(new PeerError('PEER_STALLED', peer, 'is silent'))
  }

  asked (type: PeerRequest['type']): string[] {
    return this.requests.filter(request => request.type === type).map(request => request.peer)
  }

  neighbours (): string[] {
    return [...this.#neighbours]
  }

  async have (peer: string, kind: ContentKind, digest: Digest, { signal }: PeerRequestOptions = {}): Promise<Holding | undefined> {
    this.requests.push({ type: 'have', peer, digest })
    signal?.throwIfAborted()
    const content = this.#contents.get(`${peer} ${kind} ${digest}`)
    if (content === undefined) return undefined
    const { behaviour } = content
    if (behaviour.isSilent === true) await this.#silence(peer, signal)
    await behaviour.haveGate?.pass(signal)
    if (content.haves++ < (behaviour.busyHaves ?? 0)) throw new PeerError('PEER_BUSY', peer, 'is busy')
    return this.#holding(peer, content)
  }

  async read (peer: string, kind: ContentKind, digest: Digest, start: number, { signal }: PeerRequestOptions = {}): Promise<ContentRead> {
    this.requests.push({ type: 'read', peer, digest, start })
    signal?.throwIfAborted()
    const content = this.#contents.get(`${peer} ${kind} ${digest}`)
    if (content === undefined) throw new PeerError('PEER_MISSING', peer, 'does not have it')
    const { behaviour } = content
    const reads = content.reads++
    if (reads < (behaviour.busyReads ?? 0)) throw new PeerError('PEER_BUSY', peer, 'is busy')
    if (behaviour.fails !== undefined) throw new PeerError(behaviour.fails, peer, 'does as the test says')
    const holding = this.#holding(peer, content)
    const size = behaviour.readSize ?? holding.size
    const end = behaviour.alwaysDiesAt ?? behaviour.dieAt?.[reads]
    return { ...holding, size, body: bodyOf(peer, claimedBytes(content, size), start, end, behaviour, signal) }
  }

  #holding (peer: string, { bytes, behaviour }: Content): Holding {
    return { peer, size: behaviour.size ?? bytes.length, restricted: behaviour.restricted ?? false }
  }

  async #silence (peer: string, signal: AbortSignal | undefined): Promise<never> {
    const { promise, reject } = Promise.withResolvers<never>()
    const waiting = this.#silent.get(peer) ?? []
    waiting.push(reject)
    this.#silent.set(peer, waiting)
    const onAbort = (): void => { reject(signal?.reason as Error) }
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }
}

/** The bytes as this peer has them: perhaps with one flipped, cut or filled up to the size it claims. */
function claimedBytes ({ bytes, behaviour }: Content, size: number): Uint8Array {
  const claimed = new Uint8Array(size)
  claimed.set(bytes.subarray(0, size))
  if (behaviour.flipAt !== undefined && behaviour.flipAt < size) claimed[behaviour.flipAt] = (claimed[behaviour.flipAt] ?? 0) ^ 1
  return claimed
}

async function * bodyOf (peer: string, bytes: Uint8Array, start: number, end: number | undefined, { gate, chunkBytes = DEFAULT_CHUNK_BYTES }: PeerBehaviour, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const stop = Math.min(end ?? bytes.length, bytes.length)
  for (let at = start; at < stop; at += chunkBytes) {
    await gate?.pass(signal)
    signal?.throwIfAborted()
    yield bytes.slice(at, Math.min(at + chunkBytes, stop))
  }
  if (end !== undefined && end < bytes.length) throw new PeerError('PEER_GONE', peer, `ended at byte ${end}`)
}
