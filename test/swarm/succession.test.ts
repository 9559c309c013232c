import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OwnershipSeed } from '../../src/swarm/ownership.ts'
import { Succession } from '../../src/swarm/succession.ts'

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`
const peers = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 12 })

/** Highest rank first. */
function ranked (names: readonly string[]): string[] {
  const rank = (name: string): number => new OwnershipSeed(DIGEST, name).rank(0)
  return [...names].sort((a, b) => rank(b) - rank(a))
}

const [first, second, third, fourth, fifth] = ranked(['a', 'b', 'c', 'd', 'e']) as [string, string, string, string, string]

function of (self: string, others: readonly string[], { isCandidate = true, patienceMs = 400 }: { isCandidate?: boolean, patienceMs?: number } = {}): Succession {
  const succession = new Succession({ self, digest: DIGEST, isCandidate, patienceMs })
  for (const other of others) if (other !== self) succession.joined(other)
  return succession
}

describe('whose turn it is', () => {
  it('is one\'s own at once where nobody else lacks it', () => {
    expect(of(first, []).next(0)).toBeUndefined()
    expect(of(first, [], { isCandidate: false }).next(0)).toBeUndefined()
  })

  it('is exactly one\'s among those who know of each other', () => {
    fc.assert(fc.property(peers, names => {
      const reading = names.filter(name => of(name, names).next(0) === undefined)
      expect(reading).toEqual([ranked(names)[0]])
    }))
  })

  it('is never that of one who may not: it waits for whoever may', () => {
    expect(of(first, [second], { isCandidate: false }).next(0)).toBe(400)
    expect(of(first, [second]).next(0)).toBeUndefined()
  })

  it('is that of who says that it reads, whatever its rank', () => {
    const succession = of(first, [second, third])
    succession.takes(third, 5)
    expect(succession.next(10)).toBe(405)
    expect(succession.awaited).toBe(third)
  })

  it('passes to the next in rank when nothing is heard for 400 ms', () => {
    const succession = of(second, [first, third])
    expect(succession.next(0)).toBe(400)
    expect(succession.next(399)).toBe(400)
    expect(succession.next(400)).toBeUndefined()
    const after = of(third, [first, second])
    expect(after.next(0)).toBe(400)
    expect(after.next(400)).toBe(800)
    expect(after.awaited).toBe(second)
  })

  it('passes when who reads takes longer than the origin needs', () => {
    const succession = of(second, [first], { patienceMs: 900 })
    expect(succession.next(0)).toBe(900)
    succession.takes(first, 100)
    expect(succession.next(200)).toBe(1000)
    succession.takes(first, 900)
    expect(succession.next(1000)).toBeUndefined()
  })

  it('passes at once when the origin gives nothing to who reads, or it is gone', () => {
    const succession = of(third, [first, second])
    succession.takes(first, 0)
    succession.fails(first)
    expect(succession.next(1)).toBe(401)
    expect(succession.awaited).toBe(second)
    succession.gone(second)
    expect(succession.next(2)).toBeUndefined()
    expect(succession.awaited).toBeUndefined()
  })

  it('does not come again to one whose turn was in vain', () => {
    const succession = of(second, [first])
    succession.fails(first)
    succession.joined(first)
    succession.takes(first, 0)
    expect(succession.next(0)).toBeUndefined()
  })

  it('is everybody\'s after three in vain', () => {
    const succession = of(fifth, [first, second, third, fourth])
    for (const peer of [first, second]) succession.fails(peer)
    expect(succession.next(0)).toBe(400)
    succession.fails(third)
    expect(succession.next(1)).toBeUndefined()
  })

  it('is everybody\'s when who has read it may not give it', () => {
    const succession = of(third, [first, second])
    succession.takes(first, 0)
    succession.denies(first)
    expect(succession.next(1)).toBeUndefined()
  })

  it('is the next one\'s when somebody that has not read it does not give to us', () => {
    const succession = of(third, [first, second])
    succession.denies(first)
    succession.next(0)
    expect(succession.awaited).toBe(second)
  })

  it('is that of others once the origin has given us nothing', () => {
    const succession = of(first, [second])
    expect(succession.next(0)).toBeUndefined()
    succession.failed()
    expect(succession.next(5_000)).toBe(5_400)
  })

  it('is kept for 512 others and no more', () => {
    const succession = of('self', Array.from({ length: 600 }, (_, index) => `other ${index}`), { isCandidate: false })
    for (let index = 0; index < 512; index++) succession.gone(`other ${index}`)
    expect(succession.next(0)).toBeUndefined()
  })
})

describe('waiting', () => {
  type Fact = readonly ['joined' | 'takes' | 'fails' | 'denies' | 'gone', string, number]
  const facts: fc.Arbitrary<Fact[]> = fc.array(fc.tuple(fc.constantFrom('joined', 'takes', 'fails', 'denies', 'gone'), fc.constantFrom(first, second, third, fourth), fc.integer({ min: 0, max: 600 })), { maxLength: 60 })

  it('ends within three seconds whatever the others say, and is always for one of them', () => {
    fc.assert(fc.property(facts, fc.boolean(), fc.integer({ min: 1, max: 5_000 }), (told, isCandidate, patienceMs) => {
      const succession = of(fifth, [first, second], { isCandidate, patienceMs })
      const startedMs = 0
      let nowMs = startedMs
      succession.next(startedMs)
      for (const [what, peer, ms] of told) {
        const untilMs = succession.next(nowMs)
        if (untilMs === undefined) return
        expect(untilMs).toBeGreaterThan(nowMs)
        expect(untilMs).toBeLessThanOrEqual(startedMs + 3_000)
        expect([first, second, third, fourth]).toContain(succession.awaited)
        nowMs = Math.min(nowMs + ms, untilMs)
        if (what === 'takes') succession.takes(peer, nowMs)
        else succession[what](peer)
      }
      expect(succession.next(startedMs + 3_000)).toBeUndefined()
    }))
  })
})
