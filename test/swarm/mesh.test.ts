import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Mesh } from '../../src/swarm/mesh.ts'

const LIMIT = 8

/** Numbers in [0, 1) that are the same for the same seed. */
function randomOf (seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function meshOf ({ seed = 1, isDelivering = () => false, sought = [], isHome }: { seed?: number, isDelivering?: (peer: string) => boolean, sought?: readonly string[], isHome?: (peer: string) => boolean } = {}): Mesh {
  return new Mesh({ limit: LIMIT, random: randomOf(seed), isDelivering, sought: () => sought, isHome })
}

/** Fills a mesh with members: `near 0`, `far 0` and so on. */
function filled (mesh: Mesh, near: number, far: number, nowMs = 0): Mesh {
  for (let index = 0; index < near; index++) mesh.joined(`near ${index}`, true, nowMs)
  for (let index = 0; index < far; index++) mesh.joined(`far ${index}`, false, nowMs)
  return mesh
}

const fact = fc.record({
  what: fc.constantFrom('knows', 'joined', 'left', 'forget', 'next', 'next'),
  peer: fc.nat(30).map(index => `peer ${index}`),
  isNear: fc.boolean(),
  afterMs: fc.nat(3000)
})

describe('a mesh', () => {
  it('never has more members than its limit, and leaves nobody who delivers, nobody it has not', () => {
    fc.assert(fc.property(fc.array(fact, { maxLength: 200 }), fc.nat(1000), (facts, seed) => {
      const isDelivering = (peer: string): boolean => Number(peer.slice(5)) % 3 === 0
      const sought = ['peer 1', 'peer 2']
      const mesh = meshOf({ seed, isDelivering, sought, isHome: peer => peer.endsWith('0') })
      const members = new Set<string>()
      const asked = new Set<string>()
      const leave = (peer: string | undefined): void => {
        if (peer === undefined) return
        expect(members.delete(peer)).toBe(true)
        expect(isDelivering(peer) || sought.includes(peer)).toBe(false)
      }
      let nowMs = 0
      for (const { what, peer, isNear, afterMs } of facts) {
        nowMs += afterMs
        if (what === 'knows') mesh.knows(peer, isNear, nowMs)
        else if (what === 'joined') {
          const { isAdmitted, leave: gone } = mesh.joined(peer, isNear, nowMs)
          leave(gone)
          if (isAdmitted) members.add(peer)
          expect(isAdmitted || !members.has(peer)).toBe(true)
          if (isAdmitted) asked.delete(peer)
        } else if (what === 'next') {
          for (const decision of mesh.next(nowMs)) {
            if (decision.type === 'leave') leave(decision.peer)
            else asked.add(decision.peer)
            if (decision.type === 'ask') expect(members.has(decision.peer)).toBe(false)
          }
        } else {
          if (what === 'left') mesh.left(peer, nowMs)
          else mesh.forget(peer)
          members.delete(peer)
          asked.delete(peer)
        }
        expect(mesh.degree).toBeLessThanOrEqual(LIMIT)
        expect(mesh.degree).toBeGreaterThanOrEqual(members.size)
        expect(mesh.degree).toBeLessThanOrEqual(members.size + asked.size)
      }
    }))
  })

  it('asks half as many as it may have at once, more in time, and leaves a quarter of the places to those who come', () => {
    const mesh = meshOf()
    for (let index = 0; index < 20; index++) mesh.knows(`peer ${index}`, true, 0)
    const ask = (nowMs: number): number => {
      const asked = mesh.next(nowMs)
      for (const { peer } of asked) mesh.joined(peer, true, nowMs)
      return asked.length
    }
    expect([ask(0), ask(0), ask(250), ask(500), ask(9000)]).toEqual([4, 0, 1, 1, 0])
    expect([mesh.joined('comes', true, 9000), mesh.joined('comes too', true, 9000)]).toEqual([{ isAdmitted: true, leave: undefined }, { isAdmitted: true, leave: undefined }])
    expect(mesh.degree).toBe(LIMIT)
  })

  it('asks those who are sought at once, though half of the places are filled, and before all others', () => {
    const sought = ['sought 0', 'sought 1']
    const mesh = filled(meshOf({ sought }), 4, 0)
    for (const peer of ['any', ...sought]) mesh.knows(peer, true, 0)
    expect(mesh.next(0).map(({ peer }) => peer)).toEqual(sought)
    expect(mesh.next(0)).toEqual([])
    mesh.left('sought 0', 0)
    expect(mesh.next(0)).toEqual([])
    expect(mesh.next(10_000).map(({ peer }) => peer)).toContain('sought 0')
  })

  it('makes room for those who are sought, however young the others are, unless they deliver; and keeps them', () => {
    for (let seed = 1; seed < 20; seed++) {
      const sought = ['sought 0', 'sought 1']
      const busy = new Set(['near 0', 'near 1', 'far 0'])
      const mesh = filled(meshOf({ seed, sought, isDelivering: peer => busy.has(peer) }), 5, 3)
      mesh.knows('sought 0', true, 0)
      const [left, asked] = mesh.next(0)
      expect(left?.type).toBe('leave')
      expect(busy.has(left?.peer ?? '')).toBe(false)
      expect(asked).toEqual({ type: 'ask', peer: 'sought 0' })
      expect(mesh.joined('sought 0', true, 1)).toEqual({ isAdmitted: true, leave: undefined })
      const { isAdmitted, leave } = mesh.joined('sought 1', false, 1)
      expect(isAdmitted).toBe(true)
      expect(leave).toMatch(/^(near [2-4]|far [12])$/)
      for (let comer = 0; comer < 20; comer++) expect(sought).not.toContain(mesh.joined(`comer ${comer}`, comer % 2 === 0, 5000 * (comer + 1)).leave)
    }
    const all = filled(meshOf({ sought: ['sought'], isDelivering: () => true }), 8, 0)
    all.knows('sought', true, 0)
    expect([all.next(0), all.joined('sought', true, 0)]).toEqual([[], { isAdmitted: false }])
  })

  it('sends nobody of its zone away for those who are sought, while there are others', () => {
    for (let seed = 1; seed < 20; seed++) {
      const sought = ['sought']
      const mesh = filled(meshOf({ seed, sought, isHome: peer => peer.startsWith('near') }), 7, 1)
      expect(mesh.joined('sought', false, 0)).toEqual({ isAdmitted: true, leave: 'far 0' })
    }
    const all = filled(meshOf({ sought: ['sought'], isHome: peer => peer.startsWith('near') }), 8, 0)
    expect(all.joined('sought', false, 0).leave).toMatch(/^near/)
  })

  it('remembers who would be a member if there had been room, until it is one, is asked, or has not the blob', () => {
    const mesh = filled(meshOf(), 8, 0)
    for (const peer of ['full', 'has not the blob', 'gone']) mesh.knows(peer, true, 0)
    expect(mesh.joined('comes', true, 0).isAdmitted).toBe(false)
    mesh.left('full', 0)
    mesh.left('has not the blob', 0, { forMs: Infinity })
    mesh.left('gone', 0)
    mesh.forget('gone')
    mesh.left('near 3', 500)
    expect(mesh.aside.sort()).toEqual(['comes', 'full', 'near 3'])
    expect(mesh.joined('comes', true, 500).isAdmitted).toBe(true)
    mesh.left('near 3', 500, { forMs: Infinity })
    expect(mesh.aside).toEqual(['full'])
    for (const peer of ['near 0', 'near 1', 'near 2', 'near 4', 'near 5']) mesh.left(peer, 9999, { forMs: Infinity })
    expect([mesh.next(10_000), mesh.aside]).toEqual([[{ type: 'ask', peer: 'full' }], []])
  })

  it('takes those of its zone in place of far ones beyond their share, however young, but for those who deliver', () => {
    const isHome = (peer: string): boolean => peer.startsWith('home')
    const mesh = filled(meshOf({ isHome, isDelivering: peer => peer === 'far 0' }), 3, 5)
    expect(mesh.farSurplus).toBe(3)
    for (const peer of ['home 0', 'home 1', 'any']) mesh.knows(peer, true, 0)
    const decisions = mesh.next(0)
    expect(decisions.filter(({ type }) => type === 'ask').map(({ peer }) => peer)).toEqual(['home 0', 'home 1'])
    const left = decisions.filter(({ type }) => type === 'leave').map(({ peer }) => peer)
    expect(left).toHaveLength(2)
    for (const peer of left) expect(peer).toMatch(/^far [1-4]$/)
    expect(mesh.joined('home 2', true, 0)).toEqual({ isAdmitted: true, leave: expect.stringMatching(/^far [1-4]$/) as string })
    expect([mesh.farSurplus, mesh.joined('home 3', true, 0)]).toEqual([0, { isAdmitted: false }])
  })

  it('asks those of its zone beside its members while there is room, and no more than have far ones in their places', () => {
    const mesh = filled(meshOf({ isHome: () => true }), 0, 4)
    for (let index = 0; index < 5; index++) mesh.knows(`home ${index}`, true, 0)
    expect(mesh.next(0).map(({ type }) => type)).toEqual(['ask', 'ask'])
  })

  it('seeks no more than a quarter of those that it may have', () => {
    const sought = Array.from({ length: LIMIT }, (_, index) => `sought ${index}`)
    const mesh = filled(meshOf({ sought }), LIMIT, 0)
    for (const peer of sought) mesh.knows(peer, true, 0)
    expect(mesh.next(0).flatMap(({ type, peer }) => type === 'ask' ? [peer] : [])).toEqual(sought.slice(0, LIMIT / 4))
  })

  it('looks for others when members have gone, though not for those who had no room a moment ago', () => {
    const mesh = filled(meshOf(), 4, 0)
    mesh.knows('full', true, 0)
    mesh.left('full', 0)
    mesh.left('near 0', 0)
    mesh.left('near 1', 0, { forMs: Infinity })
    expect(mesh.next(999)).toEqual([])
    expect(mesh.next(1000).map(({ peer }) => peer).sort()).toEqual(['full', 'near 0'])
  })

  it('with members enough lets those who had no room rest for longer', () => {
    const mesh = filled(meshOf(), LIMIT / 2, 0)
    mesh.knows('full', true, 0)
    mesh.left('full', 0)
    expect(mesh.next(0)).toEqual([])
    // by now it would have more
    expect(mesh.next(9999)).toEqual([])
    expect(mesh.next(10_000)).toEqual([{ type: 'ask', peer: 'full' }])
  })

  it('waits for no answer for ever', () => {
    const mesh = meshOf()
    mesh.knows('silent', true, 0)
    expect(mesh.next(0)).toEqual([{ type: 'ask', peer: 'silent' }])
    mesh.next(3000)
    expect(mesh.degree).toBe(0)
  })

  it('lets newcomers in for members that have been there for long, near ones for near ones and far for far', () => {
    for (let seed = 1; seed < 20; seed++) {
      expect(filled(meshOf({ seed }), 6, 2).joined('young', true, 4000)).toEqual({ isAdmitted: false })
      expect(filled(meshOf({ seed }), 6, 2).joined('another', true, 5000).leave).toMatch(/^near/)
      expect(filled(meshOf({ seed }), 6, 2).joined('another', false, 5000).leave).toMatch(/^far/)
      expect(filled(meshOf({ seed }), 8, 0).joined('another', false, 5000).leave).toMatch(/^near/)
      expect(filled(meshOf({ seed }), 2, 6).joined('another', true, 5000).leave).toMatch(/^far/)
    }
  })

  it('keeps some far members, whoever comes', () => {
    fc.assert(fc.property(fc.nat(1000), fc.nat(8), fc.array(fc.boolean(), { maxLength: 40 }), (seed, near, comers) => {
      const mesh = filled(meshOf({ seed }), near, 8 - near)
      const far = new Set(Array.from({ length: 8 - near }, (_, index) => `far ${index}`))
      const before = Math.min(far.size, mesh.far)
      for (const [index, isNear] of comers.entries()) {
        const { isAdmitted, leave } = mesh.joined(`${isNear ? 'near' : 'far'} comer ${index}`, isNear, (index + 1) * 5000)
        if (isAdmitted && !isNear) far.add(`far comer ${index}`)
        if (leave !== undefined) far.delete(leave)
        expect(far.size).toBeGreaterThanOrEqual(before)
      }
    }))
  })

  it('meets somebody else every ten to twenty seconds, in place of one who delivers nothing', () => {
    const busy = new Set(['near 0', 'near 1', 'near 2'])
    const mesh = filled(meshOf({ isDelivering: peer => busy.has(peer) }), 8, 0)
    mesh.knows('another', true, 0)
    const at: number[] = []
    for (let nowMs = 0; nowMs <= 60_000; nowMs += 500) {
      const decisions = mesh.next(nowMs)
      if (decisions.length === 0) continue
      at.push(nowMs)
      const [left, asked] = decisions
      expect([left?.type, asked?.type]).toEqual(['leave', 'ask'])
      expect(busy.has(left?.peer ?? '')).toBe(false)
      mesh.joined(asked?.peer ?? '', true, nowMs)
    }
    expect(at.length).toBeGreaterThanOrEqual(2)
    expect(at.length).toBeLessThanOrEqual(6)
  })

  it('remembers no more agents than it may, and forgets no member for them', () => {
    const mesh = filled(meshOf(), 3, 0)
    for (let index = 0; index < 1000; index++) mesh.knows(`peer ${index}`, true, 0)
    const asked = new Set<string>()
    for (let nowMs = 0; nowMs < 20_000_000; nowMs += 20_000) {
      for (const { type, peer } of mesh.next(nowMs)) if (type === 'ask') asked.add(peer)
    }
    expect(asked.size).toBeLessThanOrEqual(256)
    expect(mesh.degree).toBeGreaterThanOrEqual(3)
  })
})
