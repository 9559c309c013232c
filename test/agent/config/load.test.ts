import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError } from '../../../agent/config/config-error.ts'
import { loadConfig } from '../../../agent/config/load.ts'
import type { LoadInit, LoadedConfig } from '../../../agent/config/load.ts'

let home: string

beforeEach(async () => { home = await mkdtemp(join(tmpdir(), 'shoal-config-')) })
afterEach(async () => { await rm(home, { recursive: true }) })

async function load (init: LoadInit = {}): Promise<LoadedConfig> {
  return loadConfig({ env: {}, home, directory: home, isTerminal: false, systemFile: join(home, 'etc.yaml'), ...init })
}

async function loadYaml (yaml: string, init: LoadInit = {}): Promise<LoadedConfig> {
  await writeFile(join(home, 'shoal.yaml'), yaml)
  return load({ configFile: 'shoal.yaml', ...init })
}

async function problemsOf (loading: Promise<unknown>): Promise<readonly string[]> {
  const error: unknown = await loading.then(() => undefined, (reason: unknown) => reason)
  expect(error).toBeInstanceOf(ConfigError)
  return (error as ConfigError).problems.map(problem => problem.replaceAll(`${home}/`, ''))
}

describe('without any source', () => {
  it('gives every key its default', async () => {
    const { config, sources } = await load()
    expect(config).toEqual({
      data: join(home, '.local/share/shoal'),
      http: { host: '127.0.0.1', port: 5000 },
      allowHosts: [],
      p2p: ['/ip4/0.0.0.0/tcp/5001'],
      direct: { host: '0.0.0.0', port: 5002 },
      announce: [],
      bootstrap: [],
      mdns: true,
      origins: {},
      originPolicy: 'balanced',
      originConcurrency: 4,
      defaultRegistry: 'docker.io',
      sharePrivate: false,
      trust: [],
      uploadSlots: 6,
      maxMembers: 32,
      leech: false,
      tagTtl: 30_000,
      timeouts: { originConnect: 3000, manifest: 3000, blobFirstByte: 5000, stall: 10_000, peerDial: 3000, peerFirstByte: 3000 },
      banTime: 3_600_000,
      logLevel: 'info',
      logFormat: 'json',
      maxConnections: 600
    })
    expect(new Set(sources.values())).toEqual(new Set(['default']))
  })

  it('keeps data under XDG_DATA_HOME, but not under a relative one', async () => {
    expect((await load({ env: { XDG_DATA_HOME: '/srv/data' } })).config.data).toBe('/srv/data/shoal')
    expect((await load({ env: { XDG_DATA_HOME: 'data' } })).config.data).toBe(join(home, '.local/share/shoal'))
  })

  it('waits whole milliseconds, and never 0 where that is no time', async () => {
    expect((await loadYaml('tagTtl: 1.5ms\n')).config.tagTtl).toBe(2)
    expect(await problemsOf(loadYaml('banTime: 0.4ms\n'))).toEqual([expect.stringContaining('banTime: "0.4ms" is not allowed')])
  })

  it('logs text on a terminal', async () => {
    expect((await load({ isTerminal: true })).config.logFormat).toBe('text')
  })
})

describe('precedence', () => {
  it('is flag, then variable, then file, then default, and each value knows its source', async () => {
    const yaml = 'tagTtl: 1m\nbanTime: 1m\nlogLevel: warn\n'
    const { config, sources } = await loadYaml(yaml, { env: { SHOAL_TAG_TTL: '2m', SHOAL_BAN_TIME: '2m' }, flags: { tagTtl: '3m' } })
    expect(config).toMatchObject({ tagTtl: 180_000, banTime: 120_000, logLevel: 'warn' })
    expect(sources.get('tagTtl')).toBe('--tag-ttl')
    expect(sources.get('banTime')).toBe('SHOAL_BAN_TIME')
    expect(sources.get('logLevel')).toBe(`${home}/shoal.yaml:3:11`)
    expect(sources.get('http')).toBe('default')
  })

  it('holds for nested keys one by one', async () => {
    const { config } = await loadYaml('timeouts: { manifest: 1s, stall: 1s }', { env: { SHOAL_TIMEOUTS_MANIFEST: '2s' } })
    expect(config.timeouts).toMatchObject({ manifest: 2000, stall: 1000, peerDial: 3000 })
  })

  it('lets a switch be turned on and off from everywhere', async () => {
    expect((await loadYaml('mdns: false', { flags: { mdns: true } })).config.mdns).toBe(true)
    expect((await loadYaml('mdns: true', { env: { SHOAL_MDNS: '0' } })).config.mdns).toBe(false)
    const { config, sources } = await load({ flags: { mdns: false } })
    expect(config.mdns).toBe(false)
    expect(sources.get('mdns')).toBe('--no-mdns')
  })

  it('takes an empty variable and an empty key as unset', async () => {
    const { config } = await loadYaml('bootstrap:\nhttp:\n', { env: { SHOAL_BAN_TIME: '', SHOAL_CONFIG: '' } })
    expect(config).toMatchObject({ bootstrap: [], http: { port: 5000 }, banTime: 3_600_000 })
  })
})

