import type { SwarmLink } from '../../src/net/swarm-link.ts'
import type { PieceMessage, SwarmMessage } from '../../src/net/swarm-message.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { pieceSpan } from '../../src/swarm/pieces.ts'
import type { SwarmAgent, SwarmOfAgents } from './swarm-agents.ts'
import { until } from '../../scenarios/live/until.ts'

/** The messages of a type. */
type Told<Type, Message = SwarmMessage> = Message extends { type: infer Types } ? Type extends Types ? Message : never : never

/** An agent whose words are a test's: it hears all and answers nothing by itself. */
export interface Stranger {
  readonly agent: SwarmAgent
  readonly link: SwarmLink
  readonly heard: SwarmMessage[]
  readonly bodies: Map<number, number>
  readonly ends: Array<Error | undefined>
  say (message: SwarmMessage): void
  join (facts?: Partial<Extract<SwarmMessage, { type: 'join' }>>): void
  /** Resolves with the first message of the type that fits. */
  hears<Type extends SwarmMessage['type']> (type: Type, fits?: (message: Told<Type>) => boolean): Promise<Told<Type>>
  /** Sends a piece as it stands in the blob, or in other bytes. */
  send (piece: number, init?: { readonly of?: Uint8Array }): Promise<void>
}

/** Links an agent to a stranger that knows of a blob. */
export async function meetStranger (swarm: SwarmOfAgents, agent: SwarmAgent, bytes: Uint8Array): Promise<Stranger> {
  const digest = digestOf(bytes)
  const size = bytes.length
  const other = await swarm.add()
  const heard: SwarmMessage[] = []
  const bodies = new Map<number, number>()
  const ends: Array<Error | undefined> = []
  other.links.use({
    onOpen () {},
    onMessage: (_link, message) => { heard.push(message) },
    onBody: (_link, { piece }: PieceMessage, chunk) => { bodies.set(piece, (bodies.get(piece) ?? 0) + chunk.length) },
    onClosed: (_link, error) => { ends.push(error) }
  }, { leech: false })
  const link = await other.links.connect(agent.peer)
  await agent.links.connect(other.peer)
  return {
    agent: other,
    link,
    heard,
    bodies,
    ends,
    say: message => { link.send(message) },
    join: (facts = {}) => { link.send({ type: 'join', channel: 1, kind: 'blob', digest, size, restricted: false, complete: false, leech: false, readsOrigin: false, ...facts }) },
    hears: async <Type extends SwarmMessage['type']> (type: Type, fits: (message: Told<Type>) => boolean = () => true) => until(() => heard.find((message): message is Told<Type> => message.type === type && fits(message as Told<Type>)), { what: `${type}, of ${JSON.stringify(heard.map(one => one.type))}`, timeoutMs: 3_000 }),
    send: async (piece, { of = bytes } = {}) => {
      const { start, end } = pieceSpan(size, piece)
      await link.sendPiece({ type: 'piece', channel: 1, piece, offset: 0, length: end - start, queue: 0 }, of.subarray(start, end))
    }
  }
}
