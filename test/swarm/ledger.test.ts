import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RequestLedger, type PendingRequest } from '../../src/swarm/ledger.ts'
import { Member } from '../../src/swarm/member.ts'
import { OwnershipSeed } from '../../src/swarm/ownership.ts'

const PIECES = [0, 1, 2, 3]
const steps = fc.array(fc.record({ isAdd: fc.boolean(), index: fc.nat(2), piece: fc.constantFrom(...PIECES) }), { maxLength: 80 })

function someMembers (): [Member, Member, Member] {
  return [newMember('a'), newMember('b'), newMember('c')]
}

function newMember (id: string): Member {
  return new Member(id, new OwnershipSeed('sha256:ledger', id), PIECES.length, 0)
}

describe('a ledger', () => {
  it('says the same by piece and by member as a list of what was asked, oldest first', () => {
    fc.assert(fc.property(steps, steps => {
      const ledger = new RequestLedger(PIECES.length)
      const members = someMembers()
      let model: PendingRequest[] = []
      for (const [askedAtMs, { isAdd, index, piece }] of steps.entries()) {
        const member = members[index] ?? members[0]
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
        expectSame(ledger, members, model)
      }
    }))
  })

  it('knows whether something was asked so long ago, whenever it is asked that', () => {
    fc.assert(fc.property(steps, fc.array(fc.nat(40), { minLength: 1, maxLength: 80 }), (steps, ages) => {
      const ledger = new RequestLedger(PIECES.length)
      const members = someMembers()
      let asked: PendingRequest[] = []
      for (const [nowMs, { isAdd, index, piece }] of steps.entries()) {
        const member = members[index] ?? members[0]
        if (!isAdd) {
          const removed = ledger.remove(member, piece)
          asked = asked.filter(one => one !== removed)
        } else if (!ledger.has(member, piece)) {
          const request = { member, piece, askedAtMs: nowMs }
          ledger.add(request)
          asked.push(request)
        }
        const ageMs = ages[nowMs % ages.length] ?? 0
        expect(ledger.hasOlder(nowMs, ageMs)).toBe(asked.some(({ askedAtMs }) => nowMs - askedAtMs >= ageMs))
      }
    }))
  })

  it('keeps the time of the first question when asked to add it again', () => {
    const ledger = new RequestLedger(PIECES.length)
    const [member] = someMembers()
    ledger.add({ member, piece: 0, askedAtMs: 1 })
    expect(() => { ledger.add({ member, piece: 0, askedAtMs: 2 }) }).toThrow(RangeError)
    expect(member.requests).toEqual([{ member, piece: 0, askedAtMs: 1 }])
  })
})

function expectSame (ledger: RequestLedger, members: readonly Member[], model: readonly PendingRequest[]): void {
  expect(ledger.count).toBe(model.length)
  expect(new Set(ledger.members)).toEqual(new Set(model.map(({ member }) => member)))
  for (const member of members) {
    expect(member.requests).toEqual(model.filter(one => one.member === member))
    for (const piece of PIECES) expect(ledger.has(member, piece)).toBe(model.some(one => one.member === member && one.piece === piece))
  }
  for (const piece of PIECES) expect(ledger.ofPiece(piece)).toEqual(model.filter(one => one.piece === piece))
  expect([...ledger.asked]).toEqual(PIECES.filter(piece => model.some(one => one.piece === piece)))
}
