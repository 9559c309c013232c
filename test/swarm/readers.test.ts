import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bitfield } from '../../src/swarm/bitfield.ts'
import { OwnershipSeed, standingOf } from '../../src/swarm/ownership.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { foremostOf, rankReaders, READERS } from '../../src/swarm/readers.ts'
import { Session, type SessionInit } from '../../src/swarm/session.ts'

const PIECES = 128
/** When all that may read have begun, in milliseconds: nobody has waited for anybody in vain yet. */
const BEGUN_MS = 1000
const standings = fc.uniqueArray(fc.nat(2 ** 32 - 1), { minLength: 1, maxLength: 40 })

describe('of those who know the same agents', () => {
  it('the same eight say that they read, and each knows the others', () => {
    fc.assert(fc.property(standings, all => {
      const readers = foremostOf(all.map(standing => ({ standing }))).map(({ standing }) => standing)
      expect(readers).toHaveLength(Math.min(READERS, all.length))
      for (const own of all) {
        const others = all.filter(standing => standing !== own).map(standing => ({ standing }))
        const { isReader, above, isCrowded, bar } = rankReaders(own, others)
        expect(isReader).toBe(readers.includes(own))
        expect(above).toBe(others.filter(({ standing }) => standing > own).length)
        expect(isCrowded).toBe(all.length > READERS)
        const before = others.map(({ standing }) => standing).filter(standing => standing >= bar)
        expect(new Set(before)).toEqual(new Set(isReader ? readers.filter(standing => standing !== own) : all.filter(standing => standing > own)))
      }
    }))
  })

  it('one from which nobody could get it is no reader, and leaves it to the eight', () => {
    fc.assert(fc.property(standings, all => {
      const { isReader, bar } = rankReaders(undefined, all.map(standing => ({ standing })))
      expect(isReader).toBe(false)
      expect(all.filter(standing => standing >= bar)).toHaveLength(Math.min(READERS, all.length))
    }))
  })

  it('a blob of one piece is begun at once by who owns it, though it is none of the eight', () => {
    const names = Array.from({ length: 40 }, (_, index) => `peer ${index}`)
    const begunBy = names.filter(self => {
      const session = new Session({ self, digest: 'sha256:small', size: 1000, originPolicy: 'frugal' })
      for (const other of names) if (other !== self) session.joined(other, { held: new Bitfield(1), readsOrigin: true }, 0)
      session.originReady(true)
      return session.decide(0, { room: 0, window: 0, runs: 1 }).length > 0
    })
    const ranked = names.map(name => ({ name, rank: new OwnershipSeed('sha256:small', name).rank(0) })).sort((a, b) => b.rank - a.rank)
    const readers = foremostOf(names.map(name => ({ name, standing: standingOf(new OwnershipSeed('sha256:small', name)) })))
    expect(begunBy).toEqual([ranked[0]?.name])
    expect(readers.map(({ name }) => name)).not.toContain(ranked[0]?.name)
  })

  it('each piece is begun by one, however they know each other, and by no other than the eight', () => {
    const swarms = fc.record({ count: fc.integer({ min: 1, max: 40 }), known: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), digest: fc.nat(1000) })
    fc.assert(fc.property(swarms, ({ count, known, digest }) => {
      const names = Array.from({ length: count }, (_, index) => `peer ${index}`)
      const begun = new Map<number, string>()
      for (const self of names) {
        const session = new Session({ self, digest: `sha256:${digest}`, size: PIECES * MIN_PIECE_LENGTH, originPolicy: 'frugal' })
        for (const [index, other] of names.entries()) {
          if (other === self) continue
          if (known[index] === true) session.joined(other, { held: new Bitfield(PIECES), readsOrigin: true }, 0)
          else session.knows([other])
        }
        session.originReady(true)
        for (const nowMs of [0, BEGUN_MS]) {
          for (const decision of session.decide(nowMs, { room: 0, window: 0, runs: PIECES })) {
            if (decision.type !== 'take') continue
            for (let piece = decision.start; piece < decision.end; piece++) {
              expect(begun.has(piece), `piece ${piece} is begun by ${begun.get(piece)} and ${self}`).toBe(false)
              begun.set(piece, self)
            }
          }
        }
      }
      expect(begun.size).toBe(PIECES)
      expect(new Set(begun.values()).size).toBeLessThanOrEqual(READERS)
    }), { numRuns: 40 })
  })
})

