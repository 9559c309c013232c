import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { CliHarness, temporaryDirectory } from './cli-harness.ts'

const MAIN = fileURLToPath(new URL('../../../agent/main.ts', import.meta.url))
const run = promisify(execFile)

it('--version and --help end with 0 and print to stdout', async () => {
  const cli = new CliHarness()
  expect(await cli.run('--version')).toBe(0)
  expect(cli.stdout.text).toBe(`${packageJson.version}\n`)
  expect(await cli.run('--help')).toBe(0)
  expect(cli.stdout.text).toMatch(/Examples:/)
  expect(cli.stderr.text).toBe('')
})

it.each(['agent', 'pull', 'status', 'peers', 'simulate', 'completion'])('%s --help tells its options', async command => {
  const cli = new CliHarness()
  expect(await cli.run(command, '--help')).toBe(0)
  expect(cli.stdout.text).toContain(`Usage: shoal ${command}`)
})

it('agent --help shows every configuration key and its default', async () => {
  const cli = new CliHarness()
  await cli.run('agent', '--help')
  for (const part of ['--http <HOST:PORT>', '(default: 127.0.0.1:5000)', '--no-mdns', '--origin <HOST=URL...>', '--timeouts-stall', '$XDG_DATA_HOME/shoal']) expect(cli.stdout.text).toContain(part)
  expect(cli.stdout.text).not.toContain('--no-share-private')
})

it.each([[], ['nonsense'], ['pull'], ['pull', 'a', 'b'], ['status', '--nonsense'], ['agent', '--http'], ['agent', '--log-level', 'loud'], ['pull', 'a', '--json', '--quiet'], ['pull', 'a', '--platform', 'linux'], ['pull', 'a', '--platform', 'linux/arm64', '--all-platforms'], ['status', '--http', 'ftp://x'], ['completion', 'tcsh']])('wrong usage ends with 2: %j', async (...args) => {
  const cli = new CliHarness()
  expect(await cli.run(...args)).toBe(2)
  expect(cli.stderr.text).not.toBe('')
  expect(cli.stdout.text).toBe('')
})

it('a wrong command gets a suggestion', async () => {
  const cli = new CliHarness()
  await cli.run('statsu')
  expect(cli.stderr.text).toContain('Did you mean status?')
})

it('a wrong configuration ends with 2 and one line a mistake', async () => {
  const cli = new CliHarness()
  const file = join(await temporaryDirectory(), 'shoal.yaml')
  await writeFile(file, 'htp: x\ntagTtl: soon\n')
  expect(await cli.run('agent', '--config', file)).toBe(2)
  expect(cli.stderr.text.split('\n')).toEqual([
    expect.stringMatching(/^shoal: .*shoal\.yaml:2:9: tagTtl: "soon" is not allowed; expected a duration/),
    expect.stringMatching(/^shoal: .*shoal\.yaml:1:1: htp: is not a known key; did you mean http\?/),
    ''
  ])
})

it('the executable runs, and tells its exit code', async () => {
  expect((await run(process.execPath, [MAIN, '--version'])).stdout).toBe(`${packageJson.version}\n`)
  await expect(run(process.execPath, [MAIN, 'nonsense'])).rejects.toMatchObject({ code: 2 })
})

it('an old Node is told what is missing', async () => {
  const older = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"22.20.0"}})'
  await expect(run(process.execPath, ['--import', older, MAIN, '--version'])).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/^shoal: needs Node\.js 24 or newer/) as string })
})
