import { describe, expect, it } from 'vitest'
import { nearestName } from '../../src/values/nearest.ts'

describe('the nearest name', () => {
  const known = ['http', 'tagTtl', 'bootstrap', 'logLevel', 'logFormat']

  it.each([['htp', 'http'], ['tag-ttl', 'tagTtl'], ['TAG_TTL', 'tagTtl'], ['bootstap', 'bootstrap'], ['loglevl', 'logLevel'], ['boot', 'bootstrap']])('to %s is %s', (name, nearest) => {
    expect(nearestName(name, known)).toBe(nearest)
  })

  it('of something else is none', () => {
    expect(nearestName('completely-different', known)).toBeUndefined()
  })
})
