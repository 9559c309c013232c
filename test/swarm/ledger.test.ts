import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RequestLedger, type PendingRequest } from '../../src/swarm/ledger.ts'

const MEMBERS = ['a', 'b', 'c']
const PIECES = [0, 1, 2, 3]
const steps = fc.array(fc.record({ isAdd: fc.boolean(), member: fc.constantFrom(...MEMBERS), piece: fc.constantFrom(...PIECES) }), { maxLength: 80 })

describe('a ledger', () => {
  it('says the same by piece and by member as a list of what was asked, oldest first', () => {
    fc.assert(fc.property(steps, steps => {
      const ledger = new RequestLedger()
      let model: PendingRequest[] = []
      for (const [askedAtMs, { isAdd, member, piece }] of steps.entries()) {
        const known = model.find(one => one.member === member && one.piece === piece)
        if (!isAdd) {
          expect(ledger.remove(member, piece)).toBe(known)
          model = model.filter(one => one !== known)
        } else if (known === undefined) {
          const request = { member, piece, askedAtMs }
          ledger.add(request)
          model.push(request)
        } else {
          expect(() => { ledger.add({ member, piece, askedAtMs }) }).toThrow(RangeError)
        }
        expectSame(ledger, model)
      }
    }))
  })

  it('keeps the time of the first question when asked to add it again', () => {
    const ledger = new RequestLedger()
    ledger.add({ member: 'a', piece: 0, askedAtMs: 1 })
    expect(() => { ledger.add({ member: 'a', piece: 0, askedAtMs: 2 }) }).toThrow(RangeError)
    expect(ledger.ofMember('a')).toEqual([{ member: 'a', piece: 0, askedAtMs: 1 }])
  })
})

function expectSame (ledger: RequestLedger, model: readonly PendingRequest[]): void {
  expect(ledger.count).toBe(model.length)
  expect(new Set(ledger)).toEqual(new Set(model))
  for (const member of MEMBERS) {
    const requests = model.filter(one => one.member === member)
    expect(ledger.ofMember(member)).toEqual(requests)
    expect(ledger.countOf(member)).toBe(requests.length)
    for (const piece of PIECES) expect(ledger.has(member, piece)).toBe(requests.some(one => one.piece === piece))
  }
  for (const piece of PIECES) {
    const requests = model.filter(one => one.piece === piece)
    expect(ledger.ofPiece(piece)).toEqual(requests)
    expect(ledger.isAsked(piece)).toBe(requests.length > 0)
  }
}
