import type { LinkHandlers, SwarmLink } from '../net/swarm-link.ts'
import type { HelloMessage } from '../net/swarm-message.ts'

/** The links to other agents, as the exchange uses them. */
export interface ExchangeLinks {
  use (handlers: LinkHandlers, hello: Omit<HelloMessage, 'type'>): void
  open (): SwarmLink[]
  of (peer: string): SwarmLink | undefined
  connect (peer: string, options?: { signal?: AbortSignal, addresses?: readonly string[] }): Promise<SwarmLink>
  /** Where others reach a peer, as far as we know. */
  addressesOf (peer: string): readonly string[]
}
