import { describe, expect, it } from 'vitest'
import { RecentMap, RecentSet } from '../src/recent.ts'

describe('RecentMap', () => {
  it('forgets what was set longest ago', () => {
    const map = new RecentMap<string, number>(2)
    map.set('a', 1).set('b', 2).set('a', 3).set('c', 4)
    expect([...map]).toEqual([['a', 3], ['c', 4]])
  })

  it('forgets nothing for a key that it has', () => {
    const map = new RecentMap<string, number>(2)
    map.set('a', 1).set('b', 2).set('b', 3)
    expect([...map]).toEqual([['a', 1], ['b', 3]])
  })
})

describe('RecentSet', () => {
  it('forgets what was added longest ago', () => {
    const set = new RecentSet<string>(2)
    set.add('a').add('b').add('a').add('c')
    expect([...set]).toEqual(['a', 'c'])
  })

  it('has room again for what was taken out', () => {
    const set = new RecentSet<string>(2)
    set.add('a').add('b')
    set.delete('a')
    set.add('c')
    expect([...set]).toEqual(['b', 'c'])
  })
})
