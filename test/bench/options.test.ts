import { describe, expect, it } from 'vitest'
import { parseOptions } from '../../bench/rollout/options.ts'
import { SCENARIOS } from '../../bench/rollout/scenario.ts'

describe('the command line of a rollout', () => {
  it('without words is the first preset, once, with its bars', () => {
    expect(parseOptions([])).toMatchObject({ preset: 'n16', runs: 1, scenario: SCENARIOS.n16, hasCaps: true, warmUps: 2 })
  })

  it('holds no bars over a preset that it changes', () => {
    const scenario = parseOptions(['n32', '--hosts', '8', '--rate', '20'])?.scenario
    expect(scenario).toMatchObject({ hosts: 8, hostBytesPerSecond: 20e6, originBytesPerSecond: 5e6, bars: {} })
  })

  it('keeps the bars when only the way of measuring changes', () => {
    const options = parseOptions(['faults', '--runs', '5', '--no-caps', '--warm-up', '0', '--agent-arg=--tag-ttl=1s', '--settle', '0'])
    expect(options).toMatchObject({ runs: 5, hasCaps: false, warmUps: 0, settleMs: 0, agentArgs: ['--tag-ttl=1s'], scenario: SCENARIOS.faults })
  })

  it('has no scenario for a comparison', () => {
    expect(parseOptions(['small'])?.scenario).toBeUndefined()
  })

  it('is undefined when help is wanted', () => {
    expect(parseOptions(['--help'])).toBeUndefined()
  })

  it.each([[['n17']], [['n16', 'n32']], [['--hosts', 'many']], [['--runs', '0']], [['--runs', '1.5']], [['--settle', 'long']], [['--unknown']]])('refuses %j', args => {
    expect(() => parseOptions(args)).toThrow()
  })
})
