import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HashReply } from '../../src/store/hash-messages.ts'
import { HashTurns } from '../../src/store/hash-turns.ts'
import { seededBytes } from '../support/image.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'

const MIB = 1024 * 1024

describe('the turns of the hash thread', () => {
  const bytes = seededBytes(8 * MIB, 'turns')
  let directory: string
  let path: string
  let replies: HashReply[]
  let turns: HashTurns
  beforeEach(async () => {
    directory = await makeTempDir('turns')
    path = join(directory, 'file')
    await writeFile(path, bytes)
    replies = []
    turns = new HashTurns(reply => { replies.push(reply) })
  })
  afterEach(async () => {
    for (const job of [1, 2, 3]) turns.receive({ type: 'stop', job })
    await removeTempDir(directory)
  })

  function hexOf (end: number): string {
    return createHash('sha256').update(bytes.subarray(0, end)).digest('hex')
  }

  /** Turns until there is nothing to do, and what was answered in which. */
  function answers (): Array<[turn: number, reply: HashReply]> {
    const result: Array<[number, HashReply]> = []
    for (let turn = 1, hasMore = true; hasMore; turn++) {
      hasMore = turns.turn()
      result.push(...replies.splice(0).map(reply => [turn, reply] as [number, HashReply]))
    }
    return result
  }

  it('give spans 4 MiB before one of the files gets a block', () => {
    for (const job of [1, 2, 3]) {
      turns.receive({ type: 'start', job, path, algorithm: 'sha256' })
      turns.receive({ type: 'advance', job, to: 3 * MIB })
    }
    turns.receive({ type: 'spans', spans: Array.from({ length: 20 }, (_, ticket) => ({ ticket, path, start: 0, end: 2 * MIB })) })
    const order = answers().map(([turn, reply]) => reply.type === 'spans' ? `${turn}: ${reply.results.length} spans` : `${turn}: job ${(reply as { job: number }).job}`)
    const spans = Array.from({ length: 10 }, (_, turn) => `${turn + 1}: 2 spans`)
    expect(order.filter(each => each.endsWith('spans'))).toEqual(spans)
    expect(order.filter(each => !each.endsWith('spans'))).toEqual(['7: job 1', '8: job 2', '9: job 3'])
  })

  it('answer for all small spans of a turn at once', () => {
    turns.receive({ type: 'spans', spans: Array.from({ length: 10 }, (_, ticket) => ({ ticket, path, start: 0, end: 1000 * ticket })) })
    expect(answers()).toEqual([[1, { type: 'spans', results: Array.from({ length: 10 }, (_, ticket) => ({ ticket, hex: hexOf(1000 * ticket) })) }]])
  })

  it('go back to before the bytes that change, and tell of the same blocks again', () => {
    turns.receive({ type: 'start', job: 1, path, algorithm: 'sha256' })
    turns.receive({ type: 'advance', job: 1, to: 8 * MIB })
    for (let turn = 0; turn < 5; turn++) turns.turn()
    turns.receive({ type: 'rewind', job: 1, as: 2, to: 2 * MIB })
    turns.receive({ type: 'advance', job: 1, to: 8 * MIB })
    expect(answers()).toEqual([[2, { type: 'blocks', job: 2, first: 0, hexes: [hexOf(MIB), hexOf(2 * MIB)] }]])
    turns.receive({ type: 'finish', job: 2, to: 4 * MIB + 5, ticket: 9 })
    expect(answers()).toEqual([
      [3, { type: 'blocks', job: 2, first: 2, hexes: [hexOf(3 * MIB), hexOf(4 * MIB)] }],
      [3, { type: 'digest', job: 2, ticket: 9, hex: hexOf(4 * MIB + 5) }]
    ])
  })

  it('forget nothing that was hashed before the bytes that change', () => {
    turns.receive({ type: 'start', job: 1, path, algorithm: 'sha256' })
    turns.receive({ type: 'advance', job: 1, to: 3 * MIB })
    answers()
    turns.receive({ type: 'rewind', job: 1, as: 2, to: 3 * MIB })
    turns.receive({ type: 'finish', job: 2, to: 4 * MIB, ticket: 1 })
    expect(answers()).toEqual([[1, { type: 'blocks', job: 2, first: 3, hexes: [hexOf(4 * MIB)] }], [1, { type: 'digest', job: 2, ticket: 1, hex: hexOf(4 * MIB) }]])
  })

  it('know no job that failed', () => {
    turns.receive({ type: 'start', job: 1, path: `${path}-not`, algorithm: 'sha256' })
    expect(replies.splice(0)).toMatchObject([{ type: 'failed', job: 1, code: 'ENOENT' }])
    turns.receive({ type: 'rewind', job: 1, as: 2, to: 0 })
    expect(replies.splice(0)).toMatchObject([{ type: 'failed', job: 2, code: 'STOPPED' }])
    expect(turns.turn()).toBe(false)
  })
})
