import { expect, it } from 'vitest'
import { checkedPieces, heldBy } from '../../src/exchange/stated-pieces.ts'
import { Bitfield } from '../../src/swarm/bitfield.ts'

it('pieces that a blob has not break the rules', () => {
  expect(checkedPieces([], 3)).toEqual([])
  expect(checkedPieces([0, 2], 3)).toEqual([0, 2])
  expect(() => checkedPieces([0, 3], 3)).toThrow('piece 3 of 3')
})

it('a peer holds all, what its bitfield says, or nothing', () => {
  const some = new Bitfield(10)
  some.add(3)
  expect([...heldBy({ complete: true }, 3)]).toEqual([0, 1, 2])
  expect([...heldBy({ complete: false }, 3)]).toEqual([])
  expect([...heldBy({ complete: false, bitfield: some.toBytes() }, 10)]).toEqual([3])
  expect(() => heldBy({ complete: false, bitfield: some.toBytes() }, 100)).toThrow('a bitfield that is not of 100 pieces')
})