describe('the configuration file', () => {
  it('is the one of --config, then SHOAL_CONFIG, then the user\'s, then the system\'s', async () => {
    await mkdir(join(home, '.config/shoal'), { recursive: true })
    await mkdir(join(home, 'xdg/shoal'), { recursive: true })
    for (const [name, seconds] of [['flag.yaml', 1], ['variable.yaml', 2], ['.config/shoal/shoal.yaml', 3], ['xdg/shoal/shoal.yaml', 4], ['etc.yaml', 5]] as const) {
      await writeFile(join(home, name), `tagTtl: ${seconds}s`)
    }
    const seconds = async (init: LoadInit) => (await load(init)).config.tagTtl / 1000
    expect(await seconds({ configFile: 'flag.yaml', env: { SHOAL_CONFIG: 'variable.yaml' } })).toBe(1)
    expect(await seconds({ env: { SHOAL_CONFIG: '~/variable.yaml' } })).toBe(2)
    expect(await seconds({})).toBe(3)
    expect(await seconds({ env: { XDG_CONFIG_HOME: join(home, 'xdg') } })).toBe(4)
    expect(await seconds({ env: { XDG_CONFIG_HOME: join(home, 'nowhere') } })).toBe(5)
  })

  it('must exist when it is named', async () => {
    expect(await problemsOf(load({ configFile: 'none.yaml' }))).toEqual(['--config: none.yaml does not exist; expected the path of a YAML file'])
    expect(await problemsOf(load({ env: { SHOAL_CONFIG: 'none.yaml' } }))).toEqual(['SHOAL_CONFIG: none.yaml does not exist; expected the path of a YAML file'])
  })

  it('may be empty', async () => {
    expect((await loadYaml('# nothing yet\n')).config.tagTtl).toBe(30_000)
  })

  it('that can\'t be read or parsed is an error with its place', async () => {
    expect(await problemsOf(load({ configFile: '.' }))).toEqual([expect.stringContaining('EISDIR')])
    expect(await problemsOf(loadYaml('http: [\n'))).toEqual([expect.stringMatching(/^shoal\.yaml:2:1: not valid YAML/)])
    expect(await problemsOf(loadYaml('- a\n'))).toEqual(['shoal.yaml:1:1: expected a mapping of keys to values'])
    expect(await problemsOf(loadYaml('tagTtl: 1s\ntagTtl: 2s\n'))).toEqual([expect.stringMatching(/^shoal\.yaml:2:1: not valid YAML: .*unique/)])
  })
})

describe('paths', () => {
  it('in the file are relative to the file, elsewhere to the working directory, and ~ is home', async () => {
    await mkdir(join(home, 'conf'))
    await writeFile(join(home, 'conf/shoal.yaml'), 'registryAuthFile: auth.json\nswarmKey: ~/key\norigins: { ghcr.io: { url: "https://x", username: u, passwordFile: ../pw } }')
    const { config } = await load({ configFile: 'conf/shoal.yaml', flags: { data: 'data' } })
    expect(config).toMatchObject({ data: join(home, 'data'), registryAuthFile: join(home, 'conf/auth.json'), swarmKey: join(home, 'key') })
    expect(config.origins['ghcr.io']?.passwordFile).toBe(join(home, 'pw'))
  })
})

