import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SimulateHarness } from './simulate-harness.ts'
import { screenAfter } from './cli-harness.ts'
import type { Agreement } from '../../../scenarios/calibration.ts'
import type { Result } from '../../../scenarios/result.ts'

async function readResult (...path: string[]): Promise<Result> {
  return JSON.parse(await readFile(join(...path), 'utf8')) as Result
}

describe('shoal simulate SCENARIO', () => {
  it('prints a summary, writes result and report, and says where', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.simulate(await cli.scenario({ expect: ['completion.max <= 3s'] }))).toBe(0)
    expect(cli.stdout.text).toContain('completion')
    expect(cli.stdout.text).toContain(`open ${join(cli.out, 'report.html')}`)
    expect((await readdir(cli.out)).sort()).toEqual(['report.html', 'result.json'])
    expect(await readFile(join(cli.out, 'report.html'), 'utf8')).toMatch(/^<!doctype html>/i)
    expect(await readResult(cli.out, 'result.json')).toMatchObject({ engine: 'sim', isPartial: false, figures: { 'completion.max': 3000 } })
  })

  it('ends with 1 when an expectation fails, and names it with both values', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.simulate(await cli.scenario({ expect: ['completion.max <= 2s', 'origin.bytes <= 3.5 x image', 'wrong.bytes == 0'] }))).toBe(1)
    expect(cli.stderr.text).toContain('shoal: expected completion.max <= 2s: it was 3.00 s, and the limit 2.00 s\n')
  })

  it('measures against the run without faults where that is expected', async () => {
    const cli = await SimulateHarness.create()
    const scenario = await cli.scenario({ faults: '[{ type: slow, hosts: 3, to: 50% }]', expect: ['completion.max <= 1.5 x clean'] })
    expect(await cli.simulate(scenario)).toBe(1)
    expect(cli.stderr.text).toContain('expected completion.max <= 1.5 x clean: it was 6.00 s, and the limit 4.50 s')
    expect(cli.stderr.text).toMatch(/^small without faults: 0 %/m)
  })

  it('takes settings and a seed in place of what the file says', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.simulate(await cli.scenario(), '--set', 'groups.rack.count=5', '--set', 'images.app=[1MB]', '--seed', '7')).toBe(0)
    expect(await readResult(cli.out, 'result.json')).toMatchObject({ scenario: { seed: 7 }, imageBytes: 1_000_000, figures: { 'completion.max': 5000 } })
  })

  it('--json prints the result and nothing else, and writes only where it is told to', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.simulate(await cli.scenario(), '--json')).toBe(0)
    expect(cli.stdout.text).toBe(await readFile(join(cli.out, 'result.json'), 'utf8'))
    expect(cli.stderr.text).toBe('')
  })

  it('--quiet prints nothing, --no-report writes none', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.simulate(await cli.scenario(), '--quiet', '--no-report')).toBe(0)
    expect(cli.stdout.text + cli.stderr.text).toBe('')
    expect(await readdir(cli.out)).toEqual(['result.json'])
  })

  it('says what the run left out, apart from the result, but not with --quiet', async () => {
    const cli = await SimulateHarness.create()
    const lossy = await cli.scenario({ description: 'lossy' })
    await cli.simulate(lossy, '--json')
    expect(cli.stderr.text).toBe('note: loss is left out\n')
    const quiet = await SimulateHarness.create()
    await quiet.simulate(lossy, '--quiet')
    expect(quiet.stderr.text).toBe('')
  })

  it('tells each thing wrong with the file, its place and its key, and runs nothing', async () => {
    const cli = await SimulateHarness.create()
    const path = join(cli.directory, 'wrong.yaml')
    await writeFile(path, 'groups: { rack: { cuont: 3, up: fast, down: 10MB/s } }\nimages: { app: [4MB] }\n')
    expect(await cli.simulate(path)).toBe(2)
    expect(cli.stderr.text).toMatch(/^shoal: .*wrong\.yaml:1:\d+: groups\.rack\.up: "fast" is not allowed/m)
    expect(cli.stderr.text).toMatch(/^shoal: .*wrong\.yaml:1:\d+: groups\.rack\.cuont: .*did you mean count\?/m)
    await expect(readdir(cli.out)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('tells why a run is impossible, or where it broke', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.simulate(await cli.scenario({ description: 'impossible' }), '--live')).toBe(1)
    expect(cli.stderr.text).toBe('shoal: no room for so many agents: try 4\n')
    expect(await cli.simulate(await cli.scenario({ description: 'broken' }))).toBe(1)
    expect(cli.stderr.text).toMatch(/shoal: internal error: TypeError: undefined is not a number\nshoal: .*told-engine/)
  })

  it('tells when it cannot write, before it runs', async () => {
    const cli = await SimulateHarness.create()
    const scenario = await cli.scenario({ description: 'endless' })
    expect(await cli.run('simulate', scenario, '--out', join(scenario, 'out'))).toBe(1)
    expect(cli.stderr.text).toMatch(/^shoal: can't write .*small\.yaml\/out \(ENOTDIR\): make room or choose another directory with --out DIR\n$/)
  })
})

