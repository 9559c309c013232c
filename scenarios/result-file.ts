import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ShoalError } from '../src/errors.ts'
import { RESULT_VERSION } from './result.ts'
import { resultSchema } from './result-schema.ts'
import type { Result } from './result.ts'

/** Its name in the directory of a run. */
export const RESULT_FILE = 'result.json'
/** So many of what is wrong with a file are told. */
const MAX_PROBLEMS = 3
const EXPECTED = `expected a ${RESULT_FILE} that "shoal simulate" wrote`

/** A file that should hold a result does not. */
export class ResultFileError extends ShoalError {
  override readonly code = 'RESULT_FILE'
  readonly path: string

  constructor (path: string, reason: string, options?: ErrorOptions) {
    super(`${path}: ${reason}`, options)
    this.path = path
  }
}

/** What `result.json` holds: the same text for the same result, with a line feed at its end. */
export function resultText (result: Result): string {
  return `${JSON.stringify(z.encode(resultSchema, result as z.output<typeof resultSchema>))}\n`
}

/** From a file, or from the directory that a run was written to. @throws ResultFileError when it can't be read, or is no result of this version */
export async function readResult (path: string): Promise<Result> {
  const isDirectory = (await stat(path).catch(() => undefined))?.isDirectory() === true
  const file = isDirectory ? join(path, RESULT_FILE) : path
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ResultFileError(file, `can't be read (${codeOf(cause)}); ${EXPECTED}`, { cause })
  })
  return parseResult(text, file)
}

function parseResult (text: string, path: string): Result {
  const raw = parseJson(text, path)
  const version = typeof raw === 'object' && raw !== null && 'resultVersion' in raw ? raw.resultVersion : undefined
  if (version === undefined) throw new ResultFileError(path, `is no result: it has no resultVersion; ${EXPECTED}`)
  if (version !== RESULT_VERSION) throw new ResultFileError(path, `has resultVersion ${JSON.stringify(version)}, this version of Shoal reads ${RESULT_VERSION}; run the scenario again`)
  const parsed = resultSchema.safeParse(raw)
  if (!parsed.success) throw new ResultFileError(path, `is no whole result (${describe(parsed.error)}); run the scenario again`, { cause: parsed.error })
  return parsed.data as Result
}

function parseJson (text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ResultFileError(path, `is not JSON (${cause instanceof Error ? cause.message : String(cause)}); ${EXPECTED}`, { cause })
  }
}

function describe ({ issues }: z.ZodError): string {
  const told = issues.slice(0, MAX_PROBLEMS).map(({ path, message }) => `${path.join('.')}: ${message}`)
  return [...told, ...issues.length > MAX_PROBLEMS ? [`and ${issues.length - MAX_PROBLEMS} more`] : []].join('; ')
}

function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
