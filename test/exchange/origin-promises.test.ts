import { describe, expect, it } from 'vitest'
import { OriginPromises, type Waiting } from '../../src/exchange/origin-promises.ts'
import type { SwarmMessage } from '../../src/net/swarm-message.ts'

interface Scene {
  readonly promises: OriginPromises<Waiting & { readonly name: string }>
  /** `name message`, in order. */
  readonly said: string[]
  nowMs: number
}

const MEMBERS = [
  { name: 'a', isMember: true, isComplete: false },
  { name: 'all', isMember: true, isComplete: true },
  { name: 'asked', isMember: false, isComplete: false }
]

function scene ({ taking = [3, 1], unsigned = [1, 0], isLeech = false }: { taking?: readonly number[], unsigned?: readonly number[], isLeech?: boolean } = {}): Scene {
  const members = MEMBERS.map(member => ({ ...member, saidAtMs: 0 }))
  const said: string[] = []
  const made: Scene = {
    said,
    nowMs: 1000,
    promises: new OriginPromises({
      members: () => members,
      say: ({ name }, message) => { said.push(`${name} ${inWords(message(1))}`) },
      taking: () => taking,
      unsigned: () => unsigned,
      isLeech,
      now: () => made.nowMs
    }, { reads: true, isRestricted: false })
  }
  return made
}

function inWords (message: SwarmMessage): string {
  if (message.type === 'take' || message.type === 'release') return `${message.type} ${message.pieces.join(',')}`
  if (message.type === 'origin') return `origin ${message.reads} ${message.restricted}`
  return message.type
}

describe('what we read', () => {
  it('is promised to nobody by a leech', () => {
    const { promises, said } = scene({ isLeech: true })
    promises.tell('take', [1])
    promises.repeat()
    expect([promises.pieces, said]).toEqual([[], []])
  })

  it('is promised with what is not signed yet', () => {
    expect(scene().promises.pieces).toEqual([0, 1, 3])
  })

  it('is told to members that lack a part, and nothing is told of nothing', () => {
    const { promises, said } = scene()
    promises.tell('take', [5])
    promises.tell('release', [])
    expect(said).toEqual(['a take 5'])
  })

  it('is told again, of one piece, to who has heard nothing of it lately', () => {
    const made = scene()
    made.promises.tell('take', [5])
    made.nowMs += 199
    made.promises.repeat()
    expect(made.said).toEqual(['a take 5'])
    made.nowMs++
    made.promises.repeat()
    expect(made.said).toEqual(['a take 5', 'a take 0'])
  })

  it('is not promised once it is known to be not for others', () => {
    const { promises, said } = scene()
    promises.setAccess({ isShared: false, isRestricted: true })
    expect(said).toEqual(['a origin false true', 'all origin false true', 'asked origin false true'])
    promises.tell('take', [5])
    promises.setReads(true)
    expect([said.length, promises.pieces, promises.reads]).toEqual([3, [], false])
  })
})

it('that it was got with credentials is told once', () => {
  const { promises, said } = scene()
  promises.setAccess({ isShared: true, isRestricted: true })
  promises.setAccess({ isShared: true, isRestricted: true })
  expect(said).toEqual(['a origin true true', 'all origin true true', 'asked origin true true'])
})

it('that we read no longer, or again, is told when it changes', () => {
  const { promises, said } = scene()
  promises.setReads(true)
  promises.setReads(false)
  promises.setReads(true)
  expect(said.filter(words => words.startsWith('a '))).toEqual(['a origin false false', 'a origin true false'])
})
