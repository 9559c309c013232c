import { readFile } from 'node:fs/promises'
import { ShoalError } from '../src/errors.ts'
import type { EventHub } from '../src/events.ts'
import { SwarmNode } from '../src/net/node.ts'
import type { IntakePace, Pace } from '../src/net/pace.ts'
import type { SharedContent } from '../src/net/peers.ts'
import type { Config } from './config/schema.ts'
import type { Logger } from './log.ts'

export interface SwarmStartComponents {
  readonly events: EventHub
  readonly log: Logger
  readonly share: SharedContent
  /** When bytes may go to other agents. */
  readonly pace: Pace
  /** How fast bytes may come from other agents. @default as fast as they do */
  readonly intake?: IntakePace
  readonly agentVersion: string
}

/**
 * The node, started. Where its port is taken it goes on without listening: it still reaches others, and they it while
 * such a connection lasts.
 * @throws what the identity, the database and the swarm key throw
 */
export async function startSwarmNode (config: Config, { events, log, share, pace, intake, agentVersion }: SwarmStartComponents): Promise<SwarmNode> {
  const swarmKey = config.swarmKey === undefined ? undefined : await readFile(config.swarmKey)
  const start = async (listen: readonly string[]): Promise<SwarmNode> => {
    const { timeouts } = config
    const node = new SwarmNode({ events, intake }, {
      listen,
      announce: listen.length === 0 ? [] : config.announce,
      bootstrap: config.bootstrap,
      mdns: config.mdns,
      dataDirectory: config.data,
      swarmKey,
      agentVersion,
      maxConnections: config.maxConnections,
      direct: config.direct === 'off' ? undefined : config.direct,
      client: { dialTimeoutMs: timeouts.peerDial, firstByteTimeoutMs: timeouts.peerFirstByte, chunkTimeoutMs: timeouts.stall },
      server: { pace }
    })
    node.share(share)
    await node.start()
    return node
  }
  try {
    return await start(config.p2p)
  } catch (error) {
    if (!(error instanceof ShoalError) || error.code !== 'NET_LISTEN') throw error
    log.error({ reason: error.message }, 'going on without listening for other agents; choose another address with --p2p')
    return start([])
  }
}
