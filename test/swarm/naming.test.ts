import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { whomToName } from '../../src/swarm/naming.ts'

const random = (): number => 0.5
const isHome = (agent: string): boolean => agent.startsWith('home')
const agents = (name: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${name} ${index}`)

describe('who is named', () => {
  it('are those that read from the origin before all, then some of the zone of who hears it, then others', () => {
    const named = whomToName({ hearer: 'hearer', foremost: ['reader'], others: [...agents('far', 40), ...agents('home', 3), 'reader'], isHome, most: 9, random })
    expect(named[0]).toBe('reader')
    expect(named.slice(1, 4).sort()).toEqual(agents('home', 3))
    expect(named.slice(4).every(agent => agent.startsWith('far'))).toBe(true)
  })

  it('are never of one zone alone, where there are others', () => {
    const named = whomToName({ hearer: 'hearer', foremost: [], others: [...agents('home', 40), ...agents('far', 40)], isHome, most: 8, random: Math.random })
    expect(named.slice(0, 4).every(isHome)).toBe(true)
    const many = Array.from({ length: 50 }, () => whomToName({ hearer: 'hearer', foremost: [], others: [...agents('home', 40), ...agents('far', 40)], isHome, most: 8, random: Math.random }))
    expect(many.flat().some(agent => !isHome(agent))).toBe(true)
  })

  it('are of those without room only such of its zone, and never who hears it', () => {
    const named = whomToName({ hearer: 'home 0', foremost: ['home 0', 'reader'], others: ['home 0', 'far 0'], aside: [...agents('home', 2), 'far 1'], isHome, most: 9, random })
    expect(named).toEqual(['reader', 'home 1', 'far 0'])
  })

  it('are different ones, known, and as many as may be', () => {
    fc.assert(fc.property(fc.nat(6), fc.nat(12), fc.nat(12), fc.integer({ min: 1, max: 10 }), (readers, home, far, most) => {
      const foremost = agents('home', readers)
      const others = [...agents('home', home), ...agents('far', far)]
      const named = whomToName({ hearer: 'hearer', foremost, others, isHome, most, random: Math.random })
      const all = new Set([...foremost, ...others])
      expect(new Set(named).size).toBe(named.length)
      expect(named.every(agent => all.has(agent))).toBe(true)
      expect(named).toHaveLength(Math.min(all.size, most))
    }))
  })
})
