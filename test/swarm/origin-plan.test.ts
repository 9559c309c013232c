import { describe, expect, it } from 'vitest'
import type { OriginPolicy } from '../../src/swarm/origin-plan.ts'
import { lacking, firstOf, ownerOf, SessionScene } from '../support/session-scene.ts'

/** An owner that said nothing for so long is passed over, in milliseconds. */
const OWNER_PATIENCE_MS = 1500
/** A member that says so reads a piece of 128 KiB for so long at the most, in milliseconds. */
const READING_MS = 6_525
/** Who has read all that it owns waits so long for each that ranks before it, in milliseconds, as long as it is not known what pieces take. */
const SPARE_STEP_MS = 500
/** And so long where pieces take little. */
const QUICK_STEP_MS = 200
/** Those who rank behind each other begin so long one after the other, in milliseconds. */
const TURN_MS = 60
const PIECES = 64
const OTHERS = ['a', 'b', 'c']
const ALL = Array.from({ length: PIECES }, (_, piece) => piece)
const OURS = ALL.filter(piece => ownerOf(piece, OTHERS) === 'self')

/** Reads whatever may be read at this time, one run at a time, and says which pieces. */
function readAll (scene: SessionScene, nowMs: number, runs = PIECES): number[] {
  return scene.takes(nowMs, { runs }).flatMap(words => {
    const [, start = 0, end = 0] = /take (\d+)-(\d+)/.exec(words)?.map(Number) ?? []
    return ALL.slice(start, end)
  })
}

function beside (others: readonly string[], init: ConstructorParameters<typeof SessionScene>[1] = {}): SessionScene {
  const scene = new SessionScene(PIECES, init)
  for (const other of others) scene.joined(other, [], { readsOrigin: true })
  return scene
}

describe('alone', () => {
  it('everything is ours, from the first piece on, in runs that double', () => {
    expect(new SessionScene(PIECES).takes(0, { runs: 9 })).toEqual(['take 0-1', 'take 1-3', 'take 3-7', 'take 7-15', 'take 15-31', 'take 31-63', 'take 63-64'])
  })

  it('nobody is waited for where nobody is linked to us: the first run is 16 MiB, or all', () => {
    expect(new SessionScene(PIECES).takes(0, { isAlone: true })).toEqual(['take 0-64'])
    const size = 200 * 1024 * 1024
    expect(new SessionScene(0, { size }).takes(0, { runs: 9, isAlone: true })).toEqual(['take 0-16', 'take 16-48', 'take 48-112', 'take 112-176', 'take 176-200'])
  })

  it('a long run is no longer than other blobs leave it', () => {
    expect(new SessionScene(PIECES).session.decide(0, { room: 0, window: 0, runs: 1, longestRun: 5, isAlone: true })).toEqual([])
    const scene = new SessionScene(PIECES)
    scene.session.originReady(true)
    expect(scene.session.decide(0, { room: 0, window: 0, runs: 1, longestRun: 5, isAlone: true })).toEqual([{ type: 'take', start: 0, end: 5 }])
  })

  it.each([
    [0, ['release 1-64']],
    [1, ['release 3-64']],
    [2, ['release 3-64']],
    [7, ['release 15-64']],
    [31, ['release 63-64']],
    [63, []]
  ])('of a long run of which %i pieces have come what doubling runs would not have begun is left to who comes: %o', (read, released) => {
    const scene = new SessionScene(PIECES)
    scene.takes(0, { isAlone: true })
    for (let piece = 0; piece < read; piece++) scene.came(piece, 'origin', piece)
    expect(scene.takes(100, { runs: 0, isAlone: true })).toEqual([])
    scene.joined('a', [], { readsOrigin: true }, 100)
    expect(scene.takes(100, { runs: 0 })).toEqual(released)
    expect(scene.takes(100, { runs: 0 })).toEqual([])
    expect(scene.session.taking).toHaveLength(released.length === 0 ? PIECES - read : 2 ** Math.ceil(Math.log2(read + 2)) - 1 - read)
  })

  it('after a run that was cut short for who came runs go on doubling', () => {
    const scene = new SessionScene(PIECES)
    scene.takes(0, { isAlone: true })
    for (const piece of [0, 1, 2]) scene.came(piece, 'origin', 0)
    scene.joined('a', [], { isLeech: true })
    expect(scene.takes(1, { runs: 0 })).toEqual(['release 7-64'])
    for (const piece of [3, 4, 5, 6]) scene.came(piece, 'origin', 2)
    scene.session.originEnded(0, 7)
    expect(scene.takes(3, { runs: 9 })).toEqual(['take 7-15', 'take 15-31', 'take 31-63', 'take 63-64'])
  })

  it('nothing is left of a read that has ended, or that brings the whole whatever is asked', () => {
    const ended = new SessionScene(PIECES)
    ended.takes(0, { isAlone: true })
    ended.session.originEnded(0, PIECES, 10)
    ended.joined('a', [])
    expect(ended.takes(1)).toEqual([])

    const whole = new SessionScene(PIECES)
    whole.takes(0, { isAlone: true })
    whole.session.wholeComes()
    whole.joined('a', [])
    expect(whole.takes(1, { runs: 0 })).toEqual([])
    expect(whole.session.taking).toHaveLength(PIECES)
  })

  it('runs end before what is here or on its way', () => {
    const scene = new SessionScene(8, { held: [2] })
    scene.joined('a', [5])
    scene.asks(0)
    expect(scene.takes(0, { runs: 9 })).toEqual(['take 0-1', 'take 1-2', 'take 3-5', 'take 6-8'])
  })

  it('the first read is where a reader waits', () => {
    const scene = new SessionScene(PIECES)
    scene.session.wanted([40])
    expect(scene.takes(0)).toEqual(['take 40-41'])
  })

  it('nothing is read before the origin is ready', () => {
    const scene = new SessionScene(1)
    expect(scene.session.decide(0, { room: 0, window: 0, runs: 1 })).toEqual([])
    expect(scene.takes(1)).toEqual(['take 0-1'])
  })

  it('what a failed read left is free again after the rest, one piece at a time', () => {
    const scene = new SessionScene(8)
    scene.takes(0)
    expect(scene.takes(0)).toEqual(['take 1-3'])
    scene.came(1, 'origin', 10)
    scene.session.originEnded(1, 3, 500)
    expect(scene.session.taking).toEqual([0])
    expect(scene.session.originOpen(499)).toBe(false)
    expect(scene.takes(499)).toEqual([])
    expect(scene.session.originOpen(500)).toBe(true)
    expect(scene.takes(500)).toEqual(['take 2-3'])
  })
})

