import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Daemon, runCommand } from '../../scenarios/live/child-process.ts'
import { runLive } from '../../scenarios/live/run-live.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'
import { until } from '../../scenarios/live/until.ts'
import { parseScenario } from '../../scenarios/file/load.ts'
import { Recorder } from '../../scenarios/recorder.ts'
import type { Result } from '../../scenarios/result.ts'
import type { Scenario } from '../../scenarios/scenario.ts'
import { requireCommands } from '../support/requires.ts'

const MIB = 1024 * 1024
const SHOAL = join(import.meta.dirname, '../../agent/main.ts')
/** Agents start, become warm and idle, on a machine that may be slow. */
const START_TIMEOUT_MS = 150_000
const TEST_TIMEOUT_MS = 240_000

const TEXT = `
description: three hosts pull 8 MiB at once
limit: 60s
groups: { hosts: { count: 3, up: 4MB/s, down: 4MB/s, latency: 0 } }
origin: { up: 4MB/s, latency: 0 }
images: { app: [4MiB, 4MiB] }
`

/** Slow enough for something to go wrong in the middle. */
function slower (count: string, faults: string): Scenario {
  return parseScenario('wrong.yaml', `${TEXT.replace('count: 3', count).replace('up: 4MB/s, down: 4MB/s', 'up: 1500kB/s, down: 1500kB/s')}faults: ${faults}\n`)
}

