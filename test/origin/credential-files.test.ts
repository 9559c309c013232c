import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { credentialFilePaths, FileCredentials } from '../../src/origin/credential-files.ts'
import type { OriginLogEvent } from '../../src/origin/origin-log.ts'

const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString('base64') })
const ghcr = { host: 'ghcr.io', path: 'team/app' }

async function temporaryDirectory (): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-credentials-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

/** A helper that counts its runs in a file beside it. */
async function installHelper (directory: string, name: string, script: string): Promise<Record<string, string>> {
  const path = join(directory, `docker-credential-${name}`)
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
  return { PATH: `${directory}${delimiter}${process.env.PATH}` }
}

describe('the files of Docker and podman', () => {
  test.each([
    [{ HOME: '/h', XDG_RUNTIME_DIR: '/run/user/1' }, ['/run/user/1/containers/auth.json', '/h/.config/containers/auth.json', '/h/.docker/config.json']],
    [{ HOME: '/h', XDG_CONFIG_HOME: '/c' }, ['/c/containers/auth.json', '/h/.docker/config.json']],
    [{ HOME: '/h', DOCKER_CONFIG: '/d' }, ['/d/config.json']],
    [{ HOME: '/h', REGISTRY_AUTH_FILE: '/a.json' }, ['/a.json']],
    [{ HOME: '/h', REGISTRY_AUTH_FILE: '/a.json', DOCKER_CONFIG: '/d' }, ['/a.json', '/d/config.json']],
    [{ HOME: '/h', REGISTRY_AUTH_FILE: '' }, ['/h/.config/containers/auth.json', '/h/.docker/config.json']],
    [{}, []]
  ])('with %j are %j', (environment, paths) => {
    expect(credentialFilePaths(environment)).toEqual(paths)
  })

  test('are searched in order; one that is missing or broken is passed over, and the broken one is logged once', async () => {
    const directory = await temporaryDirectory()
    const log: OriginLogEvent[] = []
    const [missing, broken, good] = ['missing', 'broken', 'good'].map(name => join(directory, name)) as [string, string, string]
    await writeFile(broken, '{"auths":{"ghcr.io":{"auth":"c2VjcmV0')
    await writeFile(good, JSON.stringify({ auths: { 'ghcr.io': auth('ada:x') } }))
    const credentials = new FileCredentials({ log: event => log.push(event) }, { paths: [missing, broken, good] })
    expect(await credentials.find(ghcr)).toMatchObject({ username: 'ada' })
    expect(await credentials.find(ghcr)).toMatchObject({ username: 'ada' })
    expect(log).toEqual([{ type: 'origin:credentials-failed', source: broken, reason: 'not JSON' }])
  })

  test('are read again when they have changed, appeared or gone', async () => {
    const path = join(await temporaryDirectory(), 'config.json')
    const credentials = new FileCredentials({}, { paths: [path] })
    expect(await credentials.find(ghcr)).toBeUndefined()
    await writeFile(path, JSON.stringify({ auths: { 'ghcr.io': auth('ada:x') } }))
    expect(await credentials.find(ghcr)).toMatchObject({ username: 'ada' })
    await writeFile(path, JSON.stringify({ auths: { 'ghcr.io': auth('grace:x') } }))
    expect(await credentials.find(ghcr)).toMatchObject({ username: 'grace' })
    await rm(path)
    expect(await credentials.find(ghcr)).toBeUndefined()
  })
})

describe('a credential helper', () => {
  async function withHelper (script: string, init: { helperTimeoutMs?: number, now?: () => number } = {}): Promise<{ credentials: FileCredentials, log: OriginLogEvent[] }> {
    const directory = await temporaryDirectory()
    const environment = await installHelper(directory, 'test', script)
    const path = join(directory, 'config.json')
    await writeFile(path, JSON.stringify({ credsStore: 'test', auths: { 'docker.io': {} } }))
    const log: OriginLogEvent[] = []
    return { log, credentials: new FileCredentials({ log: event => log.push(event), ...(init.now === undefined ? {} : { now: init.now }) }, { paths: [path], environment, ...init }) }
  }

  test('is asked with `get` for the host on its standard input', async () => {
    const { credentials } = await withHelper('read server; echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"$1\\",\\"Secret\\":\\"for $server\\"}"')
    expect(await credentials.find(ghcr)).toEqual({ type: 'password', username: 'get', password: 'for ghcr.io' })
    expect(await credentials.find({ host: 'docker.io', path: 'library/alpine' })).toMatchObject({ password: 'for https://index.docker.io/v1/' })
  })

  test('gives an identity token to the user <token>', async () => {
    const { credentials } = await withHelper('echo \'{"Username":"<token>","Secret":"refresh"}\'')
    expect(await credentials.find(ghcr)).toEqual({ type: 'identity-token', token: 'refresh' })
  })

  test('is asked once a minute and host, by many at once', async () => {
    let now = 0
    const { credentials } = await withHelper('echo x >> "$0.runs"; echo "{\\"Username\\":\\"$(wc -l < "$0.runs")\\",\\"Secret\\":\\"x\\"}"', { now: () => now })
    const [first, second] = await Promise.all([credentials.find(ghcr), credentials.find(ghcr)])
    expect([first, second, await credentials.find(ghcr)]).toEqual([first, first, first])
    now = 61_000
    expect(await credentials.find(ghcr)).not.toEqual(first)
  })

  test('that has nothing for the host is no failure', async () => {
    const { credentials, log } = await withHelper('echo "credentials not found in native keychain"; exit 1')
    expect(await credentials.find(ghcr)).toBeUndefined()
    expect(log).toEqual([])
  })

  test.each([
    ['fails', 'echo secret; exit 3', 'docker-credential-test ended with 3'],
    ['talks nonsense', 'echo secret', 'the credential helper\'s answer is not a JSON object'],
    ['talks without end', 'yes secret', 'docker-credential-test: more than 65536 bytes of answer'],
    ['hangs', 'exec sleep 30', 'docker-credential-test: no answer within 300 ms'],
    ['leaves a child that holds the pipe', 'sleep 30 & wait', 'docker-credential-test: no answer within 300 ms']
  ])('that %s counts as none, and the log says why without its words', async (_, script, reason) => {
    const { credentials, log } = await withHelper(script, { helperTimeoutMs: 300 })
    expect(await credentials.find(ghcr)).toBeUndefined()
    expect(log).toEqual([{ type: 'origin:credentials-failed', source: 'docker-credential-test', reason }])
  })

  test.each(['../../bin/sh', 'a b', ''])('named %j is not run', async name => {
    const path = join(await temporaryDirectory(), 'config.json')
    await writeFile(path, JSON.stringify({ credHelpers: { 'ghcr.io': name } }))
    expect(await new FileCredentials({}, { paths: [path] }).find(ghcr)).toBeUndefined()
  })

  test('that is not installed counts as none', async () => {
    const path = join(await temporaryDirectory(), 'config.json')
    await writeFile(path, JSON.stringify({ credHelpers: { 'ghcr.io': 'none-such' } }))
    const log: OriginLogEvent[] = []
    expect(await new FileCredentials({ log: event => log.push(event) }, { paths: [path] }).find(ghcr)).toBeUndefined()
    expect(log).toEqual([{ type: 'origin:credentials-failed', source: 'docker-credential-none-such', reason: 'docker-credential-none-such is not installed' }])
  })

  test('that is slow does not hold a caller whose signal ends', async () => {
    const { credentials } = await withHelper('exec sleep 30', { helperTimeoutMs: 300 })
    const reason = new Error('impatient')
    await expect(credentials.find(ghcr, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})
