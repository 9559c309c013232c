import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { slotsOf, UploadQueue, type UploadJob, type UploadNeed, type UploadQueueInit } from '../../src/swarm/upload-queue.ts'

const KIB = 1024
const ORDINARY: UploadNeed = { isSmall: false, isFar: false, held: 0.5, holders: 1, pieceLength: 128 * KIB }

function job (member: string, piece = 0): UploadJob {
  return { member, session: 'blob', piece }
}

function queueOf (init: UploadQueueInit, needs: Readonly<Record<string, Partial<UploadNeed>>> = {}): UploadQueue {
  return new UploadQueue(({ member, piece }) => ({ ...ORDINARY, ...needs[member], ...needs[`${member}${piece}`] }), init)
}

/** Begins all that may be begun. */
function serve (queue: UploadQueue): UploadJob[] {
  const begun: UploadJob[] = []
  for (let next = queue.next(); next !== undefined; next = queue.next()) begun.push(next)
  return begun
}

it('says how many come before another: none while a slot is free', () => {
  const queue = queueOf({ slots: 2, maxQueued: 4 })
  const ahead = ['a', 'b', 'c', 'd'].map(member => {
    queue.add(job(member))
    serve(queue)
    return queue.ahead(128 * KIB)
  })
  expect(ahead).toEqual([0, 1, 2, 3])
  queue.done(job('a'))
  expect(queue.ahead(128 * KIB)).toBe(0)
})

describe('large pieces', () => {
  const many = (member: string): UploadJob[] => Array.from({ length: 12 }, (_, index) => job(`${member}${index}`, index))
  const needs = Object.fromEntries(many('large').map(({ member }) => [member, { pieceLength: 2048 * KIB }]))

  it.each([[1, 1], [3, 5], [6, 10]])('have two thirds of the slots more, which are free as long as these are: of %i slots %i', (slots, all) => {
    const queue = queueOf({ slots, maxQueued: 12 }, needs)
    const ahead = many('large').slice(0, all + 1).map(large => {
      queue.add(large)
      serve(queue)
      return queue.ahead(2048 * KIB)
    })
    expect(ahead).toEqual([...Array.from({ length: all - 1 }, () => 0), 1, 2])
    expect(queue.active).toBe(all)
  })

  it.each([[512, 6], [1024, 8], [2048, 10], [4096, 10]])('have the more slots the larger they are: of %i KiB %i', (kib, slots) => {
    expect(slotsOf(kib * KIB)).toBe(slots)
    const queue = queueOf({ maxQueued: 12 }, Object.fromEntries(many('any').map(({ member }) => [member, { pieceLength: kib * KIB }])))
    for (const any of many('any')) queue.add(any)
    expect(serve(queue)).toHaveLength(slots)
    expect(queue.ahead(kib * KIB)).toBe(1 + 12 - slots)
  })

  it('of middle size do not see the slots that larger ones have beyond theirs', () => {
    const queue = queueOf({ maxQueued: 24 }, { ...needs, ...Object.fromEntries(many('middle').map(({ member }) => [member, { pieceLength: 1024 * KIB }])) })
    for (const large of many('large')) queue.add(large)
    expect(serve(queue)).toHaveLength(10)
    for (const middle of many('middle')) queue.add({ ...middle })
    expect(queue.ahead(1024 * KIB)).toBeGreaterThan(0)
    for (const large of many('large').slice(0, 2)) queue.done(large)
    queue.drop(({ member }) => member.startsWith('large'))
    expect(serve(queue)).toHaveLength(2)
  })

  it('do not keep others from theirs', () => {
    const queue = queueOf({ slots: 3, maxQueued: 24 }, { ...needs, other0: { holders: 0 } })
    const [first, ...rest] = many('large') as [UploadJob, ...UploadJob[]]
    for (const large of [first, ...rest]) queue.add(large)
    expect(serve(queue)).toHaveLength(5)
    const [other] = many('other') as [UploadJob]
    queue.add(other)
    expect(serve(queue)).toEqual([])
    queue.done(first)
    expect(serve(queue)).toEqual([other])
  })

  it('give others no slots', () => {
    const queue = queueOf({ slots: 3, maxQueued: 24 }, needs)
    for (const other of many('other')) queue.add(other)
    expect(serve(queue)).toHaveLength(3)
    expect(queue.ahead(128 * KIB)).toBeGreaterThan(0)
    for (const large of many('large')) queue.add(large)
    expect(serve(queue)).toHaveLength(2)
  })
})

