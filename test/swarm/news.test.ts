import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { News } from '../../src/swarm/news.ts'

/** What each member was told, message by message. */
function listeners (names: readonly string[], isHere: (piece: number) => boolean = () => true): { news: News<string>, told: Record<string, Array<readonly number[]>>, members: string[] } {
  const members = [...names]
  const told: Record<string, Array<readonly number[]>> = {}
  const news = new News<string>({
    members: () => members,
    isHere,
    longest: 4096,
    tell: (member, pieces) => { (told[member] ??= []).push(pieces) },
    now: () => performance.now(),
    after: (delayMs, run) => {
      const timer = setTimeout(run, delayMs)
      return () => { clearTimeout(timer) }
    }
  })
  return { news, told, members }
}

describe('News', () => {
  beforeEach(() => { vi.useFakeTimers() })
  afterEach(() => { vi.useRealTimers() })

  it('tells all after a while, in one ascending list each', () => {
    const { news, told } = listeners(['a', 'b'])
    news.add([5])
    news.add([3, 4])
    expect(told).toEqual({})
    vi.advanceTimersByTime(1000)
    expect(told).toEqual({ a: [[3, 4, 5]], b: [[3, 4, 5]] })
  })

  it('tells a member before, when something is said to it, and then only the rest', () => {
    const { news, told } = listeners(['a', 'b'])
    news.add([1])
    news.tell('a')
    news.tell('a')
    news.add([2])
    vi.advanceTimersByTime(1000)
    expect(told).toEqual({ a: [[1], [2]], b: [[1, 2]] })
  })

  it('sends no message of its own to who has heard with something else a moment ago', () => {
    const { news, told } = listeners(Array.from({ length: 10 }, (_, index) => `member ${index}`))
    for (let piece = 0; piece < 20; piece++) {
      news.add([piece])
      vi.advanceTimersByTime(20)
      news.tell('member 0')
    }
    vi.advanceTimersByTime(1000)
    expect(told['member 0']).toHaveLength(20)
    expect(told['member 1']?.flat()).toHaveLength(20)
    // 400 ms are three times what ten members make it wait
    expect(told['member 1']?.length).toBeLessThanOrEqual(4)
  })

  it('gathers some where pieces come slowly, but for 600 ms at the most', () => {
    const { news, told } = listeners(['a'])
    for (let piece = 0; piece < 60; piece++) {
      news.add([piece])
      vi.advanceTimersByTime(80)
    }
    const lengths = told['a']?.map(pieces => pieces.length) ?? []
    expect(lengths[0]).toBe(1)
    expect(lengths.at(-1)).toBeGreaterThanOrEqual(4)
    for (let piece = 60; piece < 80; piece++) {
      news.add([piece])
      vi.advanceTimersByTime(601)
      expect(told['a']?.at(-1)).toContain(piece)
    }
  })

  it('tells within 5 ms of what hardly anybody has, and of all else with it, as often as there is such news', () => {
    const { news, told } = listeners(['a', 'b'])
    news.add([5])
    vi.advanceTimersByTime(1)
    news.add([3], { isRare: true })
    vi.advanceTimersByTime(4)
    news.add([4], { isRare: true })
    expect(told).toEqual({})
    vi.advanceTimersByTime(1)
    expect(told).toEqual({ a: [[3, 4, 5]], b: [[3, 4, 5]] })
    news.add([6])
    news.add([7], { isRare: true })
    vi.advanceTimersByTime(5)
    expect(told['a']).toEqual([[3, 4, 5], [6, 7]])
    vi.advanceTimersByTime(1000)
    expect(told['a']).toHaveLength(2)
    news.add([8], { isRare: true })
    news.stop()
    news.add([9], { isRare: true })
    vi.advanceTimersByTime(5)
    expect(told['a']?.at(-1)).toEqual([8, 9])
  })

  it('does not repeat to a member what it has learned otherwise', () => {
    const { news, told, members } = listeners(['a'])
    news.add([1])
    members.push('b')
    news.know('b')
    news.add([2])
    vi.advanceTimersByTime(1000)
    expect(told['b']).toEqual([[2]])
  })

  it('says nothing of a piece that is gone again', () => {
    const { news, told } = listeners(['a'], piece => piece !== 2)
    news.add([1, 2])
    vi.advanceTimersByTime(1000)
    expect(told).toEqual({ a: [[1]] })
  })

  it('splits what is more than a message may list', () => {
    const { news, told } = listeners(['a'])
    news.add(Array.from({ length: 5120 }, (_, piece) => piece))
    vi.advanceTimersByTime(1000)
    expect(told['a']?.map(pieces => pieces.length)).toEqual([4096, 1024])
  })

  it('says nothing after its end', () => {
    const { news, told } = listeners(['a'])
    news.add([1])
    news.stop()
    vi.advanceTimersByTime(1000)
    expect(told).toEqual({})
  })

  it('tells every member of every piece exactly once, whatever is said meanwhile', () => {
    fc.assert(fc.property(fc.array(fc.oneof(
      fc.record({ type: fc.constant('add' as const), isRare: fc.boolean() }),
      fc.record({ type: fc.constant('tell' as const), member: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 300 }) })
    ), { maxLength: 60 }), steps => {
      const { news, told } = listeners(['a', 'b', 'c'])
      let next = 0
      for (const step of steps) {
        if (step.type === 'add') news.add([next++], { isRare: step.isRare })
        else if (step.type === 'tell') news.tell(step.member)
        else vi.advanceTimersByTime(step.ms)
      }
      vi.advanceTimersByTime(1000)
      const all = Array.from({ length: next }, (_, piece) => piece)
      for (const member of ['a', 'b', 'c']) expect((told[member] ?? []).flat()).toEqual(all)
    }))
  })
})