describe.skipIf(requireCommands('docker-registry', 'setpriv', 'ip') !== undefined)('a live run', () => {
  let tmp: string
  let before: { readonly networks: string, readonly tmpdir: string | undefined }

  beforeEach(async () => {
    tmp = await makeTempDir('live-run')
    before = { networks: await networks(), tmpdir: process.env.TMPDIR }
    // what is left behind is seen by its paths
    process.env.TMPDIR = tmp
  })

  afterEach(async () => {
    if (before.tmpdir === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before.tmpdir
    await removeTempDir(tmp)
  })

  it('of three hosts ends with right images, of which the origin sent each byte about once', async () => {
    const { result } = await run(parseScenario('three.yaml', TEXT))
    expect(result.isPartial).toBe(false)
    expect(result.hosts.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done'])
    expect(result.figures).toMatchObject({ 'wrong.bytes': 0, 'failed.hosts': 0 })
    for (const { fromOrigin, fromMembers } of result.hosts) expect(fromOrigin + fromMembers).toBe(8 * MIB)
    expect(result.figures['origin.bytes']).toBeGreaterThanOrEqual(8 * MIB)
    expect(result.figures['origin.bytes']).toBeLessThan(1.3 * 8 * MIB)
    expect(result.figures['members.bytes']).toBeGreaterThan(1.5 * 8 * MIB)
    await expectNothingLeft()
  }, TEST_TIMEOUT_MS)

  it('does for real what goes wrong: a host is killed, another killed and started again', async () => {
    const { result } = await run(slower('count: 4', '[{ type: kill, hosts: 1, at: 1s }, { type: restart, hosts: 1, at: 1s, for: 500ms }]'))
    expect(result.hosts.map(({ fault, outcome }) => `${fault}: ${outcome}`).sort()).toEqual(['kill: left', 'null: done', 'null: done', 'restart: done'])
    expect(result.events.map(({ type }) => type)).toEqual(expect.arrayContaining(['killed', 'killed', 'restarted']))
    expect(result.figures['wrong.bytes']).toBe(0)
    await expectNothingLeft()
  }, TEST_TIMEOUT_MS)

  it('has a host that lies, whom all ban that had a wrong piece of it, and no client a wrong byte', async () => {
    const { result } = await run(slower('count: 4', '[{ type: lie, hosts: 1 }]'))
    expect(result.figures).toMatchObject({ 'wrong.bytes': 0, 'done.share': 1, 'liars.banned.share': 1 })
    await expectNothingLeft()
  }, TEST_TIMEOUT_MS)

  it('that is ended before its agents are there leaves nothing', async () => {
    const stop = new AbortController()
    const running = run(parseScenario('three.yaml', TEXT), { signal: stop.signal })
    await agentsRun(1)
    stop.abort()
    const { result } = await running
    expect(result.isPartial).toBe(true)
    expect(result.hosts.map(({ startedMs }) => startedMs)).toEqual([null, null, null])
    await expectNothingLeft()
  }, TEST_TIMEOUT_MS)

  it('that is ended in the middle leaves nothing, and says what has happened', async () => {
    const stop = new AbortController()
    const { result } = await run(parseScenario('three.yaml', TEXT), { signal: stop.signal, onProgress: ({ bytes }) => { if (bytes > MIB) stop.abort() } })
    expect(result.isPartial).toBe(true)
    expect(result.hosts.every(({ startedMs }) => startedMs !== null)).toBe(true)
    expect(result.hosts.reduce((sum, { fromOrigin, fromMembers }) => sum + fromOrigin + fromMembers, 0)).toBeGreaterThan(MIB)
    expect(result.hosts.filter(({ outcome }) => outcome === 'done').length).toBeLessThan(3)
    await expectNothingLeft()
  }, TEST_TIMEOUT_MS)

  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('whose command gets %s leaves no process, network or file', async signal => {
    const file = join(tmp, 'three.yaml')
    await writeFile(file, TEXT.replace('4MB/s, latency: 0 }\nimages', '100kB/s, latency: 0 }\nimages'))
    const shoal = new Daemon(process.execPath, [SHOAL, 'simulate', file, '--live', '--out', join(tmp, 'out')], { logFile: join(tmp, 'shoal.log'), cwd: tmp })
    await agentsRun(3)
    shoal.signal(signal)
    await shoal.exited(30_000)
    await expectNothingLeft()
    if (signal !== 'SIGKILL') expect(JSON.parse(await readFile(join(tmp, 'out', 'result.json'), 'utf8'))).toMatchObject({ isPartial: true })
  }, TEST_TIMEOUT_MS)

  async function run (scenario: Scenario, options: Parameters<typeof runLive>[2] = {}): Promise<{ result: Result }> {
    const recorder = new Recorder(scenario, { engine: 'live', shoal: 'test' })
    return { result: recorder.result(await runLive(scenario, recorder, options)) }
  }

  async function agentsRun (count: number): Promise<void> {
    await until(async () => (await leftovers()).filter(command => command.includes('agent --data')).length >= count, { what: `${count} agents run`, timeoutMs: START_TIMEOUT_MS })
  }

  async function expectNothingLeft (): Promise<void> {
    await until(async () => (await leftovers()).length === 0, { what: `no process of ${tmp} runs` })
    await until(async () => (await readdir(tmp)).every(name => !name.startsWith('shoal-')), { what: `no directory of the run is in ${tmp}` })
    // a network without a name is gone with its processes
    expect(await networks()).toBe(before.networks)
  }

  /** Command lines of processes that the run has started: they have its TMPDIR, or a path below it. */
  async function leftovers (): Promise<string[]> {
    const all = await Promise.all((await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(async id => {
      const [command, environment] = await Promise.all(['cmdline', 'environ'].map(async name => readFile(`/proc/${id}/${name}`, 'utf8').catch(() => '')))
      return { command: command ?? '', isOurs: command?.includes(tmp) === true || environment?.includes(`TMPDIR=${tmp}`) === true }
    }))
    return all.filter(({ isOurs }) => isOurs).map(({ command }) => command.replaceAll('\0', ' '))
  }
})

/** Links of this machine's own network, and networks with a name. */
async function networks (): Promise<string> {
  const [links, named] = await Promise.all([runCommand('ip', ['-brief', 'link']), runCommand('ip', ['netns'])])
  return links.stdout + named.stdout
}
