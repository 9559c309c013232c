import type { EventHub } from '../src/events.ts'
import { ShoalError } from '../src/errors.ts'
import { SwarmNode } from '../src/net/node.ts'
import type { SharedContent } from '../src/net/peers.ts'
import { readFile } from 'node:fs/promises'
import type { Config } from './config/schema.ts'
import type { Logger } from './log.ts'

export interface SwarmStartComponents {
  readonly events: EventHub
  readonly log: Logger
  readonly share: SharedContent
  readonly agentVersion: string
}

/**
 * The node, started. Where its port is taken the agent goes on without a swarm: the store and the origin still serve.
 * @throws what the identity, the database and the swarm key throw
 */
export async function startSwarmNode (config: Config, { events, log, share, agentVersion }: SwarmStartComponents): Promise<SwarmNode> {
  const { timeouts } = config
  const node = new SwarmNode({ events }, {
    listen: config.p2p,
    announce: config.announce,
    bootstrap: config.bootstrap,
    mdns: config.mdns,
    dataDirectory: config.data,
    swarmKey: config.swarmKey === undefined ? undefined : await readFile(config.swarmKey),
    agentVersion,
    maxConnections: config.maxConnections,
    client: { dialTimeoutMs: timeouts.peerDial, firstByteTimeoutMs: timeouts.peerFirstByte, chunkTimeoutMs: timeouts.stall }
  })
  node.share(share)
  try {
    await node.start()
  } catch (error) {
    if (!(error instanceof ShoalError) || error.code !== 'NET_LISTEN') throw error
    log.error({ reason: error.message }, 'no swarm: going on with the store and the origins alone')
  }
  return node
}
