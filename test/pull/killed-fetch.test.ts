import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestAlgorithm, digestHex, digestOf } from '../../src/oci/digest.ts'
import { readJournal } from '../../src/store/journal-file.ts'
import { MIN_PIECE_LENGTH, pieceSpan } from '../../src/swarm/pieces.ts'
import { Gate } from '../support/gate.ts'
import { receivedBy, SwarmOfAgents, type SwarmAgent } from '../support/swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'
import { bytesOf, NEVER_MS, pullBlob, repository } from './kit.ts'

const PIECE = MIN_PIECE_LENGTH
const SIZE = 10 * PIECE + 1000
const bytes = bytesOf(SIZE)
const digest = digestOf(bytes)
/** Pieces that it has read when it is killed. */
const READ = [1, 2, 3, 4]
let swarm: SwarmOfAgents

beforeEach(() => { swarm = new SwarmOfAgents() })
afterEach(async () => { await swarm.close() })

/**
 * An agent that is killed when it has read and signed `READ`, but not the first piece, which a member says it reads.
 *
 * @returns how it begins again
 */
async function killedAgent (): Promise<SwarmAgent> {
  const agent = await swarm.add({ store: 'disk' })
  const gate = new Gate()
  const heard = new Set<number>()
  swarm.origin.addBlob(repository, bytes, { gate, chunkBytes: PIECE })
  const other = await swarm.add()
  other.links.use({
    onOpen () {},
    onMessage: (link, message) => {
      if (message.type === 'have') for (const piece of message.pieces) heard.add(piece)
      if (message.type !== 'join') return
      link.send({ type: 'join', channel: 1, kind: 'blob', digest, size: SIZE, restricted: false, complete: false, leech: false, readsOrigin: false, taking: [0] })
    },
    onBody () {},
    onClosed () {}
  }, { leech: false })
  await swarm.link(other, agent)
  await agent.describe(repository, digest, SIZE)
  pullBlob(agent.puller(), digest).catch(() => {})
  gate.release(READ.length)
  await until(() => gate.waiting === 1 && swarm.origin.blobStarts(digest).length === 3, { what: 'the third read' })
  await until(() => heard.size === READ.length, { what: 'word of the pieces' })
  const journal = join(agent.directory ?? '', 'partial', `${digestAlgorithm(digest)}-${digestHex(digest)}.journal`)
  await until(async () => (await readJournal(journal)).spans.length === READ.length, { what: 'the notes' })
  return agent.killed()
}

describe('what an agent has read itself beyond a gap', () => {
  it('is noted when others hear of it, survives a kill, and is not read again', async () => {
    const restarted = await killedAgent()
    const partial = await restarted.store.openPartial(digest)
    expect(partial.edge).toBe(0)
    expect(partial.spans).toEqual([{ start: PIECE, end: 5 * PIECE, source: 'origin' }])
    const hashes = READ.map(piece => createHash('sha256').update(bytes.subarray(piece * PIECE, (piece + 1) * PIECE)).digest('hex'))
    expect(partial.confirmed).toEqual(READ.map((piece, index) => ({ ...pieceSpan(SIZE, piece), sha256: hashes[index] })))
    await partial.close()

    swarm.origin.addBlob(repository, bytes)
    await restarted.describe(repository, digest, SIZE)
    expect(Buffer.compare(await pullBlob(restarted.puller(), digest), bytes)).toBe(0)
    expect(restarted.log.find(({ type }) => type === 'fetch:started')).toMatchObject({ resumedAt: READ.length * PIECE })
    expect(receivedBy(restarted)).toEqual({ peers: 0, origin: SIZE - READ.length * PIECE })
  })

  it('is given to others after a kill, though no byte comes from the origin any more', async () => {
    const restarted = await killedAgent()
    swarm.origin.addBlob(repository, bytes, { hangs: true })
    const other = await swarm.add({ originPolicy: 'never' })
    await swarm.link(restarted, other)
    const pull = async (agent: SwarmAgent): Promise<void> => {
      await agent.describe(repository, digest, SIZE)
      pullBlob(agent.puller({ searchMs: NEVER_MS }), digest).catch(() => {})
    }
    await pull(restarted)
    await until(() => restarted.log.some(({ type }) => type === 'fetch:started'), { what: 'it goes on' })
    await pull(other)
    await until(() => receivedBy(other).peers === READ.length * PIECE, { what: 'the pieces kept' })
    expect(receivedBy(restarted)).toEqual({ peers: 0, origin: 0 })
  })
})
