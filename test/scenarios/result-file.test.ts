import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'
import { resultJsonSchema } from '../../scenarios/result-schema.ts'
import { readResult, ResultFileError, resultText } from '../../scenarios/result-file.ts'
import { plausibleResult } from './plausible-run.ts'

let dir: string

beforeAll(async () => { dir = await makeTempDir('result-file') })
afterAll(async () => { await removeTempDir(dir) })

async function fileOf (text: string): Promise<string> {
  const path = join(dir, 'result.json')
  await writeFile(path, text)
  return path
}

describe('a result file', () => {
  it('is read as what was written, with what has no end in it', async () => {
    const result = plausibleResult()
    expect(result.scenario.agent.uploadLimit).toBe(Infinity)
    expect(await readResult(await fileOf(resultText(result)))).toEqual(result)
  })

  it('is the same text for the same run', () => {
    expect(resultText(plausibleResult({ seed: 7 }))).toBe(resultText(plausibleResult({ seed: 7 })))
    expect(resultText(plausibleResult({ seed: 8 }))).not.toBe(resultText(plausibleResult({ seed: 7 })))
  })

  it('holds plain JSON: nothing in it turns into null by itself', () => {
    const raw = JSON.parse(resultText(plausibleResult())) as { scenario: { agent: { uploadLimit: unknown } } }
    expect(raw.scenario.agent.uploadLimit).toBe('Infinity')
  })

  it.each([
    ['no JSON', '{"resultVersion": 1', 'is not JSON'],
    ['another JSON file', '{"name": "shoal"}', 'it has no resultVersion; expected a result.json that "shoal simulate" wrote'],
    ['not even an object', '[]', 'it has no resultVersion'],
    ['a result of another version', '{"resultVersion": 99}', 'has resultVersion 99, this version of Shoal reads 1'],
    ['a result with parts missing', '{"resultVersion": 1, "shoal": "1"}', 'is no whole result (engine: ']
  ])('that is %s is refused with the reason', async (_, text, reason) => {
    const path = await fileOf(text)
    const error = await readResult(path).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ResultFileError)
    expect(error).toMatchObject({ code: 'RESULT_FILE', path, message: expect.stringContaining(`${path}: `) as string })
    expect((error as Error).message).toContain(reason)
  })

  it('is found in the directory of its run', async () => {
    await fileOf(resultText(plausibleResult({ seed: 3 })))
    expect((await readResult(dir)).scenario.seed).toBe(3)
  })

  it('that is not there is refused with the reason', async () => {
    await expect(readResult(join(dir, 'absent.json'))).rejects.toThrow('can\'t be read (ENOENT)')
  })
})

it('the published schema of a result is the one in use', async () => {
  const file = await readFile(new URL('../../scenarios/result.schema.json', import.meta.url), 'utf8')
  expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(resultJsonSchema())))
})
