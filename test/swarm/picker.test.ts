import { describe, expect, it } from 'vitest'
import { lacking, ownerOf, SessionScene } from '../support/session-scene.ts'

/** Later than a request that is late, and earlier than one that lapses, in milliseconds. */
const LATE_MS = 500
/** Later than the patience for the nearer one. */
const IMPATIENT_MS = 2100

describe('the next piece', () => {
  it('is the one at which a reader waits, then the one behind it, however rare others are', () => {
    const scene = new SessionScene(8)
    scene.joined('a', 'all')
    scene.joined('b', [4, 5, 6])
    scene.session.wanted([4])
    expect(scene.asks(0, { room: 2 }).map(words => words.slice(-1))).toEqual(['4', '5'])
  })

  it('is for the most urgent reader first', () => {
    const scene = new SessionScene(8)
    scene.joined('a', 'all')
    scene.session.wanted([6, 2])
    expect(scene.asks(0, { room: 4 })).toEqual(['ask a 6', 'ask a 7', 'ask a 2', 'ask a 3'])
  })

  it('is the rarest', () => {
    const scene = new SessionScene(4)
    scene.joined('a', 'all')
    scene.joined('b', [0, 1, 3])
    scene.joined('c', [0, 3])
    scene.joined('d', [3])
    for (let index = 0; index < 13; index++) scene.joined(`lacks ${index}`, [])
    expect(scene.asks(0, { room: 4 }).map(words => Number(words.slice(-1)))).toEqual([2, 1, 0, 3])
  })

  it('is, of what a quarter of those who give hold, the first, after what fewer do', () => {
    const scene = new SessionScene(6)
    scene.joined('a', 'all')
    scene.joined('b', [1, 2, 3, 4, 5])
    scene.joined('c', [2, 4])
    for (let index = 0; index < 4; index++) scene.joined(`lacks ${index}`, [])
    // of seven who give: the first is held by one, the others by two or three
    expect(scene.asks(0, { room: 6 }).map(words => Number(words.slice(-1)))).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('is the first gap, for the hash of the whole, though no reader waits there and others are rarer', () => {
    const scene = new SessionScene(8, { held: [0, 3] })
    scene.joined('a', 'all')
    scene.joined('b', [1, 2, 4, 5, 6])
    scene.joined('c', [1, 2, 4, 5, 6])
    for (let index = 0; index < 9; index++) scene.joined(`lacks ${index}`, [])
    expect(scene.asks(0, { room: 3 }).map(words => Number(words.slice(-1)))).toEqual([1, 2, 7])
  })

  it('is the next that is lacking, where a reader waits for what is here and may not have it yet', () => {
    const scene = new SessionScene(8, { held: [0, 4] })
    scene.joined('a', 'all')
    scene.joined('b', [1, 2, 3, 5])
    for (let index = 0; index < 9; index++) scene.joined(`lacks ${index}`, [])
    scene.session.wanted([4])
    expect(scene.asks(0, { room: 2 }).map(words => Number(words.slice(-1)))).toEqual([5, 6])
  })

  it('is the rarest of those that somebody would send at once, as far as we know, before rarer ones', () => {
    const scene = new SessionScene(8)
    scene.joined('busy', [1])
    scene.joined('idle', [2])
    scene.joined('another', [2, 3])
    scene.session.queued('busy', 1)
    scene.session.queued('another', 2)
    expect(scene.asks(0, { room: 1 })).toEqual(['ask idle 2'])
    scene.session.queued('another', 0)
    expect(scene.asks(0, { room: 1 })).toEqual(['ask another 3'])
    // nobody would begin at once now
    expect(scene.asks(0, { room: 1 })).toEqual(['ask busy 1'])
  })

  it('is, of equally rare ones, another for each agent', () => {
    const first = ['one', 'two', 'three', 'four', 'five', 'six'].map(self => {
      const scene = new SessionScene(32, { self })
      scene.joined('a', 'all')
      for (let index = 0; index < 4; index++) scene.joined(`lacks ${index}`, [])
      return scene.asks(0, { room: 1 })[0]
    })
    expect(new Set(first).size).toBeGreaterThan(3)
  })

  it('is none that is here, is on its way, or that nobody holds', () => {
    const scene = new SessionScene(4, { held: [0] })
    scene.joined('a', [0, 1, 2])
    expect(scene.asks(0).toSorted()).toEqual(['ask a 1', 'ask a 2'])
    expect(scene.asks(1)).toEqual([])
    expect(scene.session.requested).toBe(2)
  })

  it('is none that we read from the origin', () => {
    const scene = new SessionScene(2)
    expect(scene.takes(0)).toEqual(['take 0-1'])
    scene.joined('a', 'all')
    expect(scene.asks(1)).toEqual(['ask a 1'])
  })
})

describe('a member', () => {
  it('is asked for so many pieces at a time as its window has', () => {
    const scene = new SessionScene(8)
    scene.joined('a', 'all')
    scene.joined('b', 'all')
    const asked = scene.asks(0, { window: 2 })
    for (const member of ['a', 'b']) expect(asked.filter(words => words.startsWith(`ask ${member}`))).toHaveLength(2)
  })

  it('that is asked for least, and at which fewest wait, comes first', () => {
    const scene = new SessionScene(8)
    scene.joined('a', 'all')
    scene.joined('b', 'all')
    scene.session.queued('a', 2)
    const members = scene.asks(0, { room: 3 }).map(words => words.split(' ')[1])
    expect(members.filter(member => member === 'b').length).toBeGreaterThanOrEqual(2)
    expect(members[0]).toBe('b')
  })

  it('that was quicker comes first', () => {
    const scene = new SessionScene(8)
    for (const member of ['a', 'b']) scene.joined(member, 'all')
    const asked = scene.asks(0, { room: 2 })
    for (const words of asked) {
      const [, member, piece] = words.split(' ')
      scene.came(Number(piece), member ?? '', member === 'a' ? 20 : 800)
    }
    expect(scene.asks(801, { room: 1 })[0]).toMatch(/^ask a/)
  })

  it('that is near comes before one that is far, however long it takes', () => {
    const scene = new SessionScene(4)
    scene.joined('far', 'all', { isNear: false })
    scene.joined('near', 'all')
    scene.session.queued('near', 100)
    expect(scene.asks(0).every(words => words.startsWith('ask near'))).toBe(true)
  })

  it('that gives nothing is not asked', () => {
    const scene = new SessionScene(4)
    scene.joined('a', 'all', { isLeech: true })
    expect(scene.asks(0)).toEqual([])
  })
})

describe('a far member', () => {
  const others = ['near1', 'near2', 'near3']

  function zones (): SessionScene {
    const scene = new SessionScene(64)
    scene.joined('far', 'all', { isNear: false })
    for (const other of others) scene.joined(other, [])
    return scene
  }

  it('is asked only for what we own among the near that lack it', () => {
    const ours = Array.from({ length: 64 }, (_, piece) => piece).filter(piece => ownerOf(piece, others) === 'self')
    expect(ours.length).toBeGreaterThan(0)
    expect(new Set(zones().asks(0))).toEqual(new Set(ours.map(piece => `ask far ${piece}`)))
  })

  it('is not asked for what a near member holds, even one that is busy', () => {
    const scene = zones()
    scene.joined('near1', 'all')
    expect(scene.asks(0, { room: 1, window: 1 })).toEqual([expect.stringMatching(/^ask near1/)])
    expect(scene.asks(1, { window: 1 })).toEqual([])
  })

  it('is asked for all when nothing has come for long', () => {
    const scene = zones()
    scene.asks(0, { room: 0 })
    const first = scene.asks(0, { room: 1 })
    expect(first).toHaveLength(1)
    scene.session.progressed('far', IMPATIENT_MS)
    expect(scene.asks(IMPATIENT_MS, { room: 63 })).toHaveLength(63)
  })

  it('waits for no near member that gives nothing', () => {
    const scene = new SessionScene(16)
    scene.joined('far', 'all', { isNear: false })
    for (const other of others) scene.joined(other, 'all', { isLeech: true })
    expect(scene.asks(0)).toHaveLength(16)
  })
})

describe('at the tail', () => {
  function late (): SessionScene {
    const scene = lacking(2)
    scene.joined('a', 'all')
    expect(scene.asks(0)).toHaveLength(2)
    for (const member of ['b', 'c']) scene.joined(member, 'all', {}, 1)
    return scene
  }

  it('what is late is asked of one more, and of no third', () => {
    const scene = late()
    expect(scene.asks(100)).toEqual([])
    expect(scene.asks(LATE_MS).map(words => words.replace(/ [bc] /, ' other ')).toSorted()).toEqual(['ask other 0', 'ask other 1'])
    expect(scene.asks(2 * LATE_MS - 1)).toEqual([])
  })

  it('what came from one is called off at the other', () => {
    const scene = late()
    const copy = scene.asks(LATE_MS).find(words => words.endsWith('0'))
    scene.came(0, 'a', LATE_MS + 1)
    expect(scene.asks(LATE_MS + 2)).toEqual([copy?.replace('ask', 'cancel')])
  })

  it('nothing is asked twice while there is something that nobody was asked for', () => {
    const scene = lacking(3)
    scene.joined('a', 'all')
    const asked = scene.asks(0, { room: 2 })
    scene.joined('b', 'all', {}, 1)
    const [next] = scene.asks(LATE_MS, { room: 1 })
    expect(new Set([...asked, next].map(words => words?.slice(-1)))).toEqual(new Set(['0', '1', '2']))
  })

  it('a late request no longer fills the pipe', () => {
    const scene = late()
    expect(scene.session.onTime(100)).toBe(2)
    expect(scene.session.onTime(LATE_MS)).toBe(0)
    expect(scene.session.requested).toBe(2)
  })

  it.each([
    ['three of three near members', 'abc', '', true, 0],
    ['four of four near members', 'abcd', '', true, 4],
    ['four of nine near members', 'abcd', 'efghi', true, 5],
    ['four of seven near members', 'abcd', 'efg', true, 7],
    ['four far members', 'abcd', '', false, 0]
  ])('it does where it is our own link that is slow: %s are late', (_, late, prompt, isNear, onTime) => {
    const scene = lacking(16)
    for (const [ids, nowMs] of [[late, 0], [prompt, LATE_MS]] as const) {
      for (const id of ids) {
        scene.joined(id, 'all', { isNear }, nowMs)
        expect(scene.asks(nowMs, { room: 1, window: 1 })).toEqual([expect.stringMatching(`^ask ${id} `)])
      }
    }
    expect(scene.session.onTime(LATE_MS)).toBe(onTime)
  })

  it('of a small blob what is late is asked of one more sooner', () => {
    const scene = new SessionScene(1)
    scene.joined('a', 'all')
    scene.asks(0)
    scene.joined('b', 'all', {}, 1)
    expect(scene.asks(200)).toEqual([])
    expect(scene.asks(230)).toEqual(['ask b 0'])
  })
})

describe('a member that let what it was asked for lapse', () => {
  it('is asked behind one that is slow, though nobody knows how long it takes', () => {
    const scene = lacking(4)
    scene.joined('silent', 'all')
    expect(scene.asks(0, { room: 1 })).toEqual(['ask silent 0'])
    scene.joined('slow', 'all')
    expect(scene.asks(1000, { room: 1 }).sort()).toEqual(['ask slow 0', 'cancel silent 0'])
    scene.came(0, 'slow', 1800)
    // it has rested, and may be asked again
    expect(scene.asks(1800, { room: 2, window: 1 })).toEqual(['ask slow 1', 'ask silent 2'])
  })
})
