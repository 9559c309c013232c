import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { OpenFile } from '../../src/store/open-file.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'

let dir: string
let file: OpenFile
beforeEach(async () => {
  dir = await makeTempDir('open-file')
  await writeFile(join(dir, 'file'), 'some bytes')
  file = new OpenFile(await open(join(dir, 'file'), 'r+'))
})
afterEach(async () => { await removeTempDir(dir) })

test('reads and writes where it is told', async () => {
  const buffer = Buffer.alloc(20)
  await file.write([Buffer.from('BY')], 5)
  expect(await file.read(buffer, 4, 4)).toBe(4)
  expect(buffer.toString('latin1', 0, 4)).toBe(' BYt')
  expect(await file.read(buffer, 20, 8)).toBe(2)
  expect(await file.read(buffer, 20, 10)).toBe(0)
  await file.close()
})

test('writes buffers one behind the other, leaving a hole before them', async () => {
  await file.write([Buffer.from('ab'), new Uint8Array(0), Buffer.from('c'), Buffer.from('def')], 20)
  const buffer = Buffer.alloc(30)
  expect(await file.read(buffer, 30, 8)).toBe(18)
  expect(buffer.toString('latin1', 0, 18)).toBe(`es${'\0'.repeat(10)}abcdef`)
  await file.close()
})

test('is closed only when no read or write is under way', async () => {
  const buffers = Array.from({ length: 50 }, () => Buffer.alloc(4))
  const reading = buffers.map(async buffer => file.read(buffer, 4, 0))
  const order: string[] = []
  const ended = Promise.all(reading).then(() => order.push('read'))
  const closed = file.close().then(() => order.push('closed'))
  await Promise.all([ended, closed])
  expect(order).toEqual(['read', 'closed'])
  expect(new Set(buffers.map(String))).toEqual(new Set(['some']))
})

test('passes on what the system says', async () => {
  await file.close()
  await expect(file.read(Buffer.alloc(1), 1, 0)).rejects.toThrow()
  const readOnly = new OpenFile(await open(join(dir, 'file'), 'r'))
  await expect(readOnly.write([Buffer.from('x')], 0)).rejects.toMatchObject({ code: 'EBADF' })
  await readOnly.close()
})
