import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OwnershipSeed } from '../../src/swarm/ownership.ts'

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`
const PIECES = 4096

const swarms = fc.record({
  digest: fc.string({ minLength: 1, maxLength: 20 }),
  peers: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 2, maxLength: 16 })
})

function owners (digest: string, peers: readonly string[]): string[] {
  const seeds = peers.map(peer => ({ peer, seed: new OwnershipSeed(digest, peer) }))
  return Array.from({ length: PIECES }, (_, piece) => seeds.reduce((best, one) => one.seed.rank(piece) > best.seed.rank(piece) ? one : best).peer)
}

describe('a rank', () => {
  // computed apart, in another language, by the formula beside the class
  it.each([
    ['12D3KooWA', 0, 2301307833],
    ['12D3KooWA', 3, 2301307833],
    ['12D3KooWA', 4, 886557621],
    ['12D3KooWA', 255, 508510638],
    ['12D3KooWA', 16383, 3576854979],
    ['12D3KooWB', 0, 49571524],
    ['12D3KooWB', 3, 49571524],
    ['12D3KooWB', 4, 2081257144],
    ['12D3KooWB', 255, 3974915041],
    ['12D3KooWB', 16383, 258504461],
    ['', 0, 2742293949],
    ['', 3, 2742293949],
    ['', 4, 2315670590],
    ['', 255, 1787572268],
    ['', 16383, 438743262]
  ])('of %s for piece %i is %i', (peer, piece, rank) => {
    expect(new OwnershipSeed(DIGEST, peer).rank(piece)).toBe(rank)
  })

  it('is the same for the four pieces of a group, and an unsigned number of 32 bits', () => {
    fc.assert(fc.property(fc.string(), fc.string(), fc.nat(2 ** 20), (digest, peer, group) => {
      const seed = new OwnershipSeed(digest, peer)
      const ranks = [0, 1, 2, 3].map(offset => seed.rank(4 * group + offset))
      expect(new Set(ranks)).toEqual(new Set([seed.order(group)]))
      expect(ranks[0]).toBe((ranks[0] ?? -1) >>> 0)
    }))
  })
})

describe('the owners', () => {
  it('have shares alike', () => {
    fc.assert(fc.property(swarms, ({ digest, peers }) => {
      const shares = new Map(peers.map(peer => [peer, 0]))
      for (const owner of owners(digest, peers)) shares.set(owner, (shares.get(owner) ?? 0) + 1)
      const even = PIECES / peers.length
      for (const share of shares.values()) {
        // five standard deviations of 1024 groups thrown at random
        expect(Math.abs(share - even)).toBeLessThan(5 * 4 * Math.sqrt(PIECES / 4 / peers.length))
      }
    }), { numRuns: 30 })
  })

  it('stay when one leaves or comes, but for its own share', () => {
    fc.assert(fc.property(swarms, ({ digest, peers }) => {
      const [one, ...others] = peers
      const without = owners(digest, others)
      for (const [piece, owner] of owners(digest, peers).entries()) {
        if (owner !== one) expect(without[piece]).toBe(owner)
      }
    }), { numRuns: 30 })
  })

  it('are others for another blob', () => {
    const peers = ['a', 'b', 'c', 'd']
    const other = owners('sha256:other', peers)
    const same = owners(DIGEST, peers).filter((owner, piece) => owner === other[piece]).length
    expect(same / PIECES).toBeGreaterThan(0.15)
    expect(same / PIECES).toBeLessThan(0.35)
  })
})