describe('a signal', () => {
  it.each([['SIGINT', 130], ['SIGTERM', 143]] as const)('%s ends the run, which leaves a partial report, with %i', async (name, code) => {
    const cli = await SimulateHarness.create()
    const ended = cli.simulate(await cli.scenario({ description: 'endless', expect: ['done.share == 100%'] }))
    await cli.begun()
    cli.signal(name)
    expect(await ended).toBe(code)
    expect(await readResult(cli.out, 'result.json')).toMatchObject({ isPartial: true })
    expect(await readdir(cli.out)).toContain('report.html')
    expect(cli.stderr.text).toMatch(new RegExp(`shoal: ended by ${name}; the result is of what had happened, and in .*out\n$`))
    expect([cli.exits, cli.listenerCount]).toEqual([[], 0])
  })

  it('a second one ends the process at once', async () => {
    const cli = await SimulateHarness.create()
    const ended = cli.simulate(await cli.scenario({ description: 'endless' }))
    await cli.begun()
    cli.signal('SIGINT')
    cli.signal('SIGINT')
    expect(cli.exits).toEqual([130])
    await ended
  })
})

describe('on a terminal', () => {
  it('a bar shows how far the run is, and leaves nothing but what is to be kept', async () => {
    const cli = await SimulateHarness.create()
    cli.stderr.isTTY = true
    const ended = cli.simulate(await cli.scenario({ description: 'endless' }))
    await cli.begun()
    expect(screenAfter(cli.stderr.text).join('\n')).toMatch(/^small {2}\[ {24}\] {3}0% {2}0 ms {2}0 of 3 hosts done {2}0 B, 0 B from the origin/)
    cli.signal('SIGINT')
    await ended
    expect(screenAfter(cli.stderr.text).filter(line => line !== '')).toEqual([expect.stringMatching(/^shoal: ended by SIGINT/)])
    expect(cli.stderr.text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(cli.stderr.text.lastIndexOf('\u001b[?25l'))
  })
})

describe('--both', () => {
  it('sets simulation and real agents side by side, and tells that they agree', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.simulate(await cli.scenario(), '--both')).toBe(0)
    expect((await readdir(cli.out, { recursive: true })).sort()).toEqual(['calibration.json', 'comparison.html', 'live', 'live/report.html', 'live/result.json', 'sim', 'sim/report.html', 'sim/result.json'])
    expect(await readResult(cli.out, 'live/result.json')).toMatchObject({ engine: 'live' })
    expect(cli.stdout.text).toMatch(/completion\.p99 +3\.00 s +3\.00 s +same +±15 % +agree/)
    const agreements = JSON.parse(await readFile(join(cli.out, 'calibration.json'), 'utf8')) as Agreement[]
    expect(agreements.map(({ isMet }) => isMet)).toEqual([true, true, true])
  })

  it('ends with 1 where they are apart', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.simulate(await cli.scenario({ description: 'slower when real' }), '--both')).toBe(1)
    expect(cli.stderr.text).toContain('shoal: completion.p99: 3.00 s simulated and 6.00 s for real, −50.0 %; at most ±15 % is expected\n')
    expect(cli.stderr.text).not.toContain('origin.bytes:')
  })

  it('keeps the simulation when no real agents can be run', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.simulate(await cli.scenario({ description: 'unreal' }), '--both')).toBe(1)
    expect(cli.stderr.text).toContain('shoal: not here\n')
    expect((await readdir(cli.out, { recursive: true })).sort()).toEqual(['sim', 'sim/report.html', 'sim/result.json'])
  })
})

