import { expect, it } from 'vitest'
import { paced } from '../../scenarios/paced.ts'

it('passes on the first, and what comes when the time is over', () => {
  const heard: number[] = []
  let nowMs = 5000
  const tell = paced<number>(value => { heard.push(value) }, 100, () => nowMs)
  for (const atMs of [5000, 5001, 5099, 5100, 5150, 5400, 5499, 5500]) {
    nowMs = atMs
    tell(atMs)
  }
  expect(heard).toEqual([5000, 5100, 5400, 5500])
})