describe('origins', () => {
  it('are a URL or a mapping, by lower-case host', async () => {
    const { config } = await loadYaml('origins:\n  Docker.IO: http://127.0.0.1:5009/\n  localhost:5000: { url: "https://x.example/base/", realms: [auth.example] }\n')
    expect(config.origins).toEqual({
      'docker.io': { url: 'http://127.0.0.1:5009', realms: [] },
      'localhost:5000': { url: 'https://x.example/base', realms: ['auth.example'] }
    })
  })

  it('of a flag replace the host\'s whole entry, so that credentials never go to another URL', async () => {
    const { config, sources } = await loadYaml('origins: { a.io: { url: "https://a", username: u, passwordFile: p }, b.io: "https://b" }',
      { flags: { origins: ['a.io=http://other'] }, env: { SHOAL_ORIGIN: 'b.io=http://b2,c.io=http://c' } })
    expect(config.origins).toEqual({ 'a.io': { url: 'http://other', realms: [] }, 'b.io': { url: 'http://b2', realms: [] }, 'c.io': { url: 'http://c', realms: [] } })
    expect(sources.get('origins.a.io')).toBe('--origin')
    expect(sources.get('origins.b.io')).toBe('SHOAL_ORIGIN')
  })

  it('need both halves of a pair', async () => {
    expect(await problemsOf(loadYaml('origins: { a.io: { url: "https://a", username: u } }'))).toEqual([expect.stringMatching(/^shoal\.yaml:1:\d+: origins\.a\.io: .*username and passwordFile together/)])
    expect(await problemsOf(loadYaml('origins: { a.io: { url: "https://a", key: k } }'))).toEqual([expect.stringContaining('cert and key together')])
  })

  it('are refused with credentials in the URL, and the credentials are not repeated', async () => {
    const [problem, ...more] = await problemsOf(load({ flags: { origins: ['a.io=https://me:hunter2@a.example/'] } }))
    expect(more).toEqual([])
    expect(problem).toMatch(/^--origin: origins\.a\.io\.url: .*without user/)
    expect(problem).not.toContain('hunter2')
  })
})

