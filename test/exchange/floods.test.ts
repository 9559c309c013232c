import { createHash } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { signAttestation } from '../../src/net/swarm-attestation.ts'
import { encodeMessage } from '../../src/net/swarm-encode.ts'
import type { JoinMessage, SwarmMessage } from '../../src/net/swarm-message.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { bytesOf, pullBlob, repository } from '../pull/kit.ts'
import { Gate } from '../support/gate.ts'
import { SwarmOfAgents, type SwarmAgent } from '../support/swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'

const SIZE = 40 * MIN_PIECE_LENGTH + 7
const bytes = bytesOf(SIZE)
const digest = digestOf(bytes)
/** Messages sent together. */
const BATCH = 500
/** Who may say so many is not stopped. */
const TOO_MANY = 400_000
const channel = 1
let swarm: SwarmOfAgents

beforeEach(() => { swarm = new SwarmOfAgents() })
afterEach(async () => { await swarm.close() })

/** Links a peer to the agent that joins the blob and then says whatever comes next, as fast as it is taken, until it is cut off. */
async function flood (agent: SwarmAgent, next: (index: number) => SwarmMessage[]): Promise<{ readonly peer: string, readonly said: Promise<number> }> {
  const other = await swarm.add()
  const joined = Promise.withResolvers<void>()
  let isOver = false
  other.links.use({ onOpen () {}, onMessage: (_link, { type }) => { if (type === 'join') joined.resolve() }, onBody () {}, onClosed: () => { isOver = true } }, { leech: false })
  const link = await other.links.connect(agent.peer)
  link.send(joinOf())
  await joined.promise
  const lane = other.links.transports.get(agent.peer)
  const say = async (): Promise<number> => {
    let said = 0
    while (!isOver && said < TOO_MANY) {
      const batch = Array.from({ length: BATCH }, (_, index) => next(said + index)).flat()
      await lane?.send(batch.map(message => encodeMessage(message))).catch(() => { isOver = true })
      said += batch.length
    }
    return said
  }
  return { peer: other.peer, said: say() }
}

function joinOf (facts: Partial<JoinMessage> = {}): JoinMessage {
  return { type: 'join', channel, kind: 'blob', digest, size: SIZE, restricted: false, complete: false, leech: false, readsOrigin: false, ...facts }
}

const field = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0x80)
const somebody = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
/** A peer id that nobody has. */
const nobody = (index: number): string => somebody.slice(0, -6) + index.toString(36).padStart(6, 'a').replace(/[0lIO]/g, 'z')
const key = await generateKeyPair('Ed25519')
const lists = Array.from({ length: 500 }, (_, index) => signAttestation(key, {
  digest, size: SIZE, hashes: Array.from({ length: 41 }, (_, piece) => ({ piece, sha256: createHash('sha256').update(`${index} ${piece}`).digest() }))
}).bytes)

const kinds: ReadonlyArray<[string, (index: number) => SwarmMessage[]]> = [
  ['haves', () => [{ type: 'have', channel, pieces: [0], queue: 0 }]],
  ['takes and releases', () => [{ type: 'take', channel, pieces: [0] }, { type: 'release', channel, pieces: [0] }]],
  ['requests', () => [{ type: 'request', channel, pieces: Array.from({ length: 41 }, (_, piece) => piece) }]],
  ['cancels', () => [{ type: 'cancel', channel, pieces: [3] }]],
  ['rejects', () => [{ type: 'reject', channel, pieces: [3], reason: 'busy', queue: 0 }]],
  ['pings', index => [{ type: 'ping', nonce: index }]],
  ['members', index => [{ type: 'members', of: 1, members: Array.from({ length: 8 }, (_, member) => ({ peer: nobody(index * 8 + member), addresses: ['/ip4/192.0.2.1/tcp/1'] })) }]],
  ['attestations', index => [{ type: 'attest', channel, attestation: lists[index % lists.length] ?? key.raw }]],
  ['joins of the blob, and leaves', () => [{ type: 'leave', channel }, joinOf({ bitfield: field })]],
  ['joins of other blobs, and leaves', index => [joinOf({ channel: 2, digest: digestOf(Buffer.from(`${index}`)) }), { type: 'leave', channel: 2 }]],
  ['joins of other blobs', index => [joinOf({ channel: index + 2, digest: digestOf(Buffer.from(`${index}`)), size: 100 * SIZE })]]
]

describe('a member that floods with', () => {
  it.each(kinds)('%s is stopped and banned, and the pull beside it ends well', async (_what, next) => {
    const gate = new Gate()
    const [seeder, agent] = [await swarm.add({ pace: { pass: async () => gate.pass() } }), await swarm.add({ originPolicy: 'never' })]
    await seeder.seed(digest, bytes)
    await swarm.link(seeder, agent)
    await agent.describe(repository, digest, SIZE)
    const pulling = pullBlob(agent.puller(), digest)
    await gate.reached()
    const flooder = await flood(agent, next)
    gate.open()
    expect(Buffer.compare(await pulling, bytes)).toBe(0)
    expect(await flooder.said).toBeLessThan(TOO_MANY)
    const banned = agent.score.bans(Date.now()).map(({ peer }) => peer)
    expect(banned).toContain(flooder.peer)
    expect(banned).not.toContain(seeder.peer)
    expect(agent.links.of(flooder.peer)).toBeUndefined()
  })
})

describe('very many agents that join one blob', () => {
  it('are taken in up to a bound; the rest are told of others', async () => {
    const agent = await swarm.add()
    await agent.seed(digest, bytes)
    const answers = { join: 0, missing: 0, members: 0 }
    for (let index = 0; index < 300; index++) {
      const other = await swarm.add()
      other.links.use({
        onOpen () {},
        onMessage: (_link, { type }) => { if (type in answers) answers[type as keyof typeof answers]++ },
        onBody () {},
        onClosed () {}
      }, { leech: false })
      const link = await other.links.connect(agent.peer)
      link.send(joinOf())
    }
    await until(() => answers.join + answers.missing === 300, { what: 'an answer to each' })
    expect(answers).toEqual({ join: 256, missing: 44, members: 299 })
  })
})
