import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { BodyStream } from '../../src/origin/body-stream.ts'
import { StandInController } from './stand-in-controller.ts'

const CHUNK = Buffer.alloc(64 * 1024)
const DEADLINES = { firstByteMs: 500, stallMs: 1000 }

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => { vi.useRealTimers() })

function start (): { controller: StandInController, body: BodyStream } {
  const controller = new StandInController()
  return { controller, body: new BodyStream(controller, DEADLINES) }
}

describe('a body', () => {
  test('pauses the socket when a quarter of a MiB waits, and resumes it when all of that is taken', () => {
    const { controller, body } = start()
    for (let i = 0; i < 3; i++) body.push(CHUNK)
    expect(controller.paused).toBe(false)
    body.push(CHUNK)
    expect(controller.paused).toBe(true)
    for (let i = 0; i < 3; i++) body.take()
    expect(controller.paused).toBe(true)
    body.take()
    expect(controller.paused).toBe(false)
  })

  test('gives the chunks as they came', async () => {
    const { body } = start()
    body.push(CHUNK)
    expect(await body.more()).toBe(true)
    expect(body.take()).toBe(CHUNK)
    expect(body.take()).toBeUndefined()
  })

  test('wakes a reader that waits, with a chunk or the end', async () => {
    const { body } = start()
    const first = body.more()
    body.push(CHUNK)
    expect(await first).toBe(true)
    body.take()
    const second = body.more()
    body.end()
    expect(await second).toBe(false)
  })

  test('delivers what came before an error, then the error', async () => {
    const { body } = start()
    const error = new Error('cut')
    body.push(CHUNK)
    body.fail(error)
    expect(await body.more()).toBe(true)
    body.take()
    await expect(body.more()).rejects.toBe(error)
  })

  test('that is cancelled drops the connection and all that waits', async () => {
    const { controller, body } = start()
    const reason = new Error('enough')
    body.push(CHUNK)
    body.cancel(reason)
    expect(controller.reason).toBe(reason)
    expect(body.take()).toBeUndefined()
    await expect(body.more()).rejects.toBe(reason)
  })

  test('that has ended is not dropped by a cancellation: the connection serves others', () => {
    const { controller, body } = start()
    body.end()
    body.cancel(new Error('late'))
    expect(controller.aborted).toBe(false)
  })

  test('gives lent chunks back one by one, each when the next is asked for', async () => {
    const { body } = start()
    const released: number[] = []
    for (const chunk of [0, 1, 2]) body.push(CHUNK, () => { released.push(chunk) })
    body.end()
    body.take()
    expect(released).toEqual([])
    body.take()
    expect(released).toEqual([0])
    await body.skip(1)
    expect(released).toEqual([0, 1])
    body.take()
    expect(released).toEqual([0, 1])
    expect(await body.more()).toBe(false)
    expect(released).toEqual([0, 1, 2])
  })

  test('that is cancelled with lent chunks drops the connection, though it has ended, and gives none back', () => {
    const { controller, body } = start()
    const release = vi.fn()
    body.push(CHUNK, release)
    body.end()
    body.take()
    const reason = new Error('enough')
    body.cancel(reason)
    expect(controller.reason).toBe(reason)
    expect(release).not.toHaveBeenCalled()
  })

  test.each([[0, 6], [1, 5], [3, 3], [4, 2], [6, 0], [9, 0]])('skips %d of six bytes and leaves %d', async (skipped, left) => {
    const { body } = start()
    body.push(Buffer.alloc(3))
    body.push(Buffer.alloc(3))
    body.end()
    await body.skip(skipped)
    let length = 0
    while (await body.more()) length += body.take()?.length ?? 0
    expect(length).toBe(left)
  })
})

describe('a deadline', () => {
  test('passes for the first byte, naming the phase', async () => {
    const { controller, body } = start()
    vi.advanceTimersByTime(499)
    expect(controller.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(controller.reason).toMatchObject({ code: 'DEADLINE', phase: 'first byte', timeoutMs: 500 })
    await expect(body.more()).rejects.toBe(controller.reason)
  })

  test('starts anew with every chunk', () => {
    const { controller, body } = start()
    for (let i = 0; i < 5; i++) {
      vi.advanceTimersByTime(i === 0 ? 400 : 900)
      body.push(CHUNK.subarray(0, 1))
    }
    vi.advanceTimersByTime(999)
    expect(controller.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(controller.reason).toMatchObject({ phase: 'stall', timeoutMs: 1000 })
  })

  test('does not run while the reader is what is waited for, and starts anew when it has room', () => {
    const { controller, body } = start()
    for (let i = 0; i < 4; i++) body.push(CHUNK)
    vi.advanceTimersByTime(60_000)
    expect(controller.aborted).toBe(false)
    for (let i = 0; i < 4; i++) body.take()
    vi.advanceTimersByTime(999)
    expect(controller.aborted).toBe(false)
    vi.advanceTimersByTime(1001)
    expect(controller.reason).toMatchObject({ phase: 'stall' })
  })

  test('leaves no timer behind when the body ends', () => {
    const { body } = start()
    body.push(CHUNK)
    body.end()
    expect(vi.getTimerCount()).toBe(0)
  })
})
