import { describe, expect, it } from 'vitest'
import { lacking, SessionScene } from '../support/session-scene.ts'

/** A member that never answered lapses after this, in milliseconds. */
const PATIENCE_MS = 1000
/** It rests so long the first time. */
const REST_MS = 500

function availabilities ({ session }: SessionScene): number[] {
  return Array.from({ length: session.pieces }, (_, piece) => session.availability.of(piece))
}

describe('a session', () => {
  it('of an empty blob is complete', () => {
    const { session } = new SessionScene(0)
    expect(session).toMatchObject({ pieces: 0, isComplete: true })
  })

  it('is complete when all pieces are right, not when they have come', () => {
    const scene = new SessionScene(2, { held: [1] })
    scene.session.arrived(0, 'origin', 0)
    expect(scene.session.isComplete).toBe(false)
    scene.session.verified(0)
    expect(scene.session.isComplete).toBe(true)
  })

  it('of a seed asks for nothing', () => {
    const scene = new SessionScene(2, { isSeed: true })
    scene.joined('a', 'all')
    expect(scene.session.isComplete).toBe(true)
    expect([...scene.asks(0), ...scene.takes(0)]).toEqual([])
  })

  it('asks again for what was lost', () => {
    const scene = new SessionScene(1)
    scene.joined('a', 'all')
    scene.asks(0)
    scene.came(0, 'a', 10)
    scene.session.lost(0)
    expect(scene.session.isComplete).toBe(false)
    expect(scene.asks(11)).toEqual(['ask a 0'])
  })

  it('passes by what is said of members it does not know', () => {
    const { session } = new SessionScene(1)
    session.has('x', [0], 0)
    session.takes('x', [0], 0)
    session.releases('x', [0], 0)
    session.rejected('x', 0, 'missing', 0)
    session.gone('x')
    expect(session.members.size).toBe(0)
    expect(session.availability.of(0)).toBe(0)
  })
})

describe('what members hold', () => {
  it('is counted as they join, tell, refuse and go', () => {
    const scene = new SessionScene(4)
    scene.joined('a', [0, 1])
    scene.joined('b', [1, 2])
    scene.session.has('b', [2, 3], 1)
    expect(availabilities(scene)).toEqual([1, 2, 1, 1])
    scene.asks(1)
    scene.session.rejected('a', 0, 'missing', 2)
    expect(availabilities(scene)).toEqual([0, 2, 1, 1])
    scene.session.gone('b')
    expect(availabilities(scene)).toEqual([0, 1, 0, 0])
  })

  it('does not count when they give nothing', () => {
    const scene = new SessionScene(2)
    scene.joined('a', 'all', { isLeech: true })
    scene.session.has('a', [0, 1], 1)
    expect(availabilities(scene)).toEqual([0, 0])
    scene.session.gone('a')
    expect(availabilities(scene)).toEqual([0, 0])
  })

  it('is what they said last when they join again', () => {
    const scene = new SessionScene(4)
    scene.joined('a', [0, 1, 2])
    scene.session.takes('a', [3], 1)
    scene.joined('a', [2], { isNear: false }, 2)
    expect(availabilities(scene)).toEqual([0, 0, 1, 0])
    expect([...scene.session.members.get('a')?.held ?? []]).toEqual([2])
    expect(scene.session.members.get('a')?.taking.size).toBe(0)
    expect(scene.asks(3)).toEqual(['ask a 2'])
  })

  it.each([[false, true, 0], [true, false, 1]])('counts by what they say last, leech %s and then %s', (before, after, count) => {
    const scene = new SessionScene(1)
    scene.joined('a', 'all', { isLeech: before })
    scene.joined('a', 'all', { isLeech: after })
    expect(availabilities(scene)).toEqual([count])
    scene.session.gone('a')
    expect(availabilities(scene)).toEqual([0])
  })
})

describe('a far member', () => {
  it('comes behind near ones as long as one of these lacks a part', () => {
    const scene = new SessionScene(2)
    const { session } = scene
    scene.joined('far', [], { isNear: false })
    expect([session.isOutsider('far'), session.isOutsider('nobody')]).toEqual([false, false])
    scene.joined('full', 'all')
    expect(session.isOutsider('far')).toBe(false)
    scene.joined('near', [0])
    expect([session.isOutsider('far'), session.isOutsider('near')]).toEqual([true, false])
    session.has('near', [1], 1)
    expect(session.isOutsider('far')).toBe(false)
  })
})

