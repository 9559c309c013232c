import { expect, it } from 'vitest'
import { SimulateBars } from '../../../agent/cli/simulate-bars.ts'
import { SimulateLines } from '../../../agent/cli/simulate-view.ts'
import { screenAfter, TextSink } from './cli-harness.ts'
import type { RunProgress } from '../../../scenarios/result.ts'

function progressAt (percent: number, more: Partial<RunProgress> = {}): RunProgress {
  return { atMs: 100 * percent, hosts: 4, started: 4, done: 0, failed: 0, bytes: 50_000 * percent, bytesInAll: 5_000_000, originBytes: 10_000 * percent, ...more }
}

it('without a terminal there is a line for the beginning and for each tenth', () => {
  const output = new TextSink()
  const view = new SimulateLines({ output })
  for (const percent of [0, 4, 11, 19, 57, 58]) view.show('small', progressAt(percent), 'run')
  view.show('small', progressAt(100, { done: 3, failed: 1 }), 'run')
  expect(output.text.split('\n')).toEqual([
    'small: 0 %, 0 ms, 0 of 4 hosts done, 0 B, 0 B from the origin',
    'small: 10 %, 1.1 s, 0 of 4 hosts done, 550 kB, 110 kB from the origin',
    'small: 50 %, 5.7 s, 0 of 4 hosts done, 2.85 MB, 570 kB from the origin',
    'small: 100 %, 10.0 s, 3 of 4 hosts done, 1 failed, 5.00 MB, 1.00 MB from the origin',
    ''
  ])
})

it('runs and their clean runs have lines of their own', () => {
  const output = new TextSink()
  const view = new SimulateLines({ output })
  view.show('small', progressAt(50), 'clean')
  view.show('small', progressAt(10), 'run')
  view.show('other', progressAt(10), 'run')
  expect(output.text.split('\n').map(line => line.slice(0, line.indexOf(' %')))).toEqual(['small without faults: 50', 'small: 10', 'other: 10', ''])
})

it('a scenario in which nothing is lacking is at its beginning', () => {
  const output = new TextSink()
  new SimulateLines({ output }).show('small', progressAt(0, { bytesInAll: 0 }), 'run')
  expect(output.text).toMatch(/^small: 0 %/)
})

it('on a terminal each run has a bar until it is over, and the cursor comes back', () => {
  const output = new TextSink()
  output.isTTY = true
  const view = new SimulateBars({ output })
  const screens = [
    () => { view.show('hosts=10', progressAt(50), 'run') },
    () => { view.show('hosts=20', progressAt(25, { done: 1 }), 'run') },
    () => { view.remove('hosts=10') }
  ].map(step => {
    step()
    return screenAfter(output.text).filter(line => line !== '')
  })
  view.close()
  const bar = (name: string, filled: number, percent: string, rest: string) => `${name}  [${'='.repeat(filled).padEnd(24)}]  ${percent}%  ${rest}`
  const first = bar('hosts=10', 12, '50', '5.0 s  0 of 4 hosts done  2.50 MB, 500 kB from the origin')
  const second = bar('hosts=20', 6, '25', '2.5 s  1 of 4 hosts done  1.25 MB, 250 kB from the origin')
  expect(screens[0]).toEqual([first])
  expect(screens[1]).toEqual([first, second])
  expect(screens[2]).toEqual([second])
  expect(screenAfter(output.text).filter(line => line !== '')).toEqual([])
  expect(output.text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(output.text.lastIndexOf('\u001b[?25l'))
})
