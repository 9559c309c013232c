import { expect, test } from 'vitest'
import { OriginRecord } from '../../src/pull/origin-record.ts'
import { repository } from './kit.ts'

const other = { registry: 'mirror.test', name: 'team/app' }

test('the latest answer of each repository is known', () => {
  const record = new OriginRecord()
  record.answered(repository, { access: 'public', tookMs: 3 })
  record.answered(repository, { access: 'restricted', tookMs: 5 })
  expect(record.of(repository)).toEqual({ access: 'restricted', tookMs: 5 })
  expect(record.of(other)).toBeUndefined()
})

test('a thousand repositories are remembered, those heard of last', () => {
  const record = new OriginRecord()
  record.answered(repository, { access: 'public', tookMs: 3 })
  record.answered(other, { access: 'public', tookMs: 3 })
  for (let index = 0; index < 998; index++) record.answered({ registry: 'registry.test', name: `app${index}` }, { access: 'public', tookMs: 1 })
  record.answered(repository, { access: 'public', tookMs: 4 })
  record.answered({ registry: 'registry.test', name: 'last' }, { access: 'public', tookMs: 1 })
  expect(record.of(repository)).toBeDefined()
  expect(record.of(other)).toBeUndefined()
})