describe('beside others', () => {
  it('each piece that nobody holds is read by its owner', () => {
    expect(OURS.length).toBeGreaterThan(4)
    expect(new Set(readAll(beside(OTHERS), 0))).toEqual(new Set(OURS))
  })

  it.each<[string, Parameters<SessionScene['joined']>[2]]>([
    ['gives nothing', { readsOrigin: true, isLeech: true }],
    ['does not read', { readsOrigin: false }]
  ])('a member that %s owns nothing', (_, facts) => {
    const scene = new SessionScene(PIECES)
    scene.joined('a', [], facts)
    expect(readAll(scene, 0)).toHaveLength(PIECES)
  })

  it('a member that no longer reads owns nothing', () => {
    const scene = beside(['a'])
    scene.session.readsOrigin('a', false, 0)
    expect(readAll(scene, 0)).toHaveLength(PIECES)
  })

  it('a silent owner is passed over, one that was heard is not', () => {
    const scene = beside(['a', 'b'])
    scene.takes(0, { runs: 0 })
    scene.session.has('b', [], OWNER_PATIENCE_MS - 1)
    const read = readAll(scene, OWNER_PATIENCE_MS)
    expect(new Set(read)).toEqual(new Set(ALL.filter(piece => ownerOf(piece, ['b']) === 'self')))
  })

  it('when nothing comes at all, owners that are heard are passed over too, the next in rank first', () => {
    const scene = beside(['a'])
    expect(new Set(readAll(scene, 0))).toEqual(new Set(ALL.filter(piece => ownerOf(piece, ['a']) === 'self')))
    scene.session.has('a', [], OWNER_PATIENCE_MS)
    expect(readAll(scene, OWNER_PATIENCE_MS)).toEqual([])
    expect(new Set(readAll(scene, OWNER_PATIENCE_MS + 1))).toEqual(new Set(ALL.filter(piece => ownerOf(piece, ['a']) === 'a')))
  })

  it('what a member reads is left to it, until it is released or nothing came for long', () => {
    const scene = beside(['a'])
    const [piece = -1] = ALL.filter(piece => ownerOf(piece, ['a']) === 'self')
    scene.session.takes('a', [piece], 0)
    expect(readAll(scene, 0)).not.toContain(piece)
    scene.session.releases('a', [piece], 1)
    expect(readAll(scene, 1)).toEqual([piece])

    const stuck = beside(['a'])
    stuck.session.takes('a', ALL, 0)
    expect(readAll(stuck, 0)).toEqual([])
    expect(readAll(stuck, 2 * OWNER_PATIENCE_MS - 1)).toEqual([])
    expect(readAll(stuck, 2 * OWNER_PATIENCE_MS)).toHaveLength(PIECES)
  })

  it('what a member says again that it reads is left to it for as long as a slow link needs, and no longer', () => {
    const scene = beside(['a'])
    scene.session.takes('a', ALL, 0)
    scene.takes(0, { runs: 0 })
    for (let nowMs = 0; nowMs < READING_MS; nowMs += 500) {
      scene.session.takes('a', [0], nowMs)
      expect(readAll(scene, nowMs)).toEqual([])
    }
    expect(readAll(scene, READING_MS)).toHaveLength(PIECES)
  })

  describe('promises that are not kept', () => {
    const OWN = OURS[0] ?? 0
    const NOT_OWN = ALL.find(piece => !OURS.includes(piece)) ?? 0
    /** Does something every so many milliseconds, until we read a piece of ours that the other has promised. @returns when */
    function blockedMs (scene: SessionScene, everyMs: number, act: (nowMs: number, turn: number) => void): number {
      for (let nowMs = 0, turn = 0; nowMs < 60_000; nowMs += everyMs, turn++) {
        act(nowMs, turn)
        if (readAll(scene, nowMs).includes(OWN)) return nowMs
      }
      return Infinity
    }

    it('count against who releases and promises again, as if it had gone on reading', () => {
      const scene = beside(OTHERS)
      const blocked = blockedMs(scene, 500, (nowMs, turn) => {
        if (turn % 4 === 0) scene.session.releases('a', ALL, nowMs)
        scene.session.takes('a', ALL, nowMs)
      })
      expect(blocked).toBe(Math.ceil(READING_MS / 500) * 500)
    })

    it('only for as long as they stood', () => {
      const scene = beside(OTHERS)
      for (let nowMs = 0; nowMs < 30_000; nowMs += 1_000) {
        scene.session.takes('a', [OWN], nowMs)
        scene.session.releases('a', [OWN], nowMs + 100)
      }
      scene.session.takes('a', [OWN], 30_000)
      expect(readAll(scene, 30_000)).not.toContain(OWN)
    })

    it('are forgiven with a piece that it has read', () => {
      const scene = beside(OTHERS)
      scene.session.takes('a', ALL, 0)
      scene.session.releases('a', ALL, 6_000)
      scene.session.takes('a', ALL, 6_000)
      scene.session.has('a', [NOT_OWN], 6_200)
      scene.session.takes('a', [OWN], 9_000)
      expect(readAll(scene, 9_000)).not.toContain(OWN)
    })

    it('count against who says that its origin fails, and goes on', () => {
      const scene = beside(OTHERS)
      expect(blockedMs(scene, 500, (nowMs, turn) => {
        if (turn % 4 === 0) {
          scene.session.readsOrigin('a', false, nowMs)
          scene.session.readsOrigin('a', true, nowMs)
        }
        scene.session.takes('a', ALL, nowMs)
      })).toBe(7_000)
    })

    it('are not believed of one that has left meanwhile, until it gives us something', () => {
      const scene = beside(OTHERS)
      scene.session.takes('a', ALL, 0)
      for (const nowMs of [10, 20]) {
        scene.session.gone('a')
        scene.joined('a', [], { readsOrigin: true }, nowMs)
      }
      scene.session.takes('a', ALL, 30)
      expect(readAll(scene, 30)).toContain(OWN)

      scene.session.originEnded(OWN, OWN + 1)
      scene.session.has('a', [NOT_OWN], 30)
      scene.asks(30)
      scene.came(NOT_OWN, 'a', 40)
      expect(readAll(scene, 40)).not.toContain(OWN)
    })

    it('are not believed of one that had not what it said it had', () => {
      const scene = beside(OTHERS)
      scene.session.takes('a', ALL, 0)
      scene.session.has('a', [NOT_OWN], 0)
      scene.asks(0)
      expect(readAll(scene, 0)).not.toContain(OWN)
      scene.session.rejected('a', NOT_OWN, 'missing', 1)
      expect(readAll(scene, 1)).toContain(OWN)
    })

    it('are no promises where the piece was said to be there already', () => {
      const scene = beside(OTHERS)
      scene.session.has('a', [OWN], 0)
      scene.session.takes('a', [OWN], 0)
      expect(scene.session.members.get('a')?.taking.size).toBe(0)
    })

    it('of a leech bind nobody, as nobody gets what it reads', () => {
      const scene = beside(OTHERS)
      scene.joined('leech', [], { readsOrigin: true, isLeech: true })
      scene.session.takes('leech', ALL, 0)
      expect(new Set(readAll(scene, 0))).toEqual(new Set(OURS))
    })

    it('bind nobody any more when nothing has come from anybody for twenty seconds, however many promise and go on promising', () => {
      const liars = Array.from({ length: 32 }, (_, index) => `liar ${index}`)
      const scene = beside(liars)
      const blocked = blockedMs(scene, 500, (nowMs, turn) => {
        // one behind the other, none for too long
        scene.session.takes(liars[Math.floor(turn / 6)] ?? '', ALL, nowMs)
        for (const liar of liars) scene.session.has(liar, [], nowMs)
      })
      expect(blocked).toBe(20_000)
    })
  })

  it('what a member reads is left to it anew with each piece that it has read', () => {
    const scene = beside(['a'])
    scene.session.takes('a', ALL, 0)
    scene.takes(0, { runs: 0 })
    for (let piece = 0; piece < 10; piece++) {
      scene.session.has('a', [piece], piece * 2000)
      expect(readAll(scene, piece * 2000).filter(read => read > 10)).toEqual([])
    }
  })

  it('owners that are heard are not passed over while bytes of pieces come, for some seconds', () => {
    const scene = beside(['a'])
    readAll(scene, 0)
    for (let nowMs = 0; nowMs <= 7_000; nowMs += 500) {
      scene.session.has('a', [], nowMs)
      scene.session.progressed('a', nowMs)
      expect(readAll(scene, nowMs)).toEqual([])
    }
    scene.session.has('a', [], 8_000)
    scene.session.progressed('a', 8_000)
    expect(readAll(scene, 8_000).length).toBeGreaterThan(0)
  })

  describe('once we have read all that we own', () => {
    /** We have read all ours at 0, and `other` reads on: it is heard, and bytes come. */
    function spareBeside (others: readonly string[], init: Parameters<typeof beside>[1] = {}): SessionScene {
      const scene = beside(others, init)
      for (const piece of readAll(scene, 0)) scene.came(piece, 'origin', 0)
      for (let start = 0; start < PIECES; start++) scene.session.originEnded(start, start + 1)
      scene.takes(0)
      return scene
    }

    function heard (scene: SessionScene, others: readonly string[], nowMs: number): void {
      for (const other of others) {
        scene.session.has(other, [], nowMs)
        scene.session.progressed(other, nowMs)
      }
    }

    /** Pieces of which so many of the others rank before us. */
    const behind = (count: number): number[] => ALL.filter(piece => OTHERS.filter(other => ownerOf(piece, [other]) === other).length === count)

    it('we read what another owns and has not begun, half a second later, and first what it would read last', () => {
      const scene = spareBeside(['a'])
      const itsOrder = ALL.map(turn => (firstOf('a', PIECES) + turn) % PIECES).filter(piece => ownerOf(piece, ['a']) === 'a')
      scene.session.takes('a', itsOrder.slice(0, 1), SPARE_STEP_MS)
      heard(scene, ['a'], SPARE_STEP_MS)
      expect(readAll(scene, SPARE_STEP_MS)).toEqual([])
      expect(readAll(scene, SPARE_STEP_MS + 1, 3)).toEqual(itsOrder.slice(-3).reverse())
    })

    it('sooner where a piece takes less than that, of us and of others', () => {
      const scene = beside(['a'])
      const its = ALL.filter(piece => ownerOf(piece, ['a']) === 'a')
      const told = its.slice(0, 20)
      scene.session.takes('a', told, 0)
      let nowMs = 0
      for (const [index, piece] of readAll(scene, 0).entries()) {
        nowMs += 20
        scene.came(piece, 'origin', nowMs)
        scene.session.has('a', told.slice(index, index + 1), nowMs)
      }
      for (let start = 0; start < PIECES; start++) scene.session.originEnded(start, start + 1)
      scene.takes(nowMs)
      scene.session.takes('a', its.slice(20, 21), nowMs + QUICK_STEP_MS)
      heard(scene, ['a'], nowMs + QUICK_STEP_MS)
      expect(readAll(scene, nowMs + QUICK_STEP_MS)).toEqual([])
      expect(readAll(scene, nowMs + QUICK_STEP_MS + 1, 1)).toHaveLength(1)
    })

    it('but not when it may be about to begin the same: it has been at another for a while, or has just ended it', () => {
      const scene = spareBeside(['a'])
      const [first = 0] = ALL.filter(piece => ownerOf(piece, ['a']) === 'a')
      scene.session.takes('a', [first], SPARE_STEP_MS)
      heard(scene, ['a'], SPARE_STEP_MS + TURN_MS)
      expect(readAll(scene, SPARE_STEP_MS + TURN_MS)).toEqual([])
      scene.session.has('a', [first], SPARE_STEP_MS + 2 * TURN_MS)
      expect(readAll(scene, SPARE_STEP_MS + 2 * TURN_MS)).toEqual([])
    })

    it('for each who ranks before us that takes half a second more, and our turn comes behind theirs', () => {
      const scene = spareBeside(OTHERS)
      // they have begun nothing for a second, so they are slow
      heard(scene, OTHERS, 2 * SPARE_STEP_MS)
      expect(readAll(scene, 2 * SPARE_STEP_MS)).toEqual([])
      expect(readAll(scene, 2 * SPARE_STEP_MS + 1).sort((a, b) => a - b)).toEqual(behind(1))
      heard(scene, OTHERS, 26 * TURN_MS)
      expect(readAll(scene, 26 * TURN_MS).sort((a, b) => a - b)).toEqual(behind(2))
      expect(readAll(scene, 27 * TURN_MS).sort((a, b) => a - b)).toEqual(behind(3))
    })

    it('also what only one who lets requests lapse again and again says that it has', () => {
      const scene = spareBeside(['a'])
      const [...its] = ALL.filter(piece => ownerOf(piece, ['a']) === 'a')
      scene.joined('b', its)
      for (const nowMs of [0, 10_000, 20_000]) {
        expect(scene.asks(nowMs, { room: 1 })).toHaveLength(1)
        heard(scene, ['a'], nowMs + 4000)
        scene.came(its.pop() ?? 0, 'a', nowMs + 4000)
        expect(readAll(scene, nowMs + 4000).sort((a, b) => a - b)).toEqual(nowMs < 20_000 ? [] : its)
      }
    })

    it('what one that leaves was reading is not read by all who are spare at once', () => {
      const scene = spareBeside(['a', 'b'])
      scene.session.takes('a', ALL, 400)
      heard(scene, ['a', 'b'], 1400)
      scene.session.gone('a')
      const atOnce = readAll(scene, 1400)
      expect(atOnce.filter(piece => ownerOf(piece, ['b']) !== 'self')).toEqual([])
      heard(scene, ['b'], 1400 + SPARE_STEP_MS + 1)
      expect(new Set([...OURS, ...atOnce, ...readAll(scene, 1400 + SPARE_STEP_MS + 1)].filter(piece => ownerOf(piece, ['b']) === 'b'))).toEqual(new Set(ALL.filter(piece => ownerOf(piece, ['b']) === 'b')))
    })

    it.each<[OriginPolicy, boolean]>([['balanced', true], ['frugal', false]])('under %s one that needs 1.6 s for a piece is surpassed: %s', (originPolicy, isSurpassed) => {
      const scene = spareBeside(['a'], { originPolicy })
      scene.session.takes('a', ALL, 0)
      heard(scene, ['a'], 1600)
      expect(readAll(scene, 1600)).toEqual([])
      heard(scene, ['a'], 1601)
      expect(readAll(scene, 1601).length > 0).toBe(isSurpassed)
    })

    it.each([[100, 1000], [800, 3200]])('where others need %i ms for a piece, one is surpassed that needs %i', (typicalMs, slowMs) => {
      const scene = spareBeside(['a', 'b'], { originPolicy: 'balanced' })
      let nowMs = 0
      for (const piece of ALL.filter(one => ownerOf(one, OTHERS) === 'b')) {
        scene.session.takes('b', [piece], nowMs)
        nowMs += typicalMs
        scene.session.has('b', [piece], nowMs)
      }
      scene.session.takes('a', ALL, nowMs)
      heard(scene, ['a', 'b'], nowMs + slowMs)
      // an average of what was 400 first comes near
      expect(readAll(scene, nowMs + slowMs - 10)).toEqual([])
      expect(readAll(scene, nowMs + slowMs + 10).length).toBeGreaterThan(0)
    })

    describe('one that is at a piece for 2 s, where others need 400 ms,', () => {
      /** It has had so many pieces of others meanwhile. */
      function outpaced (came: number): SessionScene {
        const scene = beside(['a'], { originPolicy: 'balanced' })
        let nowMs = 0
        for (const piece of ALL.filter(one => ownerOf(one, ['a']) === 'a')) {
          if (nowMs === 1600) break
          scene.session.takes('a', [piece], nowMs)
          nowMs += 400
          scene.session.has('a', [piece], nowMs)
          if (nowMs === 400) expect(scene.takes(nowMs)).toHaveLength(1)
          if (came-- > 0) scene.came(piece, 'a', nowMs)
        }
        scene.session.takes('a', [], 2400)
        return scene
      }

      it('leaves it to them for 5 s, and twice as long the next time', () => {
        const scene = outpaced(5)
        const [reading = 0] = scene.session.taking
        expect(scene.takes(2400, { runs: 0 })).toEqual([])
        expect(scene.takes(2401, { runs: 0 })).toEqual(['yield'])
        scene.session.originEnded(reading, reading + 1)
        expect([scene.session.originOpen(7400), scene.session.originOpen(7401)]).toEqual([false, true])
        scene.session.takes('a', [], 7300)
        expect(scene.takes(7300)).toEqual([])
        expect(scene.takes(7401)).toHaveLength(1)
      })

      it('goes on when what they are said to read does not come', () => {
        expect(outpaced(3).takes(2401, { runs: 0 })).toEqual([])
      })

      it('goes on when it does not know what others need', () => {
        const scene = beside(['a'], { originPolicy: 'balanced' })
        scene.joined('holder', ALL.slice(0, 20), {}, 0)
        expect(scene.takes(400)).toHaveLength(1)
        for (const piece of ALL.slice(0, 20)) scene.came(piece, 'holder', 500)
        scene.session.takes('a', [], 9_000)
        expect(scene.takes(9_001, { runs: 0 })).toEqual([])
      })

      it('goes on when nobody is left who reads', () => {
        const scene = outpaced(5)
        scene.session.gone('a')
        expect(scene.takes(2401, { runs: 0 })).toEqual([])
      })
    })

    it('an origin that knows no ranges is left to who reads it', () => {
      const other = OTHERS.find(id => ownerOf(0, [id]) === id) ?? ''
      const scene = spareBeside([other])
      scene.session.wholeComes()
      scene.session.originEnded(0, PIECES)
      heard(scene, [other], 1400)
      expect(readAll(scene, 1400)).toEqual([])
    })
  })

  it('owners of a small blob are passed over sooner', () => {
    const scene = new SessionScene(1)
    scene.joined('a', [], { readsOrigin: true })
    scene.joined('b', [], { readsOrigin: true })
    scene.takes(0, { runs: 0 })
    expect(scene.takes(500)).toEqual(['take 0-1'])
  })

  it('we say again that we read when the others have heard nothing for a while', () => {
    const { session } = beside(['a'])
    expect(session.isPromiseDue(1_000)).toBe(false)
    session.originReady(true)
    session.decide(1_000, { room: 0, window: 0, runs: 1 })
    expect([1_001, 1_700, 1_701, 2_400].map(nowMs => session.isPromiseDue(nowMs))).toEqual([false, true, false, true])
  })

  it('and that we have read what is not signed yet', () => {
    const { session } = beside(['a'])
    expect([1_000, 1_699, 1_700].map(nowMs => session.isPromiseDue(nowMs, { isSigning: true }))).toEqual([true, false, true])
    expect(session.isPromiseDue(2_400)).toBe(false)
  })

  it('we begin at a place of our own', () => {
    const starts = ['p', 'q', 'r', 's', 't'].map(self => beside(OTHERS, { self }).takes(0)[0])
    expect(new Set(starts).size).toBeGreaterThan(3)
  })

  it('a leech reads nothing that another may read, and all when it is alone', () => {
    expect(readAll(beside(OTHERS, { isLeech: true }), 0)).toEqual([])
    expect(readAll(beside([], { isLeech: true }), 0)).toHaveLength(PIECES)
  })
})