describe('where more fetch a blob than read it', () => {
  const DIGEST = 'sha256:many'
  const NAMES = foremostIn(Array.from({ length: 20 }, (_, index) => `peer ${index}`))

  /** The highest first. */
  function foremostIn (names: readonly string[]): string[] {
    const standing = (name: string): number => standingOf(new OwnershipSeed(DIGEST, name))
    return [...names].sort((one, other) => standing(other) - standing(one))
  }

  /** Takes part with all the others. */
  function sessionIn (place: number, init: Partial<SessionInit> = {}): Session {
    const self = NAMES[place] ?? ''
    const session = new Session({ self, digest: DIGEST, size: PIECES * MIN_PIECE_LENGTH, originPolicy: 'frugal', ...init })
    for (const other of NAMES) if (other !== self) session.joined(other, { held: new Bitfield(PIECES), readsOrigin: true }, 0)
    session.originReady(true)
    return session
  }

  function begins (session: Session, nowMs: number): boolean {
    return session.decide(nowMs, { room: 0, window: 0, runs: 1 }).some(({ type }) => type === 'take')
  }

  it('a blob of few groups is read a group by a request, from its first piece on', () => {
    const length = 8
    const begun = NAMES.flatMap(self => {
      const session = new Session({ self, digest: DIGEST, size: length * MIN_PIECE_LENGTH, originPolicy: 'frugal' })
      for (const other of NAMES) if (other !== self) session.joined(other, { held: new Bitfield(length), readsOrigin: true }, 0)
      session.originReady(true)
      return session.decide(200, { room: 0, window: 0, runs: 1 }).concat(session.decide(400, { room: 0, window: 0, runs: 1 }))
    })
    const runs = begun.flatMap(decision => decision.type === 'take' ? [[decision.start, decision.end]] : [])
    expect(runs.sort(([one = 0], [other = 0]) => one - other)).toEqual([[0, 4], [4, 8]])
  })

  it('who stands highest begins, and each next one 25 ms later', () => {
    for (let place = 0; place < READERS; place++) {
      const session = sessionIn(place)
      expect([0, 25 * place - 1, 25 * place].map(nowMs => begins(session, Math.max(0, nowMs)))).toEqual([place === 0, place === 0, true])
    }
  })

  it('of whom some are known by name only, nobody begins before those that are to read have been the same for 20 ms', () => {
    const session = new Session({ self: NAMES[3] ?? '', digest: DIGEST, size: PIECES * MIN_PIECE_LENGTH, originPolicy: 'frugal' })
    session.originReady(true)
    session.knows(NAMES.slice(10))
    expect([begins(session, 0), session.dueMs]).toEqual([false, 20])
    session.knows(NAMES.slice(19))
    expect([begins(session, 10), session.dueMs]).toEqual([false, 20])
    session.knows(NAMES.slice(0, 1))
    expect([begins(session, 15), session.dueMs]).toEqual([false, 15 + 20 + 25])
    expect([begins(session, 59.9), begins(session, 60), session.dueMs]).toEqual([false, true, undefined])
    session.knows(NAMES.slice(1, 3))
    expect([begins(session, 61), session.dueMs]).toEqual([true, undefined])
  })

  it('those who read are named to others, and to the one who asks, if it is one of them', () => {
    for (const [place, self] of NAMES.entries()) {
      const others = NAMES.filter(name => name !== self)
      expect(sessionIn(place).foremost).toEqual(others.slice(0, READERS))
      expect(sessionIn(place).fellows).toEqual(place < READERS ? others.slice(0, READERS - 1) : [])
    }
    expect(sessionIn(0, { originPolicy: 'never' }).fellows).toEqual([])
    expect(sessionIn(0, { isLeech: true }).fellows).toEqual([])
  })

  it('who is no reader reads nothing while pieces come, however slow those are that read', () => {
    for (const place of [READERS, 15, 19]) {
      const session = sessionIn(place)
      for (const [index, other] of NAMES.slice(0, READERS).entries()) session.takes(other, [index], 0)
      for (let nowMs = 0; nowMs <= 20_000; nowMs += 500) {
        for (const other of NAMES) session.has(other, [], nowMs)
        for (const [index, other] of NAMES.slice(0, READERS).entries()) session.takes(other, [index], nowMs)
        session.arrived(PIECES - 1 - nowMs / 500, NAMES[0] ?? '', nowMs)
        expect(begins(session, nowMs), `${nowMs} ms`).toBe(false)
      }
    }
  })

  it('but steps in when nothing comes at all, one after the other, and at once when those who read are gone', () => {
    const [next, after] = [sessionIn(READERS), sessionIn(READERS + 1)]
    const quiet = (nowMs: number): [boolean, boolean] => {
      for (const session of [next, after]) for (const other of NAMES) session.has(other, [], nowMs)
      return [begins(next, nowMs), begins(after, nowMs)]
    }
    quiet(0)
    expect([1_501, READERS * 1500 - 1, READERS * 1500, (READERS + 1) * 1500].map(quiet)).toEqual([[false, false], [false, false], [true, false], [true, true]])

    const heir = sessionIn(READERS)
    expect(begins(heir, 0)).toBe(false)
    for (const name of NAMES.slice(0, READERS)) heir.gone(name)
    expect(begins(heir, 1)).toBe(true)
  })

  it('is behind those that stand higher, as soon as they have half of the pieces', () => {
    const session = sessionIn(3)
    const half = Array.from({ length: PIECES / 2 }, (_, piece) => piece)
    expect(session.membersAbove).toBe(0)
    for (const name of NAMES.slice(0, 2)) session.has(name, half.slice(1), 0)
    expect(session.membersAbove).toBe(0)
    for (const name of [NAMES[0] ?? '', NAMES[5] ?? '']) session.has(name, half, 0)
    expect(session.membersAbove).toBe(1)
    // it has the right whole, or no registry any more
    session.readsOrigin(NAMES[0] ?? '', false, 0)
    expect(session.membersAbove).toBe(0)
  })

  it('a piece is rare that no more than an eighth of the members hold', () => {
    const session = sessionIn(0)
    for (const [index, name] of NAMES.slice(1, 4).entries()) {
      expect(session.isRare(3)).toBe(index <= 2)
      session.has(name, [3], 0)
    }
    expect(session.isRare(3)).toBe(false)
    expect(session.isRare(4)).toBe(true)
  })
})