describe('who is served', () => {
  it.each<[string, Record<string, Partial<UploadNeed>>, string]>([
    ['who asked first, among equals', {}, 'a'],
    ['a small blob', { b: { isSmall: true, holders: 9 } }, 'b'],
    ['the rarest piece', { a: { holders: 3, held: 0 }, b: { holders: 2 } }, 'b'],
    ['of equally rare pieces the neediest member', { a: { held: 0.6 } }, 'b']
  ])('first is %s', (_, needs, first) => {
    const queue = queueOf({ slots: 1 }, needs)
    queue.add(job('a'))
    queue.add(job('b'))
    expect(queue.next()?.member).toBe(first)
  })

  it('is a member that gets nothing yet, before the rarest piece', () => {
    const queue = queueOf({ slots: 2 }, { a: { holders: 1, pieceLength: 128 * KIB }, b: { holders: 5 } })
    queue.add(job('a', 0))
    queue.add(job('a', 1))
    queue.add(job('b'))
    expect(serve(queue)).toEqual([job('a', 0), job('b')])
  })

  it('is judged anew at each choice', () => {
    const needs: Record<string, Partial<UploadNeed>> = { b: { holders: 2 }, c: { holders: 3 } }
    const queue = queueOf({ slots: 1 }, needs)
    for (const member of ['a', 'b', 'c']) queue.add(job(member))
    expect(queue.next()).toEqual(job('a'))
    needs.c = { holders: 1, pieceLength: 128 * KIB }
    queue.done(job('a'))
    expect(queue.next()).toEqual(job('c'))
  })

  it('are small blobs in two places more, when all slots are taken by large ones', () => {
    const queue = queueOf({ slots: 2, slotsPerMember: 2 }, { a2: { isSmall: true }, a3: { isSmall: true }, b: { isSmall: true } })
    for (const piece of [0, 1]) queue.add(job('a', piece))
    expect(serve(queue)).toHaveLength(2)
    for (const asked of [job('a', 2), job('a', 3), job('b'), job('c')]) queue.add(asked)
    expect(serve(queue)).toEqual([job('b'), job('a', 2)])
    queue.done(job('b'))
    expect(serve(queue)).toEqual([job('a', 3)])
  })

  it('has so many slots at a time and no more, until one is done', () => {
    const queue = queueOf({ slots: 6, slotsPerMember: 2 })
    for (const piece of [0, 1, 2]) queue.add(job('a', piece))
    expect(serve(queue)).toEqual([job('a', 0), job('a', 1)])
    queue.done(job('a', 0))
    expect(serve(queue)).toEqual([job('a', 2)])
  })
})

describe('what finds no room', () => {
  it.each<[string, Record<string, Partial<UploadNeed>>, UploadJob]>([
    ['the last to come, among equals', {}, job('d')],
    ['the piece that most hold', { b: { holders: 4 } }, job('b')],
    ['the least needy member', { c: { held: 0.9 } }, job('c')],
    ['another than a small blob', { d: { isSmall: true, holders: 9, held: 0.9 } }, job('c')]
  ])('is %s', (_, needs, refused) => {
    const queue = queueOf({ slots: 1, maxQueued: 2 }, needs)
    queue.add(job('a'))
    queue.next()
    queue.add(job('b'))
    queue.add(job('c'))
    expect(queue.add(job('d'))).toEqual(refused)
    expect(queue.length).toBe(2)
  })

  it('is of the member that is being served, so that nobody keeps the others out', () => {
    const queue = queueOf({ slots: 2, slotsPerMember: 1, maxQueued: 2 })
    for (const piece of [0, 1, 2]) {
      queue.add(job('a', piece))
      serve(queue)
    }
    queue.add(job('a', 3))
    expect(queue.add(job('b'))).toEqual(job('a', 3))
    expect(queue.next()).toEqual(job('b'))
  })

  it('is not what was asked for already, waiting or on its way', () => {
    const queue = queueOf({ slots: 1, maxQueued: 1 })
    queue.add(job('a'))
    queue.next()
    queue.add(job('b'))
    expect(queue.add(job('a'))).toBeUndefined()
    expect(queue.add(job('b'))).toBeUndefined()
    expect(queue.length).toBe(1)
  })
})