describe('from an origin that knows no ranges', () => {
  /** Reads all, beside another that does too. */
  function bothReading (other: string, init: ConstructorParameters<typeof SessionScene>[1] = {}): SessionScene {
    const scene = new SessionScene(PIECES, init)
    scene.takes(0)
    expect(scene.session.wholeComes()).toEqual(ALL)
    scene.joined(other, [], { readsOrigin: true })
    scene.session.takes(other, ALL, 0)
    return scene
  }

  const [higher = '', lower = ''] = [true, false].map(isHigher => [...'abcdefghijklmnop'].find(other => (ownerOf(0, [other]) === other) === isHigher))

  it('all that it brings is told in order, wherever the reading began', () => {
    for (const self of ['p', 'q', 'r', 's', 't']) {
      const scene = beside(OTHERS, { self, held: [3] })
      expect(scene.takes(0)[0]).not.toMatch(/^take 0-/)
      expect(scene.session.wholeComes()).toEqual(ALL.filter(piece => piece !== 3))
      expect(scene.session.taking).toEqual(scene.session.wholeComes())
    }
  })

  it('of two that read all of it the one that ranks higher goes on', () => {
    expect(bothReading(higher).takes(1)).toEqual(['yield'])
    expect(bothReading(lower).takes(1)).toEqual([])
  })

  it('a leech leaves it to anybody', () => {
    expect(bothReading(lower, { isLeech: true }).takes(1)).toEqual(['yield'])
  })

  it('nobody stops for one that reads only a part of what is missing', () => {
    const scene = bothReading(higher)
    scene.session.releases(higher, [7], 0)
    expect(scene.takes(1)).toEqual([])
    scene.session.has(higher, [7], 1)
    expect(scene.takes(1)).toEqual(['yield'])
  })

  it.each([[higher, []], [lower, ['take']]])('who knows that begins to read only what it would read on: beside %s %j', (other, taken) => {
    const scene = new SessionScene(PIECES)
    scene.takes(0)
    scene.session.wholeComes()
    scene.session.originEnded(0, 1)
    scene.joined(other, [], { readsOrigin: true })
    scene.session.has(other, [0], 1)
    scene.came(0, other, 1)
    expect(scene.takes(2).map(decision => decision.split(' ')[0])).toEqual(taken)
    // a silent one is passed over
    expect(scene.takes(1600)).toHaveLength(1)
  })

  it('who has stopped reads nothing that the other reads, and all when it leaves; it does not stop for it twice', () => {
    const scene = bothReading(higher)
    scene.takes(1)
    scene.session.originEnded(0, 1, 2)
    expect(scene.session.taking).toEqual([])
    expect(scene.takes(2)).toEqual([])
    scene.session.gone(higher)
    expect(scene.takes(3)).not.toEqual([])
    scene.session.wholeComes()
    scene.joined(higher, [], { readsOrigin: true }, 4)
    scene.session.takes(higher, ALL, 4)
    expect(scene.takes(4)).toEqual([])
  })
})

