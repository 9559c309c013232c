import { describe, expect, it } from 'vitest'
import { YamlError } from '../../src/values/yaml-error.ts'
import { YamlFile } from '../../src/values/yaml-file.ts'

const TEXT = 'a: 1\nlist:\n  - x\n  - { deep: y }\nmap:\n  key: z\n'

describe('a YAML file', () => {
  it.each([
    [['a'], '1:4'], [['list'], '3:3'], [['list', 1], '4:5'], [['list', 1, 'deep'], '4:13'], [['map', 'key'], '6:8'], [['map', 'none'], '6:3'], [['none'], '1:1'], [[], '1:1']
  ])('%j stands at %s', (path, place) => {
    expect(YamlFile.parse('f', TEXT).locate(path)).toBe(`f:${place}`)
  })

  it('tells where a key stands', () => {
    expect(YamlFile.parse('f', TEXT).locate(['map', 'key'], { ofKey: true })).toBe('f:6:3')
  })

  it.each(['', '# only a comment\n', 'null\n'])('%j is an empty mapping', text => {
    expect(YamlFile.parse('f', text).content).toEqual({})
  })

  it.each([
    ['- a', 'f:1:1', 'expected a mapping of keys to values'],
    ['a: 1\na: 2', 'f:2:1', 'not valid YAML: Map keys must be unique'],
    ['a: [1', 'f:1:6', 'not valid YAML: Flow sequence'],
    ['a: *nowhere', 'f', 'not valid YAML: Unresolved alias']
  ])('%j is none', (text, place, reason) => {
    const error = caught(() => YamlFile.parse('f', text))
    expect(error.code).toBe('YAML_INVALID')
    expect(error.problems[0]?.place).toBe(place)
    expect(error.problems[0]?.reason).toContain(reason)
  })
})

function caught (run: () => unknown): YamlError {
  try {
    run()
  } catch (error) {
    if (error instanceof YamlError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