describe('--sweep', () => {
  it('runs once for each value, and shows how cost grows', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.simulate(await cli.scenario(), '--sweep', 'hosts=2,6')).toBe(0)
    expect((await readdir(cli.out)).sort()).toEqual(['result-2.json', 'result-6.json', 'sweep.html'])
    expect(await readResult(cli.out, 'result-6.json')).toMatchObject({ figures: { 'completion.max': 6000 } })
    expect(cli.stdout.text).toMatch(/2[^\n]*2\.0/)
    expect(cli.stdout.text).toContain(`open ${join(cli.out, 'sweep.html')}`)
  })

  it('tells at which value an expectation fails', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.simulate(await cli.scenario({ expect: ['completion.max <= 3s'] }), '--sweep', 'groups.rack.count=2,6')).toBe(1)
    expect(cli.stderr.text).toContain('shoal: groups.rack.count=6: expected completion.max <= 3s: it was 6.00 s, and the limit 3.00 s\n')
    expect(cli.stderr.text).not.toContain('count=2: expected')
  })

  it('runs nothing when one value is wrong', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.simulate(await cli.scenario(), '--sweep', 'origin.up=10MB/s,fast')).toBe(2)
    expect(cli.stderr.text).toMatch(/origin\.up=fast: origin\.up: "fast" is not allowed/)
    await expect(readdir(cli.out)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('ends all runs on a signal, and keeps those that had begun', async () => {
    const cli = await SimulateHarness.create()
    const ended = cli.simulate(await cli.scenario({ description: 'endless' }), '--sweep', 'hosts=2,3')
    await cli.begun()
    cli.signal('SIGINT')
    expect(await ended).toBe(130)
    expect(await readdir(cli.out)).toContain('sweep.html')
  })
})

describe('--compare', () => {
  it('sets two results side by side, given as files or directories', async () => {
    const cli = await SimulateHarness.create()
    await cli.run('simulate', await cli.scenario(), '--quiet', '--out', join(cli.directory, 'a'))
    await cli.run('simulate', await cli.scenario(), '--quiet', '--out', join(cli.directory, 'b'), '--set', 'groups.rack.count=6')
    expect(await cli.simulate('--compare', join(cli.directory, 'a'), join(cli.directory, 'b/result.json'))).toBe(0)
    expect(cli.stdout.text).toMatch(/completion\.max.*3.*6/)
    expect(await readdir(cli.out)).toEqual(['comparison.html'])
  })

  it('refuses what is no result', async () => {
    const cli = await SimulateHarness.create()
    const file = join(cli.directory, 'r.json')
    expect(await cli.simulate('--compare', file, file)).toBe(1)
    expect(cli.stderr.text).toMatch(/^shoal: .*r\.json: can't be read \(ENOENT\)/)
    await writeFile(file, '{"resultVersion":0}')
    expect(await cli.simulate('--compare', file, file)).toBe(1)
    expect(cli.stderr.text).toMatch(/^shoal: .*r\.json: has resultVersion 0/m)
  })
})

describe('the library', () => {
  it('is listed, a line each', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.run('simulate', '--list')).toBe(0)
    expect(cli.stdout.text).toMatch(/^NAME +HOSTS +WHAT IT SHOWS\n/)
    expect(cli.stdout.text).toMatch(/^cold-cluster +\d+ +\w/m)
  })

  it('is found by name, and a name that is nearly right is set right', async () => {
    const cli = await SimulateHarness.create()
    expect(await cli.simulate('cold-cluster', '--set', 'expect=[]', '--quiet')).toBe(0)
    expect(await readResult(cli.out, 'result.json')).toMatchObject({ scenario: { name: 'cold-cluster' } })
    expect(await cli.simulate('cold-clutser')).toBe(2)
    expect(cli.stderr.text).toBe('shoal: "cold-clutser" is no file, and no scenario of the library; did you mean cold-cluster?\n')
  })
})

it.each([
  [[], 'which scenario?'],
  [['a', '--live', '--both'], '--both and --live exclude each other'],
  [['a', '--sweep', 'hosts=1', '--list'], '--list and --sweep exclude each other'],
  [['a', '--json', '--quiet'], '--json and --quiet exclude each other'],
  [['a', '--list'], '--list runs nothing: leave out "a"'],
  [['--compare', 'a.json'], '--compare: expected two results'],
  [['--compare', 'a.json', 'b.json', 'c.json'], '--compare: expected two results'],
  [['a', '--set', 'seed'], '--set: "seed" is not allowed; expected KEY=VALUE'],
  [['a', '--sweep', 'hosts'], '--sweep: "hosts" is not allowed'],
  [['a', '--sweep', 'hosts=1,,2'], 'expected a value between each two commas'],
  [['a', '--sweep', 'hosts=1,1'], 'expected each value once']
])('wrong usage ends with 2: %j', async (args, reason) => {
  const cli = await SimulateHarness.create()
  expect(await cli.run('simulate', ...args)).toBe(2)
  expect(cli.stderr.text).toContain(reason)
  expect(cli.stdout.text).toBe('')
})
