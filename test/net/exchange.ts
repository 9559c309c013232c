import { streamPair } from '@libp2p/utils'
import type { Stream } from '@libp2p/interface'
import { EventHub, type ShoalEvent } from '../../src/events.ts'
import { BlobClient, type BlobClientInit } from '../../src/net/blob-client.ts'
import { BlobServer, type BlobServerInit } from '../../src/net/blob-server.ts'
import type { IntakePace } from '../../src/net/pace.ts'
import type { ContentKind, SharedContent } from '../../src/net/peers.ts'
import type { Digest } from '../../src/oci/digest.ts'

/** The peer id that client and server go by. */
export const PEER = 'peer'

export interface Exchange {
  readonly client: BlobClient
  readonly server: BlobServer
  readonly events: ShoalEvent[]
  /** The client's ends of the streams, in the order opened. */
  readonly streams: Stream[]
  /** Resolves when all conversations have ended at the server. */
  readonly served: () => Promise<void>
}

/** A client and a server joined by streams in memory. */
export function startExchange (content?: SharedContent, { client = {}, server = {}, intake }: { client?: BlobClientInit, server?: BlobServerInit, intake?: IntakePace } = {}): Exchange {
  const hub = new EventHub()
  const events: ShoalEvent[] = []
  hub.subscribe(event => { events.push(event) })
  const blobServer = new BlobServer({ events: hub }, server)
  if (content !== undefined) blobServer.share(content)
  const streams: Stream[] = []
  const serving: Array<Promise<void>> = []
  const blobClient = new BlobClient({
    intake,
    dialler: {
      neighbours: () => [PEER],
      isConnected: () => true,
      openStream: async () => {
        const [outbound, inbound] = await streamPair({ delay: 0, capacity: 64 })
        streams.push(outbound)
        serving.push(blobServer.serve(inbound, PEER))
        return outbound
      }
    }
  }, client)
  return { client: blobClient, server: blobServer, events, streams, served: async () => { await Promise.all(serving) } }
}

/** Content as a map, with counts of what is open and how often the store was asked to stream. */
export class MapContent implements SharedContent {
  readonly #content: ReadonlyMap<Digest, Uint8Array>
  readonly #kind: ContentKind
  readonly #chunkBytes: number
  openReaders = 0
  streams = 0

  constructor (content: Iterable<readonly [Digest, Uint8Array]>, { kind = 'blob', chunkBytes = 100_000 }: { kind?: ContentKind, chunkBytes?: number } = {}) {
    this.#content = new Map(content)
    this.#kind = kind
    this.#chunkBytes = chunkBytes
  }

  open: SharedContent['open'] = async (kind, digest) => {
    const bytes = kind === this.#kind ? this.#content.get(digest) : undefined
    if (bytes === undefined) return undefined
    this.openReaders++
    return {
      size: bytes.byteLength,
      restricted: false,
      stream: ({ start, end }) => {
        this.streams++
        return this.#chunks(bytes.subarray(start, end))
      },
      close: async () => { this.openReaders-- }
    }
  }

  async * #chunks (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.byteLength; at += this.#chunkBytes) yield bytes.subarray(at, at + this.#chunkBytes)
  }
}

export async function collect (body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}
