import { expect, test } from 'vitest'
import type { Digest } from '../../src/oci/digest.ts'
import type { Origin } from '../../src/origin/origin.ts'
import { AccessFacts } from '../../src/pull/access-facts.ts'
import { repository } from './kit.ts'

const digest = `sha256:${'a'.repeat(64)}` as Digest
const silent = { statBlob: async () => { throw new Error('nobody answers') } } as unknown as Origin
const open = { statBlob: async () => ({ size: 1, access: 'public' }) } as unknown as Origin

async function verdict (facts: AccessFacts, origin: Origin): Promise<string> {
  return facts.settle(origin, [repository], digest, {})
}

test.each(['origin', 'peer:a'] as const)('what an earlier fetch had of %s is public only if an origin says so', async source => {
  const facts = new AccessFacts()
  facts.resumed([source])
  facts.peerGave(false)
  expect(await verdict(facts, silent)).toBe('restricted')
  expect(await verdict(facts, open)).toBe('public')
})

test('what peers gave now without a mark is public, with one it is not', async () => {
  const facts = new AccessFacts()
  facts.resumed([])
  facts.peerGave(false)
  expect(await verdict(facts, silent)).toBe('public')
  facts.peerGave(true)
  expect(await verdict(facts, silent)).toBe('restricted')
})
