import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { keyRows } from '../../../scenarios/docs/key-rows.ts'
import { fillSections } from '../../../scenarios/docs/sections.ts'
import { TABLES } from '../../../scenarios/docs/tables.ts'
import { parseScenario } from '../../../scenarios/file/load.ts'

const docs = await readFile(new URL('../../../docs/scenarios.md', import.meta.url), 'utf8')

it('docs/scenarios.md is up to date: npm run docs', () => {
  expect(fillSections(docs, TABLES)).toBe(docs)
})

it('its example is a scenario', () => {
  const [, example = ''] = /```yaml\n([^`]*)```/.exec(docs) ?? []
  expect(parseScenario('rollout.yaml', example).expect).toHaveLength(4)
})

it('a place that is missing is told', () => {
  expect(() => fillSections('<!-- end keys -->', TABLES)).toThrow('no <!-- begin keys -->')
})

it('rows tell of each key the kind of value, the default, and with which types it stands', () => {
  const time = z.string().meta({ pattern: '^\\d+(\\.\\d+)?ms$' })
  const schema = z.strictObject({
    limit: time.prefault('5ms').describe('The end.'),
    groups: z.record(z.string(), z.strictObject({ count: z.int().min(1).max(9) })),
    faults: z.array(z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('kill').describe('Dies.'), at: time }),
      z.strictObject({ type: z.literal('lie').describe('Lies.'), at: time, much: z.boolean().optional() })
    ]))
  })
  expect(keyRows(z.toJSONSchema(schema, { io: 'input' })).map(({ key, value, fallback, isRequired, types }) => [key, value, fallback, isRequired, types.join()])).toEqual([
    ['limit', 'time', '5ms', false, ''],
    ['groups', 'mapping', undefined, true, ''],
    ['groups.NAME.count', 'whole number, 1 to 9', undefined, true, ''],
    ['faults', 'list', undefined, true, ''],
    ['faults[].type', '`kill`', undefined, true, 'kill'],
    ['faults[].at', 'time', undefined, true, 'kill,lie'],
    ['faults[].type', '`lie`', undefined, true, 'lie'],
    ['faults[].much', '`true`, `false`', undefined, false, 'lie']
  ])
})
