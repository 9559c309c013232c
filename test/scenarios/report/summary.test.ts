import { expect, it } from 'vitest'
import { Recorder } from '../../../scenarios/recorder.ts'
import { summarySentences } from '../../../scenarios/report/summary.ts'
import { smallScenario } from '../small-scenario.ts'
import type { RunObserver } from '../../../scenarios/result.ts'
import type { Scenario } from '../../../scenarios/scenario.ts'

function sentences (tell: (observer: RunObserver) => void, changes: Partial<Scenario> = {}, isPartial = false): string[] {
  const recorder = new Recorder(smallScenario(changes), { engine: 'sim', shoal: '1' })
  tell(recorder)
  return summarySentences(recorder.result({ durationMs: 2000, isPartial }))
}

function hosts (observer: RunObserver, ...doneMs: number[]): void {
  for (const number of [1, 2, 3]) observer.started(`rack-${number}`, 4e6, 100)
  doneMs.forEach((atMs, index) => { observer.done(`rack-${index + 1}`, atMs) })
}

// 4 MB at 10 MB/s in 31 pieces, and one doubling for three hosts
const BEST = 'At best it can take T* = 413 ms: the origin has to send 4.00 MB once at 10.0 MB/s, and those that have its last piece of 129 kB have to double once to be 3 hosts.'

it('all were done: how long after the first start, and against T*', () => {
  expect(sentences(observer => {
    hosts(observer, 700, 800, 926)
    observer.received('rack-1', 'member', 9e6, 500)
    observer.originSent(6e6, 500)
  })).toEqual([`All 3 hosts had the image 826 ms after the first began, 2.00 x the best possible. ${BEST}`, 'The origin sent 6.00 MB, 1.50 x the image. 60 % of all bytes came from other hosts.'])
})

it('some were not: what became of them', () => {
  expect(sentences(observer => {
    hosts(observer, 700)
    observer.failed('rack-2', 'no', 900)
    observer.wrong('rack-1', 5, 900)
  }, {}, true)).toEqual([
    'The run was ended after 2.00 s, before its end: this is what had happened by then.',
    `1 of 3 hosts had the whole image by then. ${BEST}`,
    'Of the others, 1 gave up, 1 had not finished.',
    'The origin sent 0 B, 0.00 x the image.',
    'Clients were given 5 B of wrong bytes.'
  ])
})

it('nobody pulled, and there is no origin', () => {
  expect(sentences(() => {}, { pulls: [], origin: undefined })).toEqual(['No host had anything to pull.', 'There was no origin: 0 B came from other hosts.'])
})
