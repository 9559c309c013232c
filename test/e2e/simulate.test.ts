import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Result } from '../../scenarios/result.ts'

const MAIN = resolve(import.meta.dirname, '../../agent/main.ts')
const run = promisify(execFile)

/** Six hosts that are done within a second, and nothing goes wrong. */
const TINY = `
groups: { rack: { count: 6, up: 100MB/s, down: 100MB/s } }
origin: { up: 100MB/s }
images: { app: [20MB, 1MB] }
expect:
  - done.share == 100%
  - origin.bytes <= 1.2 x image
`

async function directory (): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'shoal-simulate-'))
  onTestFinished(async () => { await rm(path, { recursive: true, force: true }) })
  return path
}

async function tiny (text = TINY): Promise<{ file: string, out: (name: string) => string }> {
  const base = await directory()
  const file = join(base, 'tiny.yaml')
  await writeFile(file, text)
  return { file, out: name => join(base, name) }
}

async function shoal (...args: string[]): Promise<{ code: number, stdout: string, stderr: string }> {
  try {
    return { code: 0, ...await run(process.execPath, [MAIN, ...args], { maxBuffer: 64 * 1024 * 1024 }) }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number, stdout: string, stderr: string }
    return { code, stdout, stderr }
  }
}

describe('a simulation', () => {
  it('gives the same bytes for the same seed, and others for another', async () => {
    const { file, out } = await tiny()
    for (const name of ['a', 'b']) expect(await shoal('simulate', file, '--out', out(name))).toMatchObject({ code: 0 })
    await shoal('simulate', file, '--seed', '2', '--out', out('c'))
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(async name => readFile(join(out(name), 'result.json'), 'utf8')))
    expect(a).toBe(b)
    expect((JSON.parse(c ?? '') as Result).figures).not.toEqual((JSON.parse(a ?? '') as Result).figures)
  })

  it('fails for what does not hold, and says what it was', async () => {
    const { file, out } = await tiny(TINY.replace('1.2 x image', '0.9 x image'))
    const { code, stderr } = await shoal('simulate', file, '--out', out('a'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^shoal: expected origin\.bytes <= 0\.9 x image: it was 2\d\.\d MB, and the limit 18\.9 MB$/m)
    expect(stderr).not.toContain('done.share')
  })

  it('refuses what is impossible before it runs', async () => {
    const { file, out } = await tiny(TINY.replace('origin: { up: 100MB/s }', ''))
    const { code, stderr } = await shoal('simulate', file, '--out', out('a'))
    expect(code).toBe(2)
    expect(stderr).toMatch(/^shoal: .*tiny\.yaml:\d+:\d+: /)
    await expect(readdir(out('a'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('prints JSON and nothing else', async () => {
    const { file } = await tiny()
    const { code, stdout, stderr } = await shoal('simulate', file, '--json')
    expect([code, stderr]).toEqual([0, ''])
    expect((JSON.parse(stdout) as Result).figures['done.share']).toBe(1)
  })

  it('may be swept over sizes', async () => {
    const { file, out } = await tiny()
    expect(await shoal('simulate', file, '--sweep', 'hosts=2,12', '--out', out('a'))).toMatchObject({ code: 0 })
    const { hosts } = JSON.parse(await readFile(join(out('a'), 'result-12.json'), 'utf8')) as Result
    expect(hosts.map(({ outcome }) => outcome)).toEqual(new Array(12).fill('done'))
  })
})

describe('Ctrl-C', () => {
  it('ends a run with a partial report', async () => {
    const out = join(await directory(), 'out')
    // far longer than it takes until the first line of progress
    const child = spawn(process.execPath, [MAIN, 'simulate', 'cold-cluster', '--set', 'hosts=1000', '--out', out], { stdio: ['ignore', 'ignore', 'pipe'] })
    onTestFinished(() => { child.kill('SIGKILL') })
    const ended = once(child, 'exit')
    await Promise.race([once(child.stderr, 'data'), ended])
    child.kill('SIGINT')
    expect(await ended).toEqual([130, null])
    expect((await readdir(out)).sort()).toEqual(['report.html', 'result.json'])
    const { isPartial, hosts } = JSON.parse(await readFile(join(out, 'result.json'), 'utf8')) as Result
    expect(isPartial).toBe(true)
    expect(hosts).toHaveLength(1000)
  })
})
