import { execFile } from 'node:child_process'
import { access, mkdtemp, mkdir, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPackage } from '../build.ts'
import type * as Library from '../src/index.ts'

const ROOT = resolve(import.meta.dirname, '..')
/** By which an earlier build is known. */
const PUBLISHED_BIN = { shoal: 'agent/main.js' }
const RUN_TIMEOUT_MS = 20_000
const run = promisify(execFile)

describe('the built package', () => {
  let directory: string
  let dist: string
  let published: Record<string, unknown>
  let source: Record<string, unknown>

  beforeAll(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'shoal-build-')))
    dist = join(directory, 'dist')
    // Stands for what an installation puts beside the package.
    await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'), 'dir')
    await mkdir(dist)
    await writeFile(join(dist, 'package.json'), JSON.stringify({ bin: PUBLISHED_BIN }))
    await writeFile(join(dist, 'old.js'), '')
    // Types have a check of their own; here they would only double its time.
    await buildPackage({ outDir: dist, checkTypes: false })
    published = await readJson(join(dist, 'package.json'))
    source = await readJson(join(ROOT, 'package.json'))
  }, 120_000)

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  it('may be published and needs what the agent needs, no more', () => {
    for (const field of ['name', 'version', 'description', 'license', 'type', 'engines', 'dependencies']) {
      expect(published[field], field).toEqual(source[field])
    }
    for (const field of ['private', 'scripts', 'devDependencies']) expect(published, field).not.toHaveProperty(field)
  })

  it('points at files that are there', async () => {
    expect(published).toMatchObject({ bin: PUBLISHED_BIN, exports: { '.': { types: './src/index.d.ts', default: './src/index.js' } } })
    await access(join(dist, 'src/index.d.ts'))
    await access(join(dist, 'src/index.js'))
    await access(join(dist, 'LICENSE'))
  })

  it('can be run as a program', async () => {
    const main = join(dist, 'agent/main.js')
    expect((await stat(main)).mode & 0o111).toBe(0o111)
    expect(await readFile(main, 'utf8')).toMatch(/^#!\/usr\/bin\/env -S node --/)
    for (const [flag, words] of [['--version', String(source['version'])], ['--help', 'Usage']] as const) {
      const { stdout, stderr } = await run(process.execPath, [main, flag], { timeout: RUN_TIMEOUT_MS })
      expect(stderr).toBe('')
      expect(stdout).toContain(words)
    }
  })

  it('has the scenarios, and rehearses one', async () => {
    const { stdout } = await run(process.execPath, [join(dist, 'agent/main.js'), 'simulate', 'eight-hosts', '--json'], { timeout: RUN_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 })
    expect(JSON.parse(stdout)).toMatchObject({ engine: 'sim', figures: { 'done.share': 1 } })
  })

  it('can be imported as a library', async () => {
    const library = await import(pathToFileURL(join(dist, 'src/index.js')).href) as typeof Library
    expect(library.digestOf(new Uint8Array())).toMatch(/^sha256:e3b0c442/)
  })

  it('gives its types to those who import it', async () => {
    const consumer = join(directory, 'consumer')
    await mkdir(join(consumer, 'node_modules'), { recursive: true })
    await symlink(dist, join(consumer, 'node_modules/shoal'), 'dir')
    await writeFile(join(consumer, 'package.json'), '{ "type": "module" }')
    const compile = async (line: string) => {
      await writeFile(join(consumer, 'main.ts'), `import { digestOf, type Digest } from 'shoal'\n${line}\n`)
      return run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024', 'main.ts'], { cwd: consumer, timeout: RUN_TIMEOUT_MS })
    }
    await compile('export const digest: Digest = digestOf(new Uint8Array())')
    await expect(compile('export const digest: Digest = 5')).rejects.toMatchObject({ stdout: expect.stringContaining('TS2322') as string })
  }, 60_000)

  it('has no import that only a checkout can follow', async () => {
    const files = (await readdir(dist, { recursive: true })).filter(file => file.endsWith('.js')).map(file => join(dist, file))
    expect(files.length).toBeGreaterThan(10)
    for (const file of files) {
      for (const [, specifier = ''] of (await readFile(file, 'utf8')).matchAll(/(?:from|import) ?\(?'(\.{1,2}\/[^']+)'/g)) {
        await expect(access(join(dirname(file), specifier)), `${specifier} in ${file}`).resolves.toBeUndefined()
        expect(specifier).toMatch(/\.js$/)
      }
    }
  })

  it('replaces an earlier build', async () => {
    await expect(access(join(dist, 'old.js'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('deletes nothing that is no build', async () => {
    const target = join(directory, 'precious')
    await mkdir(target)
    await writeFile(join(target, 'letter.txt'), 'dear')
    await expect(buildPackage({ outDir: target, checkTypes: false })).rejects.toThrow('not deleted')
    await expect(buildPackage({ outDir: ROOT, checkTypes: false })).rejects.toThrow('not deleted')
    expect(await readFile(join(target, 'letter.txt'), 'utf8')).toBe('dear')
  })
})

async function readJson (path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
}
