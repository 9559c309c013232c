import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { CliHarness, temporaryDirectory } from './cli-harness.ts'

const run = promisify(execFile)

async function scriptFor (shell: string): Promise<string> {
  const cli = new CliHarness()
  expect(await cli.run('completion', shell)).toBe(0)
  return cli.stdout.text
}

describe('bash', () => {
  let script: string
  beforeAll(async () => { script = await scriptFor('bash') })

  /** What bash offers for the words; the last is the one being typed. */
  async function complete (words: string[], cwd?: string): Promise<string[]> {
    const driver = `${script}
      COMP_WORDS=(shoal "$@"); COMP_CWORD=$#
      _shoal_complete
      printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout } = await run('bash', ['--norc', '-c', driver, 'bash', ...words], { cwd })
    return stdout.split('\n').filter(line => line !== '').sort()
  }

  it('registers the function for shoal', async () => {
    const { stdout } = await run('bash', ['--norc', '-c', `${script}\ncomplete -p shoal`])
    expect(stdout).toBe('complete -F _shoal_complete shoal\n')
  })

  it('completes commands', async () => {
    expect(await complete(['st'])).toEqual(['status'])
    expect(await complete([''])).toEqual(expect.arrayContaining(['agent', 'completion', 'peers', 'pull', 'status', '--help', '--version']))
  })

  it('completes the options of the command that stands there', async () => {
    expect(await complete(['pull', 'alpine', '--a'])).toEqual(['--all-platforms'])
    expect(await complete(['agent', '--http', '127.0.0.1:1', '--no-m'])).toEqual(['--no-mdns'])
    expect(await complete(['status', '--all'])).toEqual([])
  })

  it('completes a scenario: a name of the library, a file, a directory on the way to one', async () => {
    const directory = await temporaryDirectory()
    await mkdir(join(directory, 'cold-places'))
    for (const name of ['cold-start.yaml', 'cold-start.json']) await writeFile(join(directory, name), '')
    expect(await complete(['simulate', 'cold'], directory)).toEqual(['cold-cluster', 'cold-places/', 'cold-start.yaml'])
    expect(await complete(['simulate', '--se'], directory)).toEqual(['--seed', '--set'])
    expect(await complete(['simulate', '--compare', 'cold-start'], directory)).toEqual(['cold-start.json', 'cold-start.yaml'])
    expect(await complete(['pull', 'cold'], directory)).toEqual([])
  })

  it('completes values: words, files, directories, and nothing where it knows nothing', async () => {
    const directory = await temporaryDirectory()
    await mkdir(join(directory, 'some directory'))
    await writeFile(join(directory, 'some file'), '')
    expect(await complete(['agent', '--log-level', 'd'])).toEqual(['debug'])
    expect(await complete(['completion', 'b'])).toEqual(['bash'])
    expect(await complete(['agent', '--data', 'some'], directory)).toEqual(['some directory'])
    expect(await complete(['agent', '--swarm-key', 'some'], directory)).toEqual(['some directory', 'some file'])
    expect(await complete(['agent', '--http', ''], directory)).toEqual([])
  })
})

it('zsh reads the script of bash', async () => {
  expect(await scriptFor('zsh')).toBe(`autoload -U +X bashcompinit && bashcompinit\n${await scriptFor('bash')}`)
})

it('fish gets a line for each command and option, quoted', async () => {
  const lines = (await scriptFor('fish')).split('\n')
  expect(lines).toEqual(expect.arrayContaining([
    'complete -c shoal -f -n __fish_use_subcommand -a status -d \'Show what the running agent does and holds\'',
    expect.stringMatching(/^complete -c shoal -n '__fish_seen_subcommand_from agent' -l log-level -x -a 'trace debug info/),
    expect.stringMatching(/^complete -c shoal -n '__fish_seen_subcommand_from pull' -l quiet -s q -f -d/),
    expect.stringContaining('registry\\\'s content'),
    'complete -c shoal -f -n \'__fish_seen_subcommand_from simulate\' -a cold-cluster',
    'complete -c shoal -f -n \'__fish_seen_subcommand_from simulate\' -a \'(__fish_complete_suffix .yaml)\''
  ]))
})
