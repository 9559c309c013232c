import { expect, it } from 'vitest'
import { SizeClaims } from '../../src/pull/size-claims.ts'

it('members that name another size are remembered, and those that should know', () => {
  const claims = new SizeClaims()
  expect([claims.first, claims.holders]).toEqual([undefined, []])
  claims.add({ member: 'leecher', size: 5, isHolder: false })
  claims.add({ member: 'holder', size: 6, isHolder: true })
  expect(claims.first).toEqual({ member: 'leecher', size: 5, isHolder: false })
  expect(claims.holders).toEqual(['holder'])
})

it('no more than 64 are', () => {
  const claims = new SizeClaims()
  for (let index = 0; index < 100; index++) claims.add({ member: `member ${index}`, size: 5, isHolder: true })
  expect(claims.holders).toHaveLength(64)
})
