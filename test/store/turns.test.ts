import { describe, expect, it } from 'vitest'
import { KeyedTurns, Turns } from '../../src/store/turns.ts'

describe('turns', () => {
  it('run one task at a time, in the order of the calls, whatever fails', async () => {
    const turns = new Turns()
    const told: string[] = []
    const gate = Promise.withResolvers<void>()
    const first = turns.run(async () => {
      await gate.promise
      told.push('first')
      throw new Error('first failed')
    })
    const second = turns.run(() => { told.push('second') })
    expect(turns.isIdle).toBe(false)
    gate.resolve()
    await expect(first).rejects.toThrow('first failed')
    await second
    expect(told).toEqual(['first', 'second'])
    expect(turns.isIdle).toBe(true)
  })

  it('of one key do not wait for another’s', async () => {
    const turns = new KeyedTurns<string>()
    const gate = Promise.withResolvers<string>()
    const blocked = turns.run('a', () => gate.promise)
    expect(await turns.run('b', () => 'b')).toBe('b')
    const behind = turns.run('a', () => 'behind')
    gate.resolve('a')
    expect(await Promise.all([blocked, behind])).toEqual(['a', 'behind'])
  })
})