it('alone by our own will we read all that is not here, whatever members hold, own and promise, and ask them for nothing', () => {
  const scene = beside(OTHERS, { held: [3] })
  scene.joined('seed', 'all')
  scene.session.takes('a', ALL, 0)
  scene.session.knows(['distant'])
  expect(readAll(scene, 0)).toEqual([])
  scene.session.useOriginOnly()
  expect(readAll(scene, 0).sort((a, b) => a - b)).toEqual(ALL.filter(piece => piece !== 3))
  expect(scene.asks(0)).toEqual([])
})

describe('what members hold', () => {
  /** One that has read a piece from the origin in 10 ms, and waits for the rest from a member that gives nothing yet. */
  function waiting (originPolicy: OriginPolicy): SessionScene {
    const scene = new SessionScene(PIECES, { originPolicy })
    scene.takes(0)
    scene.came(0, 'origin', 10)
    scene.session.originEnded(0, 1)
    scene.joined('a', 'all', {}, 10)
    return scene
  }

  it.each<[OriginPolicy, number, boolean]>([
    ['never', 60_000, false],
    ['frugal', 60_000, false],
    ['balanced', 100, false],
    ['balanced', 60_000, true],
    ['fast', 100, true]
  ])('under the policy %s after %i ms is read from the origin: %s', (policy, nowMs, isRead) => {
    expect(waiting(policy).takes(nowMs).length > 0).toBe(isRead)
  })

  it.each<[OriginPolicy, number, boolean]>([
    ['never', 8, false],
    ['frugal', 8, false],
    ['balanced', 8, true],
    ['balanced', 1, true],
    ['balanced', 9, false]
  ])('under the policy %s is read by its owner when %i pieces are missing and nothing at all has come for as long as owners are waited for: %s', (policy, missing, isRead) => {
    const scene = waiting(policy)
    for (let piece = 1; piece < PIECES - missing; piece++) scene.came(piece, 'a', 10)
    expect(scene.takes(10 + OWNER_PATIENCE_MS)).toEqual([])
    scene.session.progressed('a', 1_000)
    expect(scene.takes(1_000 + OWNER_PATIENCE_MS)).toEqual([])
    expect(scene.takes(1_001 + OWNER_PATIENCE_MS).length > 0).toBe(isRead)
  })

  it.each<[OriginPolicy, string[]]>([['balanced', ['cancel a 63', 'take 63-64']], ['frugal', []]])('under the policy %s is read in place of being asked of one that sends nothing: %o', (policy, taken) => {
    const scene = waiting(policy)
    for (let piece = 1; piece < PIECES - 1; piece++) scene.came(piece, 'a', 10)
    expect(scene.asks(10)).toEqual(['ask a 63'])
    // one that is slow has more time than an owner that is silent
    scene.session.heldUp('a', 1_000)
    expect(scene.takes(10 + OWNER_PATIENCE_MS)).toEqual([])
    expect(scene.takes(11 + OWNER_PATIENCE_MS)).toEqual(taken)
    expect(scene.session.requested).toBe(taken.length > 0 ? 0 : 1)
    scene.came(63, taken.length > 0 ? 'origin' : 'a', 1_600)
    expect([scene.session.isComplete, scene.session.requested]).toEqual([true, 0])
  })

  it.each<[OriginPolicy, boolean]>([['balanced', true], ['frugal', false]])('under the policy %s the last of it is read though another says that it reads it, when nothing comes: %s', (policy, isRead) => {
    const scene = waiting(policy)
    scene.joined('b', [], {}, 10)
    for (let piece = 1; piece < PIECES - 1; piece++) scene.came(piece, 'a', 10)
    scene.session.gone('a')
    for (let nowMs = 10; nowMs <= 1_500; nowMs += 500) {
      scene.session.takes('b', [PIECES - 1], nowMs)
      expect(scene.takes(nowMs)).toEqual([])
    }
    scene.session.takes('b', [PIECES - 1], 10 + OWNER_PATIENCE_MS)
    expect(scene.takes(11 + OWNER_PATIENCE_MS)).toEqual(isRead ? ['take 63-64'] : [])
  })

  it('and those are always busy is not read while other pieces come', () => {
    const scene = beside(OTHERS, { originPolicy: 'balanced' })
    const busy = OURS.slice(0, 10)
    const others = ALL.filter(piece => !busy.includes(piece))
    scene.session.has('a', busy, 0)
    for (let nowMs = 0; nowMs <= 3_600; nowMs += 50) {
      for (const words of scene.asks(nowMs, { room: 1, window: 1 })) scene.session.rejected('a', Number(words.split(' ')[2]), 'busy', nowMs)
      for (const id of OTHERS) scene.session.takes(id, [], nowMs)
      const piece = others.pop()
      if (piece !== undefined) scene.came(piece, 'b', nowMs)
      else if (nowMs > 3_100) scene.session.progressed('b', nowMs)
    }
    expect(scene.session.pieces - scene.session.held.count).toBe(busy.length)
    expect(readAll(scene, 3_600)).toEqual([])
    // one may be busy for ever
    for (const id of OTHERS) scene.session.takes(id, [], 3_601 + OWNER_PATIENCE_MS)
    expect(readAll(scene, 3_601 + OWNER_PATIENCE_MS).sort((a, b) => a - b)).toEqual(busy)
  })

  it.each([[true, 1], [false, 2]])('the last of it, which its owner has and does not give, is read by who ranks highest of those who lack it, others later (we: %s)', (isHighest, patiences) => {
    const owner = 'abcdefgh'.split('').find(one => ownerOf(63, [one]) === one) ?? ''
    const other = 'ijklmnopqrstuvwxyz'.split('').find(one => (ownerOf(63, [one]) === 'self') === isHighest) ?? ''
    const scene = waiting('balanced')
    for (let piece = 1; piece < PIECES - 1; piece++) scene.came(piece, 'a', 10)
    scene.session.gone('a')
    for (const [id, held] of [[owner, [63]], [other, []]] as const) scene.joined(id, held, { readsOrigin: true }, 10)
    for (let nowMs = 10; nowMs <= 10 + patiences * OWNER_PATIENCE_MS; nowMs += 100) {
      for (const id of [owner, other]) scene.session.takes(id, [], nowMs)
      expect(scene.takes(nowMs)).toEqual([])
    }
    expect(scene.takes(11 + patiences * OWNER_PATIENCE_MS)).toEqual(['take 63-64'])
  })

  it('under the policy never is not read even if nobody holds it', () => {
    const scene = new SessionScene(1, { originPolicy: 'never' })
    expect(scene.takes(60_000)).toEqual([])
    expect(scene.session.originOpen(0)).toBe(false)
  })

  it('is not there for us if who holds it gives nothing', () => {
    const scene = new SessionScene(1)
    scene.joined('a', 'all', { isLeech: true })
    expect(scene.takes(0)).toEqual(['take 0-1'])
  })

  it('is read after all when who holds it has rested from its silence and has not even answered', () => {
    const scene = lacking(1)
    scene.joined('a', 'all')
    scene.asks(0)
    expect(scene.asks(1000)).toEqual(['cancel a 0'])
    expect(scene.takes(1499)).toEqual([])
    expect(scene.takes(1500)).toEqual(['take 0-1'])
  })

  it('is left to it when it has answered that it stopped', () => {
    const scene = lacking(1)
    scene.joined('a', 'all')
    scene.asks(0)
    scene.asks(1000)
    scene.session.rejected('a', 0, 'cancelled', 1001)
    expect(scene.takes(1500)).toEqual([])
    expect(scene.asks(1500)).toEqual(['ask a 0'])
  })

  it.each<[OriginPolicy, string, string]>([
    ['balanced', 'nothing', 'all of it'],
    ['balanced', 'bytes', 'what lapsed'],
    ['balanced', 'an answer', 'nothing'],
    ['frugal', 'nothing', 'what lapsed']
  ])('under the policy %s what one holds, promises and is asked for that let a request lapse, and of whom %s has come, is read: %s', (originPolicy, sent, what) => {
    const scene = beside(['b'], { originPolicy })
    const hears = (nowMs: number): void => { for (const id of ['a', 'b']) scene.session.takes(id, [], nowMs) }
    scene.joined('a', ALL.filter(piece => piece % 2 === 0), { readsOrigin: true })
    scene.session.takes('a', ALL.filter(piece => piece % 2 === 1), 0)
    const [asked] = scene.asks(0, { room: 1 }).map(words => Number(words.split(' ')[2]))
    expect(scene.takes(0)).toEqual([])
    if (sent === 'bytes') scene.session.progressed('a', 1)
    hears(1001)
    expect(scene.asks(1001, { room: 0 })).toEqual([`cancel a ${asked}`])
    if (sent === 'an answer') scene.session.rejected('a', Number(asked), 'cancelled', 1001)
    // it has rested, and is asked again
    hears(1501)
    expect(scene.asks(1501, { room: 1 })[0]).toMatch(/^ask a /)
    const ours = ALL.filter(piece => ownerOf(piece, ['a', 'b']) === 'self')
    expect(readAll(scene, 1501)).toEqual(what === 'all of it' ? expect.arrayContaining(ours) : what === 'nothing' ? [] : [asked])
  })

  it('is read after all when it has let requests lapse again and again', () => {
    const scene = lacking(1)
    scene.joined('a', 'all')
    for (const nowMs of [0, 10_000, 20_000]) {
      expect(scene.takes(nowMs)).toEqual([])
      expect(scene.asks(nowMs)).toEqual(['ask a 0'])
      scene.asks(nowMs + 4000)
      scene.session.rejected('a', 0, 'cancelled', nowMs + 4000)
    }
    expect(scene.takes(24_000)).toEqual(['take 0-1'])
  })
})
