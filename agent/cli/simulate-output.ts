import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { OutputError } from './cli-error.ts'
import type { TextInit } from '../../scenarios/report/text-layout.ts'
import type { Result } from '../../scenarios/result.ts'
import type { CliContext } from './cli-context.ts'
import type { SimulateOutput } from './simulate-request.ts'

/** Longer lines are hard to read. */
const MAX_WIDTH = 120

/** A file's name and how its text is made. */
export type OutputFile = readonly [name: string, text: () => string | Promise<string>]

/** Where files go: `--out`, else the directory given; with `--json` only `--out`. Undefined: nowhere. */
export function outputDirectory ({ out, asJson }: SimulateOutput, fallback: string): string | undefined {
  if (out !== undefined) return resolve(out)
  return asJson ? undefined : resolve(fallback)
}

/** Makes the directory before anything runs for minutes, so that one that can't be used is known first. @throws OutputError */
export async function prepareDirectory (directory: string | undefined): Promise<void> {
  if (directory === undefined) return
  try {
    await mkdir(directory, { recursive: true })
  } catch (error) {
    throw unwritable(directory, error)
  }
}

/** Reports are left out with `--no-report`. @throws OutputError */
export async function writeFiles (directory: string | undefined, files: readonly OutputFile[], { hasReport }: SimulateOutput): Promise<void> {
  if (directory === undefined) return
  for (const [name, text] of files) {
    if (name.endsWith('.html') && !hasReport) continue
    const path = join(directory, name)
    await prepareDirectory(dirname(path))
    const content = await text()
    try {
      await writeFile(path, content)
    } catch (error) {
      throw unwritable(path, error)
    }
  }
}

/** How text for standard output is laid out. */
export function textInit ({ stdout, env }: CliContext): TextInit {
  const isTerminal = stdout.isTTY === true
  return {
    colour: isTerminal && (env.NO_COLOR ?? '') === '',
    ...(isTerminal && stdout.columns !== undefined ? { width: Math.min(stdout.columns, MAX_WIDTH) } : {})
  }
}

/** Says where to look, for people. */
export function tellPlaces (directory: string | undefined, report: string, { asJson, isQuiet, hasReport }: SimulateOutput, { stdout }: CliContext): void {
  if (directory === undefined || asJson || isQuiet) return
  stdout.write(hasReport ? `\nopen ${join(directory, report)}\n` : `\nwritten to ${directory}\n`)
}

/** Says what a run left out, where it does not get into a pipe. */
export function tellNotes ({ notes = [] }: Result, { isQuiet }: SimulateOutput, { stderr }: CliContext): void {
  if (!isQuiet) for (const note of notes) stderr.write(`note: ${note}\n`)
}

function unwritable (path: string, cause: unknown): OutputError {
  const { code = String(cause) } = cause as NodeJS.ErrnoException
  return new OutputError(`can't write ${path} (${code}): make room or choose another directory with --out DIR`, { cause })
}
