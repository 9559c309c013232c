import type { EventSink } from '../events.ts'
import type { BlobClientInit } from './blob-client.ts'
import type { BlobServerInit } from './blob-server.ts'
import type { IntakePace } from './pace.ts'

export interface SwarmNodeComponents {
  readonly events: EventSink
  /** How fast bytes may come from other agents. @default as fast as they do */
  readonly intake?: IntakePace
}

export interface SwarmNodeInit {
  /** Multiaddrs to listen on, TCP; port 0 takes any. */
  readonly listen: readonly string[]
  /** Multiaddrs to tell others instead of those listened on. @default those listened on */
  readonly announce?: readonly string[]
  /** Multiaddrs of peers to enter the swarm by, with or without `/p2p/<id>`. @default none */
  readonly bootstrap?: readonly string[]
  /** Find peers on the local network and be found there. @default false */
  readonly mdns?: boolean
  /** Where the identity and what is known of the network are kept. @default nowhere: another peer each time */
  readonly dataDirectory?: string
  /** The text of a swarm key file; only agents with the same key connect. @default an open swarm */
  readonly swarmKey?: Uint8Array | string
  /** What peers see as our version. @default 'shoal' */
  readonly agentVersion?: string
  /** @default 600 */
  readonly maxConnections?: number
  /** How long `connect` and each dial of the rejoin loop may take, in ms. @default 5000 */
  readonly connectTimeoutMs?: number
  /** Where direct lanes are taken; port 0 takes any, and so does one that is in use. @default none are */
  readonly direct?: { readonly host: string, readonly port: number }
  readonly client?: BlobClientInit
  readonly server?: BlobServerInit
  /** Milliseconds. @default Date.now */
  readonly now?: () => number
}

export interface PeerConnection {
  /** Peer id in text form. */
  readonly peer: string
  /** Multiaddr in text form. */
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
  /** Last measured round trip, once there is one. */
  readonly rttMs?: number
}
