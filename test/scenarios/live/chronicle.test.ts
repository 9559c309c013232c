import { expect, it } from 'vitest'
import { Chronicle, tellAll } from '../../../scenarios/live/chronicle.ts'
import type { RunObserver } from '../../../scenarios/result.ts'

it('what several have told is taken in the order of its time, as far as it is settled', () => {
  const chronicle = new Chronicle()
  chronicle.note(30, ['done', 'a-1', 30])
  chronicle.note(10, ['started', 'a-1', 5, 10])
  chronicle.note(20, ['received', 'a-1', 'origin', 5, 20])
  expect(chronicle.take(25)).toEqual([['started', 'a-1', 5, 10], ['received', 'a-1', 'origin', 5, 20]])
  expect(chronicle.take(Infinity)).toEqual([['done', 'a-1', 30]])
})

it('what is heard of too late does not go back in time', () => {
  const chronicle = new Chronicle()
  chronicle.note(50, ['started', 'a-1', 5, 50])
  chronicle.take(60)
  chronicle.note(40, ['event', { atMs: 40, type: 'killed', host: 'a-1', detail: '' }])
  chronicle.note(41, ['crossedBorder', 7])
  expect(chronicle.take(60)).toEqual([['event', { atMs: 50, type: 'killed', host: 'a-1', detail: '' }], ['crossedBorder', 7]])
})

it('an observer is called by name', () => {
  const heard: unknown[] = []
  const observer = new Proxy({}, { get: (_, name) => (...facts: unknown[]) => { heard.push([name, ...facts]) } }) as RunObserver
  tellAll(observer, [['gave', 'a-1', 3, 9], ['waited', 'a-1', 'down', 4]])
  expect(heard).toEqual([['gave', 'a-1', 3, 9], ['waited', 'a-1', 'down', 4]])
})