describe('a member that refuses', () => {
  it('as busy is asked again a little later, and another meanwhile', () => {
    const scene = new SessionScene(1)
    scene.joined('a', 'all')
    scene.asks(0)
    scene.session.rejected('a', 0, 'busy', 10)
    expect(scene.asks(11)).toEqual([])
    expect(scene.asks(61)).toEqual(['ask a 0'])
    scene.session.rejected('a', 0, 'busy', 70)
    scene.joined('b', 'all', {}, 70)
    expect(scene.asks(71)).toEqual(['ask b 0'])
  })

  it('as busy again and again is asked ever more rarely, until it delivers', () => {
    const scene = new SessionScene(4, { held: [2, 3] })
    scene.joined('a', [0])
    const asked: number[] = []
    for (let nowMs = 0; nowMs < 4000; nowMs += 10) {
      if (scene.asks(nowMs).length === 0) continue
      asked.push(nowMs)
      scene.session.rejected('a', 0, 'busy', nowMs)
    }
    expect(asked).toEqual([0, 50, 150, 350, 600, 850, ...Array.from({ length: 12 }, (_, index) => 1100 + 250 * index)].filter(nowMs => nowMs < 4000))
    scene.asks(5000)
    scene.came(0, 'a', 5100)
    scene.session.has('a', [1], 5100)
    const again = [5100, 5149, 5150, 5199, 5200].filter(nowMs => {
      const isAsked = scene.asks(nowMs).length > 0
      if (isAsked) scene.session.rejected('a', 1, 'busy', nowMs)
      return isAsked
    })
    expect(again).toEqual([5100, 5150, 5200])
  })

  it('all that was asked of it together has been refused once', () => {
    const scene = new SessionScene(16)
    scene.joined('a', 'all')
    const asked = scene.asks(0, { room: 4, window: 4 })
    expect(asked.length).toBeGreaterThan(1)
    for (const piece of asked.map(text => Number(text.split(' ')[2]))) scene.session.rejected('a', piece, 'busy', 0)
    expect([scene.asks(49), scene.asks(50).length > 0]).toEqual([[], true])
  })

  it.each([[1, 600], [16, 3050]])('as busy for ever is not counted on: of a blob of %i pieces after %i ms', (pieces, patienceMs) => {
    const scene = new SessionScene(pieces, { held: Array.from({ length: pieces - 1 }, (_, index) => index + 1) })
    scene.joined('a', 'all')
    let tookMs = 0
    for (let nowMs = 0; tookMs === 0; nowMs++) {
      if (scene.asks(nowMs).length > 0) scene.session.rejected('a', 0, 'busy', nowMs)
      if (scene.takes(nowMs).length > 0) tookMs = nowMs
    }
    expect(tookMs).toBe(patienceMs)
  })

  it('as busy long ago, and was not asked since, is counted on for what it has now', () => {
    const scene = lacking(2)
    scene.joined('a', [0])
    scene.asks(0)
    scene.session.rejected('a', 0, 'busy', 1)
    scene.joined('b', [0], {}, 2)
    scene.asks(2)
    scene.came(0, 'b', 3)
    scene.session.has('a', [1], 5000)
    expect(scene.takes(5000)).toEqual([])
    expect(scene.asks(5000)).toEqual(['ask a 1'])
    scene.session.rejected('a', 1, 'busy', 5001)
    expect(scene.takes(5002)).toEqual([])
  })

  it.each(['missing', 'denied'] as const)('a piece as %s is not asked for it until it says that it has it', reason => {
    const scene = new SessionScene(1)
    scene.joined('a', 'all')
    scene.asks(0)
    scene.session.rejected('a', 0, reason, 10)
    expect(scene.asks(5000)).toEqual([])
    scene.session.has('a', [0], 5001)
    expect(scene.asks(5002)).toEqual(['ask a 0'])
  })

  it('a piece whose bytes were of no use is not asked for it until it says that it has it', () => {
    const scene = new SessionScene(1)
    scene.joined('a', 'all')
    scene.asks(0)
    scene.session.arrived(0, 'a', 10)
    scene.session.lost(0)
    scene.session.useless('a', 0)
    scene.session.useless('a', 0)
    scene.session.useless('nobody', 0)
    expect(availabilities(scene)).toEqual([0])
    expect(scene.asks(5000)).toEqual([])
    scene.session.has('a', [0], 5001)
    expect(scene.asks(5002)).toEqual(['ask a 0'])
  })

  it('counts no more when its word is doubted, until it is not any more', () => {
    const scene = new SessionScene(3)
    scene.joined('a', 'all')
    scene.joined('b', [0, 1])
    scene.session.doubt('a', [0, 2])
    expect(availabilities(scene)).toEqual([0, 1, 0])
    // whatever it says of itself meanwhile
    scene.joined('a', 'all')
    expect(availabilities(scene)).toEqual([0, 1, 0])
    scene.session.has('b', [2], 1)
    expect(availabilities(scene)).toEqual([0, 1, 1])
    expect(scene.session.relent(2)).toBe(true)
    expect(availabilities(scene)).toEqual([2, 2, 2])
    expect(scene.session.relent(3)).toBe(false)
  })

  it('that has all and reads nothing more from the origin counts on, whoever is doubted: it has the right whole', () => {
    const scene = new SessionScene(3)
    scene.joined('a', 'all')
    scene.joined('done', 'all')
    scene.joined('checking', 'all', { readsOrigin: true })
    scene.session.doubt('a', [0, 2])
    expect(availabilities(scene)).toEqual([1, 2, 1])
    // what it gave of them was on the doubted word: it is asked for no other of them, which would be in vain
    scene.session.useless('done', 2)
    expect(availabilities(scene)).toEqual([0, 2, 0])
    scene.session.has('done', [0], 1)
    expect(availabilities(scene)).toEqual([1, 2, 0])
    scene.session.useless('done', 1)
    expect(availabilities(scene)).toEqual([1, 1, 0])
  })

  it('what was not asked of it changes nothing', () => {
    const scene = new SessionScene(2)
    scene.joined('a', 'all')
    scene.session.rejected('a', 0, 'missing', 1)
    scene.session.rejected('a', 1, 'busy', 1)
    expect(availabilities(scene)).toEqual([1, 1])
    expect(scene.asks(2)).toHaveLength(2)
  })
})

