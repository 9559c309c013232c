import { readdir, readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { renderScenarioSchema } from '../../../scenarios/file/json-schema.ts'
import { loadScenario } from '../../../scenarios/file/load.ts'
import { layersOf } from '../../../scenarios/plan.ts'
import { problemsIn, SHORTEST } from './scenario-text.ts'

const LIBRARY = new URL('../../../scenarios/', import.meta.url)
const names = (await readdir(LIBRARY)).filter(name => name.endsWith('.yaml')).map(name => name.replace('.yaml', ''))
const fits = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(renderScenarioSchema()) as object)

function textOf (name: string): Promise<string> {
  return readFile(new URL(`${name}.yaml`, LIBRARY), 'utf8')
}

describe('the library', () => {
  it('has all that it promises', () => {
    expect(names).toEqual(expect.arrayContaining([
      'kraken-2600', 'cold-cluster', 'rolling-20-percent', 'conference-hall', 'classroom', 'edge-sites', 'registry-outage', 'poison', 'slow-tail', 'flash-crowd-10k', 'many-layers',
      'huge-layer', 'tag-storm', 'eight-hosts', 'sixteen-hosts'
    ]))
  })

  describe.each(names)('%s', name => {
    it('can be run, says what it is for, and expects the least that anybody may: that all are done, with right bytes', async () => {
      const scenario = await loadScenario(new URL(`${name}.yaml`, LIBRARY).pathname)
      expect(scenario.name).toBe(name)
      expect(scenario.description).not.toBe('')
      expect(scenario.expect.map(({ text }) => text)).toEqual(expect.arrayContaining(['done.share == 100%', 'wrong.bytes == 0']))
      expect(scenario.expect.some(({ figure }) => figure.startsWith('completion.'))).toBe(true)
      expect(scenario.expect.some(({ figure }) => figure === 'origin.bytes')).toBe(true)
    })

    it('names the schema for editors, fits it, and says in comments why its figures are what they are', async () => {
      const text = await textOf(name)
      expect(text).toMatch(/^# yaml-language-server: \$schema=scenario\.schema\.json\n(# .+\n){2,4}description:/)
      expect(fits(parse(text))).toBe(true)
    })
  })

  it.each([
    ['kraken-2600', 2600, 3e9, 2], ['flash-crowd-10k', 10_000, 500e6, 2], ['many-layers', 40, 200e6, 200], ['huge-layer', 50, 20e9, 1], ['conference-hall', 201, 100e6, 3],
    ['edge-sites', 240, 150e6, 3], ['eight-hosts', 8, 2 ** 27, 2], ['sixteen-hosts', 16, 2 ** 27, 2], ['tag-storm', 320, 260e6, 83], ['poison', 200, 500e6, 2]
  ])('%s has %i hosts, and %d bytes in %i layers', async (name, hosts, bytes, layers) => {
    const scenario = await loadScenario(new URL(`${name}.yaml`, LIBRARY).pathname)
    const pulled = layersOf(scenario, scenario.pulls.flatMap(({ images }) => images))
    expect(scenario.groups.reduce((sum, { count }) => sum + count, 0)).toBe(hosts)
    expect(pulled.reduce((sum, layer) => sum + layer.bytes, 0)).toBe(bytes)
    expect(pulled.length).toBe(layers)
  })
})

describe('the schema for editors', () => {
  it('is what the schema says (npm run docs)', async () => {
    expect(await readFile(new URL('scenario.schema.json', LIBRARY), 'utf8')).toBe(renderScenarioSchema())
  })

  it.each([
    'groups: { a: { count: 0, up: 1MB/s, down: 1MB/s } }', 'groups: { a: { count: 1, up: 300, down: 1MB/s } }', 'groups: { a: { count: 1, up: 1MB/s, down: 1MB/s, upp: 1 } }',
    'orign: { up: 1MB/s }', 'origin: { up: 0 }', 'limit: soon', 'images: { app: [-1GB] }', 'images: { app: [{ name: x }] }', 'faults: [{ type: kil, hosts: 1 }]',
    'faults: [{ type: lie, hosts: 1, for: 3s }]', 'pulls: [{ arrival: { type: rolling } }]', 'expect: [done.share]', 'seed: -1'
  ])('refuses what is refused: %s', part => {
    const key = part.split(':')[0] ?? ''
    const text = [...SHORTEST.split(/\n(?=\w)/).filter(line => !line.startsWith(`${key}:`)), part].join('\n')
    expect(problemsIn(text)).not.toEqual([])
    expect(fits(parse(text))).toBe(false)
  })

  it('says of every key what it means', () => {
    const undescribed: string[] = []
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return
      for (const [key, value] of Object.entries(node)) {
        if (key === 'properties') {
          for (const [name, property] of Object.entries(value as Record<string, { description?: string }>)) if (property.description === undefined) undescribed.push(`${path}.${name}`)
        }
        visit(value, key === 'properties' ? path : `${path}.${key}`)
      }
    }
    visit(JSON.parse(renderScenarioSchema()), '')
    expect(undescribed).toEqual([])
  })
})
