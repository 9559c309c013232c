import { expect, it } from 'vitest'
import { BlockPool } from '../../src/store/block-pool.ts'
import { PartialBytes } from '../../src/store/partial-bytes.ts'
import type { PartialFileHandle } from '../../src/store/partial-file.ts'

it('a read never gives bytes that were forgotten while it ran', async () => {
  const reads: Array<PromiseWithResolvers<void>> = []
  const content = Buffer.from('old bytes')
  const file = {
    read: async (buffer: Uint8Array, length: number, position: number) => {
      const old = Buffer.from(content)
      const end = Promise.withResolvers<void>()
      reads.push(end)
      await end.promise
      return old.copy(buffer, 0, position, position + length)
    },
    write: async (buffers: readonly Uint8Array[], position: number) => { content.set(Buffer.concat(buffers), position) },
    written: () => {}
  } as unknown as PartialFileHandle
  const bytes = new PartialBytes({ file, blocks: new BlockPool(), temporary: () => '', onReadable: () => {}, onReplaced: () => {} }, [{ start: 0, end: 9, source: 'peer:liar' }])
  const buffer = Buffer.alloc(9)
  const reading = bytes.read(buffer, 0)
  bytes.forget(0, 3)
  await bytes.write(0, Buffer.from('new'), 'origin')
  await bytes.drain()
  reads[0]?.resolve()
  expect(await reading).toBe(3)
  expect(buffer.toString('latin1', 0, 3)).toBe('new')
})
