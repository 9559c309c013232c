import { describe, expect, it } from 'vitest'
import { Unanswered } from '../../src/swarm/unanswered.ts'

describe('who has not answered', () => {
  it('is waited for as long as the grace lasts', () => {
    const unanswered = new Unanswered(100)
    unanswered.asked('a', undefined)
    expect(unanswered.leftMs(0)).toBe(100)
    expect(unanswered.leftMs(60)).toBe(40)
    expect(unanswered.leftMs(100)).toBe(0)
    expect(unanswered.leftMs(500)).toBe(0)
  })

  it('is waited for ten times as long when it has wanted the blob for two graces', () => {
    const unanswered = new Unanswered(100)
    unanswered.asked('late', 199)
    expect(unanswered.leftMs(100)).toBe(0)
    unanswered.asked('early', 200)
    expect(unanswered.leftMs(100)).toBe(900)
    expect(unanswered.answered('early')).toBe(true)
    expect(unanswered.leftMs(100)).toBe(0)
  })

  it('keeps nobody waiting once its time is over, though it stays silent', () => {
    const unanswered = new Unanswered(100)
    unanswered.asked('silent', undefined)
    unanswered.asked('early', 200)
    unanswered.asked('earlier', 300)
    expect(unanswered.leftMs(100)).toBe(900)
    expect(unanswered.answered('early')).toBe(false)
    expect(unanswered.answered('earlier')).toBe(true)
    expect(unanswered.isEmpty).toBe(false)
  })

  it('are none when the last has answered, which is told once', () => {
    const unanswered = new Unanswered(100)
    expect(unanswered.isEmpty).toBe(true)
    expect(unanswered.answered('a')).toBe(false)
    unanswered.asked('a', undefined)
    unanswered.asked('b', undefined)
    expect(unanswered.isEmpty).toBe(false)
    expect(unanswered.answered('a')).toBe(false)
    expect(unanswered.answered('b')).toBe(true)
    expect(unanswered.answered('b')).toBe(false)
    expect(unanswered.isEmpty).toBe(true)
  })
})
