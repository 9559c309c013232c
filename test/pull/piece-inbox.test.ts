import { afterEach, describe, expect, it } from 'vitest'
import type { PieceMessage } from '../../src/net/swarm-message.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { PieceInbox } from '../../src/pull/piece-inbox.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import { EventHub } from '../../src/events.ts'
import type { PartialBlob } from '../../src/store/store.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { overriding } from '../support/overriding.ts'
import { bytesOf } from './kit.ts'

const PIECE = MIN_PIECE_LENGTH
const SIZE = 2 * PIECE
const bytes = bytesOf(SIZE)
const HALF = PIECE / 2
const stores: MemoryStore[] = []

afterEach(async () => { await Promise.all(stores.splice(0).map(async store => store.close())) })

async function setUp ({ isFull = false } = {}): Promise<{ inbox: PieceInbox, partial: PartialBlob, torn: Map<number, number> }> {
  const store = new MemoryStore({ events: new EventHub(), now: Date.now })
  stores.push(store)
  const partial = await store.openPartial(digestOf(bytes))
  await partial.setSize(SIZE)
  const torn = new Map<number, number>()
  const behind = isFull ? overriding(partial, { tryWrite: () => false }) : partial
  return { inbox: new PieceInbox(behind, SIZE, torn), partial, torn }
}

/** A Buffer, as transports lend: its `slice` is no copy. */
function chunk (piece: number, offset: number, length: number): [PieceMessage, Uint8Array, number] {
  const start = piece * PIECE + offset
  return [{ type: 'piece', channel: 1, piece, offset, length, queue: 0 }, Buffer.from(bytes.subarray(start, start + length)), 0]
}

describe.each([false, true])('an inbox (a full disk queue: %s)', isFull => {
  it('puts a piece together from its chunks, which are lent', async () => {
    const { inbox, partial } = await setUp({ isFull })
    const first = chunk(1, 0, HALF)
    expect(inbox.take('a', ...first)).toBe('more')
    first[1].fill(0)
    expect(inbox.take('a', ...chunk(1, HALF, HALF))).toBe('complete')
    await inbox.finish('a', 1)
    expect(await partial.hash({ start: PIECE, end: SIZE })).toBe(digestOf(bytes.subarray(PIECE)).slice('sha256:'.length))
    expect(partial.spans).toEqual([{ start: PIECE, end: SIZE, source: 'peer:a' }])
  })

  it('refuses what does not follow, or runs over the end', async () => {
    const { inbox } = await setUp({ isFull })
    expect(inbox.take('a', ...chunk(0, 10, 10))).toBe('refused')
    expect(inbox.take('b', { ...chunk(1, 0, PIECE)[0], length: PIECE + 1 }, new Uint8Array(10), 0)).toBe('refused')
  })

  it('takes the piece of whoever sends all of it first, and nothing of the other', async () => {
    const { inbox, partial } = await setUp({ isFull })
    inbox.take('slow', ...chunk(0, 0, HALF))
    expect(inbox.take('quick', ...chunk(0, 0, PIECE))).toBe('complete')
    await inbox.finish('quick', 0)
    expect(partial.spans).toEqual([{ start: 0, end: PIECE, source: 'peer:quick' }])
    expect(inbox.isComing(0)).toBe(false)
  })

  it('leaves nothing of a piece whose sender is gone, and takes it anew from the same', async () => {
    const { inbox, partial } = await setUp({ isFull })
    inbox.take('a', ...chunk(0, 0, HALF))
    inbox.drop('a')
    await inbox.erased()
    expect([partial.spans, inbox.isComing(0)]).toEqual([[], false])
    expect(inbox.take('a', ...chunk(0, 0, PIECE))).toBe('complete')
    inbox.drop('a')
    await inbox.finish('a', 0)
    expect(partial.has({ start: 0, end: PIECE })).toBe(true)
  })

  it('keeps the leading bytes that are the origin\'s', async () => {
    const { inbox, partial, torn } = await setUp({ isFull })
    await partial.write(0, bytes.subarray(0, 1000), 'origin')
    torn.set(0, 1000)
    inbox.take('a', ...chunk(0, 0, HALF))
    inbox.take('a', ...chunk(0, HALF, HALF))
    await inbox.finish('a', 0)
    expect(partial.spans).toEqual([{ start: 0, end: 1000, source: 'origin' }, { start: 1000, end: PIECE, source: 'peer:a' }])
    await inbox.erase(0)
    expect(partial.spans).toEqual([{ start: 0, end: 1000, source: 'origin' }])
  })
})