describe('a silent member', () => {
  function silent (): SessionScene {
    const scene = lacking(2)
    scene.joined('a', 'all')
    scene.asks(0)
    scene.joined('b', [0], {}, PATIENCE_MS - 1)
    return scene
  }

  it('loses its requests, which are asked of others', () => {
    const scene = silent()
    expect(scene.asks(PATIENCE_MS).toSorted()).toEqual(['ask b 0', 'cancel a 0', 'cancel a 1'])
  })

  it('keeps them while bytes come', () => {
    const scene = silent()
    scene.session.progressed('a', PATIENCE_MS - 1)
    expect(scene.asks(PATIENCE_MS).filter(words => words.startsWith('cancel'))).toEqual([])
    expect(scene.asks(2 * PATIENCE_MS).filter(words => words.startsWith('cancel a'))).toHaveLength(2)
  })

  it('keeps them while we do not read what it may have sent, and as long again as if it had just been asked', () => {
    const scene = silent()
    scene.session.heldUp('a', PATIENCE_MS - 1)
    expect(scene.asks(2 * PATIENCE_MS - 2).filter(words => words.startsWith('cancel'))).toEqual([])
    expect(scene.asks(2 * PATIENCE_MS - 1).filter(words => words.startsWith('cancel a'))).toHaveLength(2)
  })

  it('is not late while we do not read what it may have sent: nobody else is asked, and its requests fill the pipe', () => {
    const scene = lacking(2)
    scene.joined('a', 'all')
    scene.asks(0)
    scene.joined('b', 'all')
    scene.session.heldUp('a', 800)
    expect(scene.asks(900)).toEqual([])
    expect(scene.session.onTime(900)).toBe(2)
    expect(scene.session.onTime(1300)).toBe(0)
    expect(scene.asks(1300)).toContain('ask b 0')
  })

  it('has the time in which we did nothing on top of its own, and not more', () => {
    const scene = silent()
    scene.session.stalled(500, PATIENCE_MS - 1)
    expect(scene.asks(PATIENCE_MS + 499).filter(words => words.startsWith('cancel'))).toEqual([])
    expect(scene.asks(PATIENCE_MS + 500).filter(words => words.startsWith('cancel a'))).toHaveLength(2)
  })

  it('is waited for no longer than if it had just been asked, however long we did nothing', () => {
    const scene = silent()
    scene.session.stalled(10 * PATIENCE_MS, 100)
    expect(scene.asks(PATIENCE_MS + 100).filter(words => words.startsWith('cancel a'))).toHaveLength(2)
  })

  it('that has gone is not held up', () => {
    const scene = lacking(2)
    scene.session.heldUp('a', 100)
    scene.joined('a', 'all')
    expect(scene.asks(100)).toHaveLength(2)
    expect(scene.asks(100 + PATIENCE_MS)).toContain('cancel a 0')
  })

  it('is not asked for what was called off before it has answered, and rests even then', () => {
    const scene = silent()
    scene.asks(PATIENCE_MS)
    expect(scene.asks(PATIENCE_MS + 10 * REST_MS).filter(words => words.startsWith('ask a'))).toEqual([])
    scene.session.rejected('a', 1, 'cancelled', PATIENCE_MS + 10 * REST_MS)
    expect(scene.asks(PATIENCE_MS + 10 * REST_MS)).toContain('ask a 1')
  })

  it('rests after it lapsed, and is waited for, twice as long each time', () => {
    const scene = lacking(1)
    scene.joined('a', 'all')
    let nowMs = 0
    for (const [restMs, patienceMs] of [[REST_MS, PATIENCE_MS], [2 * REST_MS, 2 * PATIENCE_MS], [4 * REST_MS, 4 * PATIENCE_MS]] as const) {
      expect(scene.asks(nowMs)).toEqual(['ask a 0'])
      nowMs += patienceMs - 1
      expect(scene.asks(nowMs)).toEqual([])
      nowMs++
      expect(scene.asks(nowMs)).toEqual(['cancel a 0'])
      scene.session.rejected('a', 0, 'cancelled', nowMs)
      expect(scene.asks(nowMs + restMs - 1)).toEqual([])
      nowMs += restMs
    }
  })

  it('of a small blob costs half a second, then the origin is asked', () => {
    const scene = new SessionScene(1)
    scene.joined('a', 'all')
    scene.asks(0)
    expect(scene.asks(399)).toEqual([])
    expect(scene.asks(400)).toEqual(['cancel a 0'])
    expect(scene.takes(499)).toEqual([])
    expect(scene.takes(500)).toEqual(['take 0-1'])
  })

  it('helps nobody once it has lapsed again and again, until it rested', () => {
    const scene = lacking(1)
    scene.joined('a', 'all')
    for (const nowMs of [0, 10_000, 20_000]) {
      scene.asks(nowMs)
      scene.asks(nowMs + 4 * PATIENCE_MS)
      scene.session.rejected('a', 0, 'cancelled', nowMs + 4 * PATIENCE_MS)
      expect(scene.session.isHelped(nowMs + 4 * PATIENCE_MS)).toBe(nowMs < 20_000)
    }
    expect(scene.session.isHelped(40_000)).toBe(true)
  })
})