describe('the swarm', () => {
  const [ada, bob] = ['12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq', '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN']
  const text = { uploadLimit: '20MB/s', downloadLimit: '80Mbit/s', zone: 'rack-7', originPolicy: 'frugal', originConcurrency: '8', direct: 'off', uploadSlots: '16', maxMembers: '64' }
  const meant = { uploadLimit: 20_000_000, downloadLimit: 10_000_000, zone: 'rack-7', originPolicy: 'frugal', originConcurrency: 8, direct: 'off', uploadSlots: 16, maxMembers: 64, leech: true, trust: [ada, bob] }

  it('is told how to behave by flags, variables and the file alike', async () => {
    const variables = Object.fromEntries(Object.entries(text).map(([name, value]) => [`SHOAL_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`, value]))
    const yaml = Object.entries(text).map(([name, value]) => `${name}: ${value}\n`).join('')
    expect((await load({ flags: { ...text, leech: true, trust: [ada, bob] } })).config).toMatchObject(meant)
    expect((await load({ env: { ...variables, SHOAL_LEECH: 'true', SHOAL_TRUST: `${ada}, ${bob}` } })).config).toMatchObject(meant)
    expect((await loadYaml(`${yaml}leech: true\ntrust: [${ada}, ${bob}]`)).config).toMatchObject(meant)
  })

  it('has a direct lane at any address and port', async () => {
    expect((await load({ flags: { direct: '[::1]:0' } })).config.direct).toEqual({ host: '::1', port: 0 })
  })

  it.each([
    ['uploadLimit', '20', 'a rate such as 20MB/s'],
    ['downloadLimit', '20Mb/s', '1MiB/s (bytes) or 80Mbit/s (bits), from 1KB/s'],
    ['zone', 'rack 7', 'a label of 1 to 64 printable ASCII characters without spaces'],
    ['zone', 'z'.repeat(65), 'a label of 1 to 64'],
    ['zone', 'käfig', 'printable ASCII'],
    ['trust', `/ip4/192.0.2.1/tcp/5001/p2p/${ada}`, 'a peer id such as 12D3KooW'],
    ['trust', 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N', 'a peer id such as 12D3KooW'],
    ['originPolicy', 'greedy', 'one of frugal, balanced, fast, never'],
    ['originConcurrency', '65', 'a whole number from 1 to 64'],
    ['direct', '5002', 'HOST:PORT such as 0.0.0.0:5002 or [::]:5002 (port 0: any free port), or off'],
    ['uploadSlots', '0', 'a whole number from 1 to 256'],
    ['maxMembers', '3', 'a whole number from 4 to 256'],
    ['leech', 'yes', 'true or false']
  ])('is not told by %s: %s', async (name, value, allowed) => {
    const [problem, ...more] = await problemsOf(load({ flags: { [name]: name === 'trust' ? [value] : value } }))
    expect(more).toEqual([])
    expect(problem).toContain(allowed)
    expect(problem).toContain(`${name === 'trust' ? 'trust.0' : name}: ${JSON.stringify(value).slice(0, 60)}`)
  })

  it.each([['uploadlimt', 'uploadLimit'], ['zon', 'zone'], ['leach', 'leech'], ['origin_policy', 'originPolicy'], ['max-member', 'maxMembers']])('hints at the key that %s stands for', async (name, key) => {
    expect(await problemsOf(loadYaml(`${name}: 1`))).toEqual([expect.stringContaining(`did you mean ${key}?`)])
  })
})

describe('lists', () => {
  it('come from repeated flags, a separated variable, a YAML list or a single YAML value', async () => {
    const [a, b] = ['/ip4/192.0.2.1/tcp/5001', '/dns4/b.example/tcp/5001/p2p/12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq']
    for (const init of [{ flags: { bootstrap: [a, b] } }, { env: { SHOAL_BOOTSTRAP: `${a}, ${b}` } }, { yaml: `bootstrap: [${a}, ${b}]` }, { yaml: `bootstrap: ${a} ${b}` }]) {
      expect((await loadYaml(init.yaml ?? '', init)).config.bootstrap).toEqual([a, b])
    }
  })
})

describe('problems', () => {
  it('are all reported at once, each with its source, key, value and what is allowed', async () => {
    const problems = await problemsOf(loadYaml('http: localhost\ntimeouts:\n  manifest: never\n', { flags: { maxConnections: '0' }, env: { SHOAL_LOG_LEVEL: 'loud', SHOAL_P2P: 'tcp:1' } }))
    expect([...problems].sort()).toEqual([
      '--max-connections: maxConnections: "0" is not allowed; expected a whole number from 1 to 100000',
      'SHOAL_LOG_LEVEL: logLevel: "loud" is not allowed; expected one of trace, debug, info, warn, error, fatal, silent',
      'SHOAL_P2P: p2p.0: "tcp:1" is not allowed; expected a multiaddr such as /ip4/0.0.0.0/tcp/5001 or /ip6/::/tcp/5001',
      'shoal.yaml:1:7: http: "localhost" is not allowed; expected HOST:PORT such as 127.0.0.1:5000 or [::1]:5000 (port 0: any free port)',
      'shoal.yaml:3:13: timeouts.manifest: "never" is not allowed; expected a duration such as 500ms, 30s, 5m or 1h, at most 596h, above 0'
    ])
  })

  it.each([
    ['htp: x', 'shoal.yaml:1:1: htp: is not a known key; did you mean http?'],
    ['\ntag_ttl: 1s', 'shoal.yaml:2:1: tag_ttl: is not a known key; did you mean tagTtl?'],
    ['timeouts: { manifst: 1s }', 'shoal.yaml:1:13: timeouts.manifst: is not a known key; did you mean timeouts.manifest?'],
    ['origins: { a.io: { url: "http://a", password: hunter2 } }', 'shoal.yaml:1:37: origins.a.io.password: is not a known key; did you mean origins.a.io.passwordFile?']
  ])('name the nearest key for an unknown one: %s', async (yaml, problem) => {
    expect(await problemsOf(loadYaml(yaml))).toEqual([problem])
  })

  it('list the keys when none is near', async () => {
    expect(await problemsOf(loadYaml('zzzzzz: 1'))).toEqual([expect.stringContaining('expected one of data, http,')])
  })

  it('never repeat a key pasted where its file belongs', async () => {
    const pasted = '0123456789abcdef'.repeat(4)
    for (const value of [pasted, `/key/swarm/psk/1.0.0/\n/base16/\n${pasted}`]) {
      const problems = await problemsOf(load({ flags: { swarmKey: value } }))
      expect(problems).toEqual(['--swarm-key: swarmKey: [redacted] is not allowed; expected the path of a swarm key file, not the key itself'])
    }
  })

  it('include sharing private content without a swarm key', async () => {
    expect(await problemsOf(load({ flags: { sharePrivate: true } }))).toEqual([expect.stringContaining('--share-private: sharePrivate: true is not allowed')])
    expect((await load({ flags: { sharePrivate: true, swarmKey: 'key' } })).config.sharePrivate).toBe(true)
  })
})

describe('variables', () => {
  it('that are not known are warned of, except those Kubernetes makes for a Service', async () => {
    const { warnings } = await load({ env: { SHOAL_HTPP: '1', SHOAL_PORT: 'tcp://10.0.0.1:5000', SHOAL_SERVICE_HOST: '10.0.0.1', SHOAL_PORT_5000_TCP_ADDR: '10.0.0.1', SHOAL_CONFIG: '' } })
    expect(warnings).toEqual(['environment variable SHOAL_HTPP is not known: did you mean SHOAL_HTTP?'])
  })
})
