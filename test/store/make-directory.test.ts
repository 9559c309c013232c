import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeDirectory } from '../../src/store/make-directory.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'

describe('makeDirectory', () => {
  let dir: string
  beforeEach(async () => { dir = await makeTempDir('make-directory') })
  afterEach(async () => { await removeTempDir(dir) })

  it('makes all that is missing and leaves what is there', async () => {
    const path = join(dir, 'a/b/c')
    await makeDirectory(path)
    await makeDirectory(path)
    expect(existsSync(path)).toBe(true)
  })

  it('refuses a path through a file', async () => {
    await writeFile(join(dir, 'file'), '')
    await expect(makeDirectory(join(dir, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
    await expect(makeDirectory(join(dir, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
  })

  it.skipIf(!existsSync('/proc/self'))('gives up where no directory can be made, and does not hang', async () => {
    await expect(makeDirectory('/proc/nobody/below')).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
