import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PeerScore } from '../../src/swarm/peer-score.ts'

const NOW = 1_000_000

describe('a peer that failed', () => {
  test('rests twice as long each time, at most a minute', () => {
    const score = new PeerScore()
    for (const restMs of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
      score.failed('a', NOW)
      expect(score.isResting('a', NOW + restMs - 1)).toBe(true)
      expect(score.isResting('a', NOW + restMs)).toBe(false)
    }
  })

  test('is forgiven when it delivers', () => {
    const score = new PeerScore()
    score.failed('a', NOW)
    score.failed('a', NOW)
    score.delivered('a', 0, 0)
    expect(score.isResting('a', NOW)).toBe(false)
    score.failed('a', NOW)
    expect(score.isResting('a', NOW + 1000)).toBe(false)
  })
})

describe('a peer that lied', () => {
  test('is banned until the ban ends, and named', () => {
    const score = new PeerScore({ banTimeMs: 100 })
    expect(score.ban('a', 'flipped', NOW)).toEqual({ peer: 'a', reason: 'flipped', sinceMs: NOW, untilMs: NOW + 100 })
    expect(score.isBanned('a', NOW + 99)).toBe(true)
    expect(score.bans(NOW + 99)).toHaveLength(1)
    expect(score.isBanned('a', NOW + 100)).toBe(false)
    expect(score.bans(NOW + 100)).toEqual([])
  })

  test('is not let off by another ban that would end earlier', () => {
    const score = new PeerScore({ banTimeMs: 100 })
    score.ban('a', 'first', NOW)
    expect(score.ban('a', 'clock set back', NOW - 50)).toMatchObject({ reason: 'first', untilMs: NOW + 100 })
  })

  test('stays banned whatever it delivers', () => {
    const score = new PeerScore()
    score.ban('a', 'flipped', NOW)
    score.delivered('a', 1e9, 1)
    expect(score.rank(['a', 'b'], NOW)).toEqual(['b'])
  })
})

test('the fastest come first, the resting last, the banned not at all', () => {
  const score = new PeerScore()
  score.delivered('slow', 1000, 1000)
  score.delivered('fast', 1_000_000, 1000)
  score.delivered('resting', 1_000_000_000, 1000)
  score.failed('resting', NOW)
  score.failed('resting unknown', NOW)
  score.ban('banned', 'flipped', NOW)
  expect(score.rank(['banned', 'resting unknown', 'unknown', 'resting', 'slow', 'fast'], NOW)).toEqual(['fast', 'slow', 'unknown', 'resting', 'resting unknown'])
})

test('an empty delivery says nothing of the pace', () => {
  const score = new PeerScore()
  score.delivered('a', 1000, 1)
  for (let index = 0; index < 20; index++) score.delivered('a', 0, 1)
  score.delivered('b', 500, 1)
  expect(score.rank(['b', 'a'], NOW)).toEqual(['a', 'b'])
})

describe('whatever happens', () => {
  const peer = fc.integer({ min: 0, max: 20 }).map(String)
  const fact = fc.record({ peer, what: fc.constantFrom('delivered', 'failed', 'ban'), bytes: fc.nat(), durationMs: fc.integer({ min: -5, max: 10_000 }) })

  test('a ranking is a part of those asked about, each once, without the banned', () => {
    fc.assert(fc.property(fc.array(fact), fc.uniqueArray(peer), (facts, asked) => {
      const score = new PeerScore()
      for (const { peer, what, bytes, durationMs } of facts) {
        if (what === 'delivered') score.delivered(peer, bytes, durationMs)
        else if (what === 'failed') score.failed(peer, NOW)
        else score.ban(peer, 'lied', NOW)
      }
      const ranking = score.rank(asked, NOW)
      expect([...ranking].sort()).toEqual(asked.filter(peer => !score.isBanned(peer, NOW)).sort())
      const firstResting = ranking.findIndex(peer => score.isResting(peer, NOW))
      if (firstResting !== -1) expect(ranking.slice(firstResting).every(peer => score.isResting(peer, NOW))).toBe(true)
    }))
  })

  test('no more peers are remembered than allowed, and banned ones longest', () => {
    const score = new PeerScore({ maxPeers: 3 })
    score.ban('banned', 'lied', NOW)
    for (let index = 0; index < 100; index++) score.failed(`peer ${index}`, NOW)
    expect(score.isBanned('banned', NOW)).toBe(true)
    expect(score.isResting('peer 97', NOW)).toBe(false)
    expect(score.isResting('peer 98', NOW)).toBe(true)
    for (let index = 0; index < 4; index++) score.ban(`liar ${index}`, 'lied', NOW)
    expect(score.bans(NOW).map(ban => ban.peer)).toEqual(['liar 1', 'liar 2', 'liar 3'])
  })
})
