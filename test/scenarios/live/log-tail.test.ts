import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogTail } from '../../../scenarios/live/log-tail.ts'
import { makeTempDir, removeTempDir } from '../../../scenarios/live/temp-dir.ts'

describe('the tail of a log', () => {
  let dir: string
  let path: string

  beforeEach(async () => {
    dir = await makeTempDir('tail')
    path = join(dir, 'agent.log')
    await writeFile(path, '{"msg":"before"}\n')
  })

  afterEach(async () => { await removeTempDir(dir) })

  it('gives each event once', async () => {
    const tail = new LogTail(path)
    expect(await tail.read()).toEqual([{ msg: 'before' }])
    expect(await tail.read()).toEqual([])
    await appendFile(path, '{"msg":"one"}\n{"msg":"two"}\n')
    expect(await tail.read()).toEqual([{ msg: 'one' }, { msg: 'two' }])
  })

  it('waits for the rest of a line', async () => {
    const tail = new LogTail(path)
    await tail.skip()
    await appendFile(path, '{"msg":"hä')
    expect(await tail.read()).toEqual([])
    await appendFile(path, 'lf"}\n')
    expect(await tail.read()).toEqual([{ msg: 'hälf' }])
  })

  it('passes by what is no event', async () => {
    const tail = new LogTail(path)
    await tail.skip()
    await appendFile(path, 'Warning: something\n{"msg":"cut by a kill{"msg":"next"}\n{"msg":"good"}\n')
    expect(await tail.read()).toEqual([{ msg: 'good' }])
  })

  it('reads a log of any length', async () => {
    const tail = new LogTail(path)
    await tail.skip()
    await appendFile(path, `${JSON.stringify({ msg: 'long', reason: 'x'.repeat(1000) })}\n`.repeat(1000))
    expect(await tail.read()).toHaveLength(1000)
  })
})