describe('what is expected of a member', () => {
  it('is what it was asked for, and what was called off until it has answered', () => {
    const scene = lacking(2)
    scene.joined('a', 'all')
    expect(scene.session.expects('a', 0)).toBeUndefined()
    scene.asks(0)
    expect(scene.session.expects('a', 0)).toBe('asked')
    scene.asks(PATIENCE_MS)
    expect(scene.session.expects('a', 0)).toBe('called-off')
    scene.session.rejected('a', 0, 'cancelled', PATIENCE_MS)
    expect(scene.session.expects('a', 0)).toBeUndefined()
  })

  it('is nothing when it has gone, even if it comes back', () => {
    const scene = lacking(2)
    scene.joined('a', 'all')
    scene.asks(0)
    scene.session.gone('a')
    expect(scene.session.requested).toBe(0)
    scene.joined('a', 'all', {}, 1)
    expect(scene.session.expects('a', 0)).toBeUndefined()
    expect(scene.asks(2)).toHaveLength(2)
  })
})

describe('a session is helped', () => {
  it.each<[string, boolean, (scene: SessionScene) => void]>([
    ['by a member that holds what we lack', true, scene => { scene.joined('a', [1]) }],
    ['by nobody when members hold only what we have', false, scene => { scene.joined('a', [0]) }],
    ['by a member that reads from the origin', true, scene => { scene.joined('a', [], { readsOrigin: true }) }],
    ['by a member that is reading a piece', true, scene => { scene.joined('a', []); scene.session.takes('a', [1], 0) }],
    ['by nobody when it has released it', false, scene => { scene.joined('a', []); scene.session.takes('a', [1], 0); scene.session.releases('a', [1], 1) }],
    ['by nobody when it no longer reads', false, scene => {
      scene.joined('a', [], { readsOrigin: true })
      scene.session.takes('a', [1], 0)
      scene.session.readsOrigin('a', false, 0)
    }],
    ['by no leech', false, scene => { scene.joined('a', 'all', { isLeech: true, readsOrigin: true }) }],
    ['by nobody when all have gone', false, scene => { scene.joined('a', 'all'); scene.session.gone('a') }]
  ])('%s: %s', (_, isHelped, tell) => {
    const scene = new SessionScene(2, { held: [0] })
    tell(scene)
    expect(scene.session.isHelped(1)).toBe(isHelped)
  })
})
