import { expect, test } from 'vitest'
import type { Digest } from '../../src/oci/digest.ts'
import type { Origin } from '../../src/origin/origin.ts'
import { AccessFacts, type AccessMemory } from '../../src/pull/access-facts.ts'
import type { Access, SpanSource } from '../../src/store/store.ts'
import { repository } from './kit.ts'

const digest = `sha256:${'a'.repeat(64)}` as Digest
const silent = { statBlob: async () => { throw new Error('nobody answers') } } as unknown as Origin
const open = { statBlob: async () => ({ size: 1, access: 'public' }) } as unknown as Origin

async function verdict (facts: AccessFacts, origin: Origin): Promise<string> {
  return facts.settle(origin, [repository], digest, {})
}

/** What is kept of a blob, as it was noted. */
function kept (access: Access | undefined, ...sources: readonly SpanSource[]): AccessMemory {
  const memory = {
    access,
    spans: sources.map((source, index) => ({ start: index, end: index + 1, source })),
    noteAccess: (access: Access) => { memory.access = access }
  }
  return memory
}

test.each(['origin', 'peer:a'] as const)('what an earlier fetch had of %s is public only if an origin says so', async source => {
  const facts = new AccessFacts()
  facts.resumed(kept(undefined, source))
  facts.peerGave(false)
  expect(await verdict(facts, silent)).toBe('restricted')
  expect(await verdict(facts, open)).toBe('public')
})

test('what peers gave now without a mark is public, with one it is not', async () => {
  const facts = new AccessFacts()
  facts.resumed(kept(undefined))
  facts.peerGave(false)
  expect(await verdict(facts, silent)).toBe('public')
  facts.peerGave(true)
  expect(await verdict(facts, silent)).toBe('restricted')
})

test('what was noted of kept bytes counts as if they had come now', async () => {
  for (const [noted, known] of [['public', 'public'], ['restricted', 'restricted'], [undefined, undefined]] as const) {
    const facts = new AccessFacts()
    facts.resumed(kept(noted, 'peer:a'))
    expect(facts.known).toBe(known)
    expect(await verdict(facts, silent)).toBe(noted ?? 'restricted')
  }
})

test('of bytes that are gone nothing counts', () => {
  const facts = new AccessFacts()
  facts.resumed(kept('restricted'))
  expect(facts.known).toBeUndefined()
})

test('a note that it is public does not outweigh who gives more of it with a mark', async () => {
  const facts = new AccessFacts()
  facts.resumed(kept('public', 'origin'))
  facts.peerGave(true)
  expect(await verdict(facts, silent)).toBe('restricted')
})

test('notes that bytes are restricted before the first of them comes, and no peer makes it public then', () => {
  const memory = kept(undefined)
  const facts = new AccessFacts()
  facts.resumed(memory)
  facts.peerGave(false)
  expect(memory.access).toBe('public')
  facts.askedRestricted()
  expect([memory.access, facts.known]).toEqual(['restricted', 'public'])
  facts.peerGave(false)
  expect(memory.access).toBe('restricted')
  facts.originAnswered('public')
  expect(memory.access).toBe('public')
})

test('nothing is noted of bytes of which nobody knows', () => {
  const memory = kept(undefined, 'peer:a')
  const facts = new AccessFacts()
  facts.resumed(memory)
  facts.peerGave(false)
  expect(memory.access).toBeUndefined()
})
