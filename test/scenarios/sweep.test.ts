import { expect, it } from 'vitest'
import { sweep } from '../../scenarios/sweep.ts'
import { smallScenario } from './small-scenario.ts'
import type { Result } from '../../scenarios/result.ts'

const cases = [10, 1000, 100].map(hosts => ({ value: String(hosts), scenario: smallScenario({}, { hosts }) }))

/** A result is told from others by its duration alone. */
function resultOf (value: string): Result {
  return { durationMs: Number(value) } as Result
}

it('runs the largest first, so many at a time, and gives the points in the order they were asked for', async () => {
  const begun: string[] = []
  const gates = new Map(cases.map(({ value }) => [value, Promise.withResolvers<undefined>()]))
  const points = sweep(cases, {
    atOnce: 2,
    run: async (_, { value }) => {
      begun.push(value)
      await gates.get(value)?.promise
      return resultOf(value)
    }
  })
  expect(begun).toEqual(['1000', '100'])
  for (const { resolve } of gates.values()) resolve(undefined)
  expect((await points).map(({ value, result }) => [value, result.durationMs])).toEqual([['10', 10], ['1000', 1000], ['100', 100]])
  expect(begun).toEqual(['1000', '100', '10'])
})

it('an abort reaches those that run, keeps what they give, and leaves out the others', async () => {
  const aborted = new AbortController()
  const points = await sweep(cases, {
    atOnce: 1,
    signal: aborted.signal,
    run: async (_, { signal, value }) => {
      aborted.abort()
      expect(signal.aborted).toBe(true)
      return resultOf(value)
    }
  })
  expect(points.map(({ value }) => value)).toEqual(['1000'])
})

it('one that fails ends the others, and is what is told', async () => {
  const ended: string[] = []
  const run = sweep(cases, {
    atOnce: 2,
    run: async (_, { signal, value }) => {
      if (value === '100') throw new Error('too much')
      await new Promise(resolve => { signal.addEventListener('abort', resolve) })
      ended.push(value)
      return resultOf(value)
    }
  })
  await expect(run).rejects.toThrow('too much')
  expect(ended).toEqual(['1000'])
})
