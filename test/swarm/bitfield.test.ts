import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bitfield } from '../../src/swarm/bitfield.ts'

const lengths = fc.integer({ min: 0, max: 300 })
const fields = lengths.chain(length => fc.record({ length: fc.constant(length), pieces: fc.uniqueArray(fc.nat(Math.max(0, length - 1)), { maxLength: length }) }))

function fieldOf (length: number, pieces: Iterable<number>): Bitfield {
  const field = new Bitfield(length)
  for (const piece of pieces) field.add(piece)
  return field
}

describe('a bitfield', () => {
  it('is the same after a trip over the wire', () => {
    fc.assert(fc.property(fields, ({ length, pieces }) => {
      const field = Bitfield.fromBytes(fieldOf(length, pieces).toBytes(), length)
      expect([...field ?? []]).toEqual(pieces.toSorted((a, b) => a - b))
      expect(field?.count).toBe(pieces.length)
      expect(field?.isFull).toBe(pieces.length === length)
    }))
  })

  it('finds the first piece that is lacking from any on', () => {
    fc.assert(fc.property(fields, fc.nat(310), ({ length, pieces }, from) => {
      let expected = Math.min(from, length)
      while (expected < length && pieces.includes(expected)) expected++
      expect(fieldOf(length, pieces).nextLacking(from)).toBe(expected)
      expect(Bitfield.full(length).nextLacking(from)).toBe(length)
    }))
  })

  it('counts what a set of the same pieces counts, whatever is added and removed', () => {
    const steps = fc.array(fc.record({ isAdd: fc.boolean(), piece: fc.nat(20) }), { maxLength: 100 })
    fc.assert(fc.property(steps, steps => {
      const field = new Bitfield(21)
      const model = new Set<number>()
      for (const { isAdd, piece } of steps) {
        const changes = isAdd !== model.has(piece)
        expect(isAdd ? field.add(piece) : field.remove(piece)).toBe(changes)
        if (isAdd) model.add(piece)
        else model.delete(piece)
        expect(field.count).toBe(model.size)
        expect(field.has(piece)).toBe(isAdd)
      }
      expect(new Set(field)).toEqual(model)
    }))
  })

  it.each([
    [0, []],
    [1, [0b1000_0000]],
    [8, [0b1111_1111]],
    [9, [0b1111_1111, 0b1000_0000]]
  ])('of all %i pieces is the bytes %j', (length, bytes) => {
    const full = Bitfield.full(length)
    expect([...full.toBytes()]).toEqual(bytes)
    expect(full.isFull).toBe(true)
  })

  it('has piece 0 in the most significant bit of the first byte', () => {
    expect([...fieldOf(12, [0, 3, 9]).toBytes()]).toEqual([0b1001_0000, 0b0100_0000])
  })

  it.each([[9, 1], [9, 3], [8, 2], [0, 1], [1, 0]])('of %i pieces is not read from %i bytes', (length, bytes) => {
    expect(Bitfield.fromBytes(new Uint8Array(bytes), length)).toBeUndefined()
  })

  it('is not read from bytes with a bit behind the last piece', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 300 }).filter(length => length % 8 !== 0), fc.nat(7), (length, bit) => {
      const bytes = new Uint8Array(Math.ceil(length / 8))
      bytes[bytes.length - 1] = 1 << bit
      const isSpare = bytes.length * 8 - 1 - bit >= length
      expect(Bitfield.fromBytes(bytes, length) === undefined).toBe(isSpare)
    }))
  })

  it.each([-1, 9, 0.5, NaN, Infinity])('of 9 pieces refuses piece %d, and has it not', piece => {
    const field = Bitfield.full(9)
    expect(() => field.add(piece)).toThrow(RangeError)
    expect(() => field.remove(piece)).toThrow(RangeError)
    if (Number.isInteger(piece)) expect(field.has(piece)).toBe(false)
  })

  it('given out as bytes cannot be changed through them', () => {
    const field = fieldOf(8, [1])
    field.toBytes().fill(0xff)
    expect([...field]).toEqual([1])
  })

  it('tells its pieces one after the other, and whether it has one that another lacks', () => {
    fc.assert(fc.property(fields, fields, ({ length, pieces }, { pieces: others }) => {
      const field = fieldOf(length, pieces)
      const sorted = pieces.toSorted((a, b) => a - b)
      for (let from = 0; from <= length; from++) expect(field.next(from)).toBe(sorted.find(piece => piece >= from) ?? -1)
      const other = fieldOf(length, others.filter(piece => piece < length))
      expect(field.exceeds(other)).toBe(pieces.some(piece => !others.includes(piece)))
    }), { numRuns: 30 })
  })

  it('takes over what another of the same length holds, which may change without it', () => {
    fc.assert(fc.property(fields.filter(({ length }) => length > 0), ({ length, pieces }) => {
      const [field, other] = [fieldOf(length, [0]), fieldOf(length, pieces)]
      field.assign(other)
      for (const piece of pieces) other.remove(piece)
      expect([...field]).toEqual(pieces.toSorted((a, b) => a - b))
      expect(field.count).toBe(pieces.length)
    }))
    expect(() => { new Bitfield(8).assign(new Bitfield(9)) }).toThrow(RangeError)
  })
})
