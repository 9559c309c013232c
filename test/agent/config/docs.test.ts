import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { EXAMPLE, renderConfigurationDocs } from '../../../agent/config/docs.ts'
import { configKeys } from '../../../agent/config/keys.ts'
import { configSchema } from '../../../agent/config/schema.ts'
import { YamlFile } from '../../../src/values/yaml-file.ts'

it('docs/configuration.md is what the schema says (npm run docs)', async () => {
  expect(await readFile(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')).toBe(renderConfigurationDocs())
})

it('the example in the documentation is a valid configuration', () => {
  const { content } = YamlFile.parse('example', EXAMPLE.join('\n'))
  expect(configSchema.safeParse({ ...content, logFormat: 'text' }).error).toBeUndefined()
})

it('no two keys share a flag or a variable', () => {
  expect(new Set(configKeys.map(key => key.flag)).size).toBe(configKeys.length)
  expect(new Set(configKeys.map(key => key.variable)).size).toBe(configKeys.length)
})

it('flags and variables follow from the key', () => {
  const byName = new Map(configKeys.map(key => [key.name, `${key.flag} ${key.variable} ${key.shape}`]))
  expect(byName.get('p2p')).toBe('--p2p SHOAL_P2P list')
  expect(byName.get('mdns')).toBe('--mdns SHOAL_MDNS switch')
  expect(byName.get('tagTtl')).toBe('--tag-ttl SHOAL_TAG_TTL value')
  expect(byName.get('origins')).toBe('--origin SHOAL_ORIGIN pairs')
  expect(byName.get('timeouts.originConnect')).toBe('--timeouts-origin-connect SHOAL_TIMEOUTS_ORIGIN_CONNECT value')
})
