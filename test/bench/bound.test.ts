import { describe, expect, it } from 'vitest'
import { completionBound, pieceCount } from '../../bench/rollout/bound.ts'

const MIB = 1024 * 1024

describe('the completion bound', () => {
  it('is one transfer of the image when there is one host', () => {
    expect(completionBound({ hosts: 1, bytesPerSecond: 10e6, blobs: [20e6, 30e6] })).toBe(5)
  })

  it('adds one piece for each doubling of the hosts', () => {
    const blobs = [32 * MIB, 32 * MIB]
    expect(pieceCount(blobs)).toBe(512)
    expect(completionBound({ hosts: 16, bytesPerSecond: 10e6, blobs })).toBeCloseTo(64 * MIB / 10e6 * (1 + 4 / 512), 9)
    expect(completionBound({ hosts: 31, bytesPerSecond: 10e6, blobs })).toBe(completionBound({ hosts: 16, bytesPerSecond: 10e6, blobs }))
  })

  it('counts a small blob as one piece', () => {
    expect(pieceCount([0, 1, 128 * 1024, 128 * 1024 + 1])).toBe(5)
  })
})
