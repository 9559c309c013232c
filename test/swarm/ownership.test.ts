import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OwnershipSeed, standingOf } from '../../src/swarm/ownership.ts'

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`
const GROUPS = 4096

const swarms = fc.record({
  digest: fc.string({ minLength: 1, maxLength: 20 }),
  peers: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 2, maxLength: 16 })
})

function owners (digest: string, peers: readonly string[]): string[] {
  const seeds = peers.map(peer => ({ peer, seed: new OwnershipSeed(digest, peer) }))
  return Array.from({ length: GROUPS }, (_, group) => seeds.reduce((best, one) => one.seed.rank(group) > best.seed.rank(group) ? one : best).peer)
}

describe('a rank', () => {
  // computed apart, in another language, by the formula beside the class
  it.each([
    ['12D3KooWA', 0, 2301307833],
    ['12D3KooWA', 1, 886557621],
    ['12D3KooWA', 63, 508510638],
    ['12D3KooWA', 4095, 3576854979],
    ['12D3KooWB', 0, 49571524],
    ['12D3KooWB', 1, 2081257144],
    ['12D3KooWB', 63, 3974915041],
    ['12D3KooWB', 4095, 258504461],
    ['', 0, 2742293949],
    ['', 1, 2315670590],
    ['', 63, 1787572268],
    ['', 4095, 438743262]
  ])('of %s for group %i is %i', (peer, group, rank) => {
    expect(new OwnershipSeed(DIGEST, peer).rank(group)).toBe(rank)
  })

  it.each([
    ['12D3KooWA', 1631420996],
    ['12D3KooWB', 3752827030],
    ['', 4081461470]
  ])('of %s for the last of all numbers is its standing, %i', (peer, standing) => {
    expect(standingOf(new OwnershipSeed(DIGEST, peer))).toBe(standing)
  })

  it('is an unsigned number of 32 bits', () => {
    fc.assert(fc.property(fc.string(), fc.string(), fc.nat(2 ** 20), (digest, peer, group) => {
      const rank = new OwnershipSeed(digest, peer).rank(group)
      expect(rank).toBe(rank >>> 0)
    }))
  })
})

describe('the owners', () => {
  it('have shares alike', () => {
    fc.assert(fc.property(swarms, ({ digest, peers }) => {
      const shares = new Map(peers.map(peer => [peer, 0]))
      for (const owner of owners(digest, peers)) shares.set(owner, (shares.get(owner) ?? 0) + 1)
      const even = GROUPS / peers.length
      for (const share of shares.values()) {
        // five standard deviations of groups thrown at random
        expect(Math.abs(share - even)).toBeLessThan(5 * Math.sqrt(even))
      }
    }), { numRuns: 30 })
  })

  it('stay when one leaves or comes, but for its own share', () => {
    fc.assert(fc.property(swarms, ({ digest, peers }) => {
      const [one, ...others] = peers
      const without = owners(digest, others)
      for (const [group, owner] of owners(digest, peers).entries()) {
        if (owner !== one) expect(without[group]).toBe(owner)
      }
    }), { numRuns: 30 })
  })

  it('are others for another blob', () => {
    const peers = ['a', 'b', 'c', 'd']
    const other = owners('sha256:other', peers)
    const same = owners(DIGEST, peers).filter((owner, group) => owner === other[group]).length
    expect(same / GROUPS).toBeGreaterThan(0.15)
    expect(same / GROUPS).toBeLessThan(0.35)
  })
})
