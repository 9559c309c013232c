/*
 * Runs in place of an agent on hosts that are to stall or to lie, with the agent's arguments and
 * AGENT_FAULT=stalling|lying. Both take part in whatever is swarmed: one promises pieces, takes requests and sends nothing;
 * the other says to have read some from the origin, signs hashes of wrong bytes, and sends these.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { parseSwarmKey } from '../../src/net/swarm-key.ts'
import { startBadSwarmPeer } from './swarm-zoo.ts'

const { values } = parseArgs({
  strict: false,
  allowPositionals: true,
  options: {
    http: { type: 'string' },
    p2p: { type: 'string' },
    bootstrap: { type: 'string', multiple: true, default: [] },
    'swarm-key': { type: 'string' }
  }
})
const isLying = process.env.AGENT_FAULT === 'lying'
const [host, port] = String(values.http).split(':')
const keyFile = values['swarm-key']

const peer = await startBadSwarmPeer({
  behaviour: isLying ? 'honest' : 'promises and gives nothing',
  // zeros, whatever the blob is; the one that lies signs them
  content: (_digest, size) => new Uint8Array(size),
  isOwner: isLying,
  listen: [String(values.p2p)],
  bootstrap: values.bootstrap as string[],
  swarmKey: typeof keyFile === 'string' ? parseSwarmKey(readFileSync(keyFile)) : undefined
})

createServer((request, response) => {
  const isKnown = request.url === '/readyz' || request.url === '/api/v1/status'
  response.writeHead(isKnown ? 200 : 404, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify(isKnown ? { peerId: peer.peerId, peers: peer.connections() } : {}))
}).listen(Number(port), host)
