import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const ROOT = import.meta.dirname
const DOCUMENTS = ['README.md', 'LICENSE', 'CHANGELOG.md']
const EXECUTABLE = 'agent/main.js'
const COMPILE_TIMEOUT_MS = 120_000
/** What only a checkout needs. */
const CHECKOUT_FIELDS = new Set(['private', 'scripts', 'devDependencies', 'bin', 'exports'])

export interface BuildInit {
  /** Where the package goes; an earlier build there is replaced. @default 'dist' beside this file */
  readonly outDir?: string
  /** Whether a type error fails the build. @default true */
  readonly checkTypes?: boolean
}

/**
 * Makes the package that is published: JavaScript and declarations of `src`, `agent` and `scenarios`, the files beside them that
 * are no TypeScript, and a package.json of its own. A checkout needs none of it. A build that fails leaves nothing.
 * @throws Error with the compiler's output; when `outDir` holds something that is no build
 */
export async function buildPackage ({ outDir = join(ROOT, 'dist'), checkTypes = true }: BuildInit = {}): Promise<void> {
  await clear(outDir)
  try {
    await fill(outDir, checkTypes)
  } catch (error) {
    await rm(outDir, { recursive: true, force: true })
    throw error
  }
}

async function fill (outDir: string, checkTypes: boolean): Promise<void> {
  await compile(outDir, checkTypes)
  for (const folder of ['src', 'agent', 'scenarios']) await copyAssets(join(ROOT, folder), join(outDir, folder))
  for (const document of await present(DOCUMENTS)) await cp(join(ROOT, document), join(outDir, document))
  const source = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>
  await writeFile(join(outDir, 'package.json'), `${JSON.stringify(publishedManifest(source), null, 2)}\n`)
  await chmod(join(outDir, EXECUTABLE), 0o755)
}

/** The package.json of the published package, from that of the checkout. */
function publishedManifest (source: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    ...Object.fromEntries(Object.entries(source).filter(([field]) => !CHECKOUT_FIELDS.has(field))),
    bin: { shoal: EXECUTABLE },
    exports: { '.': { types: './src/index.d.ts', default: './src/index.js' } }
  }
}

/** Deletes an earlier build, and nothing else. */
async function clear (outDir: string): Promise<void> {
  await mkdir(outDir, { recursive: true })
  if ((await readdir(outDir)).length > 0 && !await isBuild(outDir)) throw new Error(`${outDir} is not empty and no earlier build: not deleted`)
  await rm(outDir, { recursive: true })
  await mkdir(outDir)
}

async function isBuild (directory: string): Promise<boolean> {
  try {
    const { bin } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as { bin?: { shoal?: unknown } }
    return bin?.shoal === EXECUTABLE
  } catch {
    return false
  }
}

async function compile (outDir: string, checkTypes: boolean): Promise<void> {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const args = [tsc, '--project', join(ROOT, 'tsconfig.build.json'), '--outDir', outDir, ...(checkTypes ? [] : ['--noCheck'])]
  try {
    await promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: COMPILE_TIMEOUT_MS })
  } catch (cause) {
    const { stdout = '' } = cause as { stdout?: string }
    throw new Error(`the compiler failed\n${stdout}`, { cause })
  }
}

/** What the code reads at run time: everything that is not TypeScript. */
async function copyAssets (from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.name.endsWith('.ts')) continue
    const path = join(entry.parentPath, entry.name)
    await cp(path, join(to, path.slice(from.length)))
  }
}

async function present (names: readonly string[]): Promise<string[]> {
  const entries = await readdir(ROOT)
  return names.filter(name => entries.includes(name))
}

if (import.meta.main) {
  const outDir = process.argv[2]
  await buildPackage(outDir === undefined ? {} : { outDir: resolve(outDir) })
}
