import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadConfig } from '../../../agent/config/load.ts'
import { printConfigJson, printConfigYaml } from '../../../agent/config/print.ts'

let home: string

beforeEach(async () => { home = await mkdtemp(join(tmpdir(), 'shoal-print-')) })
afterEach(async () => { await rm(home, { recursive: true }) })

const yaml = `
http: '[::1]:0'
tagTtl: 90s
uploadLimit: 80Mbit/s
direct: '[::]:0'
zone: rack-7
trust: [12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq]
bootstrap: [/ip4/192.0.2.1/tcp/5001, /ip4/192.0.2.2/tcp/5001]
swarmKey: ~/key
origins:
  docker.io: http://127.0.0.1:5009
  localhost:5000: { url: "https://x.example/base", username: robot, passwordFile: pw, realms: [auth.example] }
timeouts: { stall: 1500ms }
`

async function load (text: string, flags = {}) {
  const file = join(home, 'shoal.yaml')
  await writeFile(file, text)
  return loadConfig({ configFile: file, env: { SHOAL_BAN_TIME: '5m' }, home, directory: home, isTerminal: false, flags })
}

it('prints a file that means the same configuration', async () => {
  const loaded = await load(yaml, { mdns: false })
  const again = await load(printConfigYaml(loaded))
  expect(again.config).toEqual(loaded.config)
})

it('prints each value as a person writes it, with its source as a comment', async () => {
  const lines = printConfigYaml(await load(yaml, { mdns: false })).split('\n')
  expect(lines).toEqual(expect.arrayContaining([
    'mdns: false # --no-mdns',
    'banTime: 5m # SHOAL_BAN_TIME',
    'maxConnections: 600 # default',
    'downloadLimit: null # default',
    `uploadLimit: 10MB/s # ${home}/shoal.yaml:4:14`,
    `direct: "[::]:0" # ${home}/shoal.yaml:5:9`,
    'registryAuthFile: null # default',
    'announce: [] # default',
    `http: "[::1]:0" # ${home}/shoal.yaml:2:7`,
    `tagTtl: 90s # ${home}/shoal.yaml:3:9`,
    `    # ${home}/shoal.yaml:11:3`
  ]))
})

it('prints JSON with the sources beside the configuration', async () => {
  const printed = JSON.parse(printConfigJson(await load(yaml))) as { config: Record<string, unknown>, sources: Record<string, string> }
  expect(printed.config).toMatchObject({ http: '[::1]:0', banTime: '5m', timeouts: { stall: '1500ms', manifest: '3s' } })
  expect(printed.sources).toMatchObject({ banTime: 'SHOAL_BAN_TIME', mdns: 'default' })
})
