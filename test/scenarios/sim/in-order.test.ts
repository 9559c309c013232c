import { expect, it } from 'vitest'
import { HASH_BYTES_PER_MS, InOrder } from '../../../scenarios/sim/in-order.ts'
import { Bitfield } from '../../../src/swarm/bitfield.ts'
import { pieceCount, pieceLength } from '../../../src/swarm/pieces.ts'

const BYTES = 64e6
const PIECE_MS = pieceLength(BYTES) / HASH_BYTES_PER_MS

function scene ({ isTrusted = true } = {}) {
  const held = new Bitfield(pieceCount(BYTES))
  const released = isTrusted ? held : new Bitfield(held.length)
  const read: number[] = []
  const heads: number[] = []
  const order = new InOrder({ bytes: BYTES, held, released, onRead: piece => { read.push(piece) }, onHead: head => { heads.push(head) } })
  order.begin(0)
  const came = (pieces: readonly number[], nowMs: number): void => {
    for (const piece of pieces) held.add(piece)
    order.goOn(nowMs)
  }
  return { held, released, read, heads, order, came }
}

it('what lies behind a gap is hashed and read when the gap is closed', () => {
  const { order, came, read, heads } = scene()
  came([1, 2], 100)
  expect([order.hashedAtMs, read, heads]).toEqual([0, [], [0]])
  came([0], 200)
  expect(order.hashedAtMs).toBeCloseTo(200 + 3 * PIECE_MS)
  expect([read, heads]).toEqual([[0, 1, 2], [0, 3]])
})

it('the hash goes no faster than it can', () => {
  const { order, came } = scene()
  came([0, 1, 2], 0)
  came([3], 0.001)
  expect(order.hashedAtMs).toBeCloseTo(4 * PIECE_MS)
  came([4], 1000)
  expect(order.hashedAtMs).toBeCloseTo(1000 + PIECE_MS)
})

it('a client waits for what it may not have yet, the hash does not', () => {
  const { order, came, released, read, heads } = scene({ isTrusted: false })
  came([0, 1], 0)
  expect(order.hashedAtMs).toBeCloseTo(2 * PIECE_MS)
  expect([read, heads]).toEqual([[], [0]])
  released.add(0)
  order.goOn(1)
  expect([read, heads]).toEqual([[0], [0, 1]])
})

it('what is lost is waited for, hashed and read again', () => {
  const { order, came, held, read, heads } = scene()
  came([0, 1, 2], 0)
  held.remove(1)
  order.lost([1])
  expect(heads).toEqual([0, 3, 1])
  came([1], 500)
  expect(order.hashedAtMs).toBeCloseTo(500 + 2 * PIECE_MS)
  expect([read, heads]).toEqual([[0, 1, 2, 1, 2], [0, 3, 1, 3]])
})