describe('far members', () => {
  const far = { isFar: true }
  const needs = { f: far, g: far, h: far, i: far, j: far, k: far, l: far }

  it('have all slots and all of the queue while no near one is there', () => {
    const queue = queueOf({ slots: 6, maxQueued: 2 }, needs)
    for (const member of ['f', 'g', 'h', 'i', 'j', 'k', 'l']) expect(queue.add(job(member))).toBeUndefined()
    expect(serve(queue)).toHaveLength(6)
    expect(queue.length).toBe(1)
  })

  it('have a third of the slots beside near ones, and one request more that waits', () => {
    const queue = queueOf({ slots: 6, maxQueued: 4 }, needs)
    queue.add(job('a'))
    expect(serve(queue)).toHaveLength(1)
    expect(['f', 'g', 'h', 'i'].map(member => queue.add(job(member)))).toEqual([undefined, undefined, undefined, job('i')])
    expect(serve(queue)).toEqual([job('f'), job('g')])
    expect(queue.add(job('j'))).toEqual(job('j'))
    queue.done(job('a'))
    expect(serve(queue)).toEqual([job('h')])
  })

  it('make near ones wait for no more than their third, whatever they have', () => {
    const queue = queueOf({ slots: 6 }, needs)
    for (const member of ['f', 'g', 'h', 'i', 'j', 'k']) queue.add(job(member))
    expect(serve(queue)).toHaveLength(6)
    for (const member of ['a', 'b', 'c', 'd', 'e']) queue.add(job(member))
    expect(serve(queue).map(({ member }) => member)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('come after near ones, but for the first of them: zones are no islands', () => {
    const queue = queueOf({ slots: 3, maxQueued: 8 }, needs)
    for (const member of ['f', 'g', 'a', 'b', 'c', 'd']) queue.add(job(member))
    expect(serve(queue).map(({ member }) => member)).toEqual(['f', 'a', 'b'])
    queue.done(job('f'))
    expect(serve(queue)).toEqual([job('g')])
  })

  it('are refused nothing for the many requests of near ones', () => {
    const queue = queueOf({ slots: 1, maxQueued: 2 }, needs)
    queue.add(job('a'))
    serve(queue)
    for (const member of ['b', 'c', 'f']) expect(queue.add(job(member))).toBeUndefined()
    expect(queue.add(job('d'))).toEqual(job('d'))
    queue.done(job('a'))
    expect(serve(queue)).toEqual([job('f')])
  })
})

describe('a request', () => {
  it('that waits can be cancelled, one that is on its way cannot', () => {
    const queue = queueOf({ slots: 1 })
    queue.add(job('a'))
    queue.add(job('b'))
    queue.next()
    expect(queue.cancel(job('b'))).toBe(true)
    expect(queue.cancel(job('b'))).toBe(false)
    expect(queue.cancel(job('a'))).toBe(false)
    expect(queue).toMatchObject({ length: 0, active: 1 })
  })

  it('is done once', () => {
    const queue = queueOf({ slots: 2, slotsPerMember: 1 })
    queue.add(job('a', 0))
    queue.next()
    queue.add(job('a', 1))
    queue.done(job('a', 1))
    expect(queue.next()).toBeUndefined()
    queue.done(job('a', 0))
    queue.done(job('a', 0))
    expect(serve(queue)).toEqual([job('a', 1)])
    expect(queue.active).toBe(1)
  })

  it('of who is dropped waits no more, and the others do', () => {
    const queue = queueOf({ slots: 1 })
    for (const member of ['a', 'b', 'c', 'b']) queue.add(job(member))
    queue.drop(({ member }) => member === 'b')
    queue.next()
    expect(queue).toMatchObject({ length: 1, active: 1 })
  })
})

it('is bounded, serves within its limits, and never is idle while somebody waits who may be served', () => {
  const members = ['a', 'b', 'c', 'd', 'e']
  const steps = fc.array(fc.record({
    act: fc.constantFrom('add' as const, 'add' as const, 'done' as const, 'cancel' as const, 'drop' as const),
    member: fc.constantFrom(...members),
    piece: fc.nat(8),
    holders: fc.nat(3)
  }), { maxLength: 100 })
  const isFar = (member: string): boolean => member === 'd' || member === 'e'
  const limits = fc.record({ slots: fc.integer({ min: 1, max: 4 }), slotsPerMember: fc.integer({ min: 1, max: 3 }), maxQueued: fc.nat(4) })
  fc.assert(fc.property(limits, steps, (init, steps) => {
    let holders = 0
    const queue = new UploadQueue(({ member }) => ({ ...ORDINARY, holders, isFar: isFar(member) }), init)
    const active: UploadJob[] = []
    let waiting: UploadJob[] = []
    for (const step of steps) {
      const one = job(step.member, step.piece)
      const isSame = (other: UploadJob): boolean => other.member === one.member && other.piece === one.piece
      holders = step.holders
      if (step.act === 'add') {
        if (!active.some(isSame) && !waiting.some(isSame)) waiting.push(one)
        const refused = queue.add(one)
        if (refused !== undefined) waiting = waiting.filter(other => other !== refused)
      } else if (step.act === 'cancel') {
        expect(queue.cancel(one)).toBe(waiting.some(isSame))
        waiting = waiting.filter(other => !isSame(other))
      } else if (step.act === 'drop') {
        queue.drop(({ member }) => member === one.member)
        waiting = waiting.filter(({ member }) => member !== one.member)
      } else {
        const [done] = active.splice(0, 1)
        if (done !== undefined) queue.done(done)
      }
      for (const begun of serve(queue)) {
        active.push(begun)
        waiting = waiting.filter(other => other !== begun)
      }
      const activeOf = (member: string): number => active.filter(other => other.member === member).length
      expect(queue).toMatchObject({ length: waiting.length, active: active.length })
      for (const isOfFar of [true, false]) expect(active.filter(({ member }) => isFar(member) === isOfFar).length).toBeLessThanOrEqual(init.slots)
      for (const member of members) expect(activeOf(member)).toBeLessThanOrEqual(init.slotsPerMember)
      expect(waiting.length).toBeLessThanOrEqual(init.maxQueued + 2 * init.slots + 1)
      const hasNear = [...active, ...waiting].some(({ member }) => !isFar(member))
      const mayBeServed = waiting.filter(({ member }) => activeOf(member) < init.slotsPerMember && !(hasNear && isFar(member)))
      if (active.length < init.slots) expect(mayBeServed).toEqual([])
    }
  }))
})
