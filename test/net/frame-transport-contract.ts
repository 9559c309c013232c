import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { FrameTransport } from '../../src/net/frame-transport.ts'
import { PacedReading } from '../../src/net/paced-reading.ts'
import { seededBytes } from '../support/image.ts'
import { QuotaPace } from '../support/quota-pace.ts'
import { until } from '../../scenarios/live/until.ts'

const MIB = 1024 * 1024

export interface TransportPair {
  readonly local: FrameTransport
  readonly remote: FrameTransport
  /** Cuts what carries them, without a word. */
  readonly cut: () => void
  /** Frees all. */
  readonly close: () => Promise<void>
}

export interface PairInit {
  readonly stallTimeoutMs?: number
  readonly closeTimeoutMs?: number
}

/** What an owner has heard of its transport. */
interface Heard {
  readonly chunks: Buffer[]
  readonly ends: Array<Error | undefined>
  bytes (): Buffer
  closed (): Promise<Error | undefined>
}

/** Listens as an owner does: what is lent is copied. */
export function listen (transport: FrameTransport): Heard {
  const chunks: Buffer[] = []
  const ends: Array<Error | undefined> = []
  const closed = Promise.withResolvers<Error | undefined>()
  transport.onClosed = error => {
    ends.push(error)
    closed.resolve(error)
  }
  transport.onBytes = bytes => { chunks.push(Buffer.from(bytes)) }
  return { chunks, ends, bytes: () => Buffer.concat(chunks), closed: async () => closed.promise }
}

async function arrived (heard: Heard, length: number): Promise<Buffer> {
  await until(() => heard.chunks.reduce((sum, chunk) => sum + chunk.length, 0) >= length, { what: `${length} bytes` })
  return heard.bytes()
}

const isWaiting = async (promise: Promise<unknown>): Promise<boolean> => {
  const marker = Symbol('waiting')
  return await Promise.race([promise.catch(() => {}), new Promise(resolve => { setTimeout(resolve, 100, marker) })]) === marker
}

/** What every transport holds to. */
export function testFrameTransport (name: string, makePair: (init?: PairInit) => Promise<TransportPair>): void {
  const open: TransportPair[] = []
  const pair = async (init?: PairInit): Promise<TransportPair> => {
    const made = await makePair(init)
    open.push(made)
    return made
  }

  afterEach(async () => {
    await Promise.all(open.splice(0).map(async made => { await made.close() }))
  })

  describe(name, () => {
    it('hands on what was sent, in order, however it was cut into parts', async () => {
      const { local, remote } = await pair()
      const heard = listen(remote)
      let total = Buffer.alloc(0)
      await fc.assert(fc.asyncProperty(fc.array(fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 70_000 })), { maxLength: 8 }), fc.nat(), async (lengths, seed) => {
        const parts = lengths.map((length, index) => seededBytes(length, `${seed}-${index}`))
        await local.send(parts)
        total = Buffer.concat([total, ...parts])
        const bytes = await arrived(heard, total.length)
        expect(Buffer.compare(bytes, total)).toBe(0)
      }), { numRuns: 25 })
      expect(local.unsentBytes).toBe(0)
    })

    it('carries both directions at once, and a frame of 20 MiB', async () => {
      const { local, remote } = await pair()
      const [atLocal, atRemote] = [listen(local), listen(remote)]
      const huge = seededBytes(20 * MIB, 'huge')
      const small = seededBytes(3 * MIB, 'small')
      await Promise.all([local.send([small.subarray(0, 5), huge, small.subarray(5)]), remote.send([small]), remote.send([small])])
      expect(Buffer.compare(await arrived(atRemote, huge.length + small.length), Buffer.concat([small.subarray(0, 5), huge, small.subarray(5)]))).toBe(0)
      expect(Buffer.compare(await arrived(atLocal, 2 * small.length), Buffer.concat([small, small]))).toBe(0)
    })

    it('keeps the order of sends that overlap', async () => {
      const { local, remote } = await pair()
      const heard = listen(remote)
      const frames = Array.from({ length: 200 }, (_, index) => seededBytes(index % 7 === 0 ? 60_000 : index, `frame ${index}`))
      const order: number[] = []
      await Promise.all(frames.map(async (frame, index) => {
        await local.send([Buffer.of(index), frame])
        order.push(index)
      }))
      const expected = Buffer.concat(frames.flatMap((frame, index) => [Buffer.of(index), frame]))
      expect(Buffer.compare(await arrived(heard, expected.length), expected)).toBe(0)
      expect(order).toEqual(frames.map((_, index) => index))
    })

    it('no longer looks at a buffer once its send has resolved', async () => {
      const { local, remote } = await pair()
      const heard = listen(remote)
      const buffer = Buffer.alloc(256 * 1024)
      const header = Buffer.alloc(9)
      const expected: Buffer[] = []
      for (let round = 1; round <= 40; round++) {
        buffer.fill(round)
        header.fill(round)
        expected.push(Buffer.from(header), Buffer.from(buffer))
        await local.send([header, buffer])
      }
      buffer.fill(0)
      const all = Buffer.concat(expected)
      expect(Buffer.compare(await arrived(heard, all.length), all)).toBe(0)
    })

    it('reads nothing before somebody listens, and lets the sender wait', async () => {
      const { local, remote } = await pair()
      const sent = seededBytes(32 * MIB, 'waits')
      const sending = Promise.all([local.send([sent.subarray(0, 7)]), local.send([sent.subarray(7)])])
      expect(await isWaiting(sending)).toBe(true)
      expect(local.unsentBytes).toBeGreaterThan(16 * MIB)
      const heard = listen(remote)
      await sending
      expect(local.unsentBytes).toBe(0)
      expect(Buffer.compare(await arrived(heard, sent.length), sent)).toBe(0)
    })

    it('rests when more has come than may, so that the sender waits, and goes on when it may', async () => {
      const { local, remote } = await pair()
      const pace = new QuotaPace()
      pace.allow(MIB)
      const heard = listen(remote)
      const reading = new PacedReading(remote, pace, () => false)
      const take = remote.onBytes
      remote.onBytes = bytes => {
        take?.(bytes)
        reading.came(bytes.length)
      }
      const sent = seededBytes(32 * MIB, 'rests')
      const sending = Promise.all([local.send([sent.subarray(0, 7)]), local.send([sent.subarray(7)])])
      await until(() => pace.isWaiting, { what: 'it rests' })
      expect(reading.heldMsAgo).toBe(0)
      expect(await isWaiting(sending)).toBe(true)
      const taken = heard.bytes().length
      expect(taken).toBeGreaterThanOrEqual(MIB)
      expect(taken).toBeLessThan(2 * MIB)
      for (let turns = 0; turns < 8; turns++) {
        pace.allow(MIB)
        await until(() => pace.isWaiting, { what: 'it rests again' })
      }
      expect(heard.bytes().length).toBeLessThan(10 * MIB)
      pace.allow(Infinity)
      await sending
      expect(Buffer.compare(await arrived(heard, sent.length), sent)).toBe(0)
      expect(reading.heldMsAgo).toBeGreaterThan(0)
    })

    it('tells of the end when all that came while it rested has been handed on', async () => {
      const { local, remote } = await pair()
      listen(local)
      const heard = listen(remote)
      const all = remote.onBytes
      remote.onBytes = bytes => {
        all?.(bytes)
        remote.pause()
      }
      await local.send([Buffer.of(1)])
      await arrived(heard, 1)
      const sent = seededBytes(100_000, 'at the end')
      const sending = local.send([sent])
      const closing = local.close()
      while (heard.ends.length === 0) {
        remote.resume()
        await new Promise(resolve => { setImmediate(resolve) })
      }
      await Promise.all([sending, closing])
      expect(heard.ends).toEqual([undefined])
      expect(Buffer.compare(heard.bytes(), Buffer.concat([Buffer.of(1), sent]))).toBe(0)
    })

    it('is closed in time although it rests', async () => {
      const { local, remote } = await pair()
      listen(local)
      const heard = listen(remote)
      remote.pause()
      await local.send([Buffer.alloc(100_000)])
      const startedAt = performance.now()
      await remote.close()
      expect(performance.now() - startedAt).toBeLessThan(1_500)
      expect(await heard.closed()).toBeUndefined()
    })

    it('sends all it was given before it ends, and tells each side of the end once, last of all', async () => {
      const { local, remote } = await pair()
      const [atLocal, atRemote] = [listen(local), listen(remote)]
      const frames = Array.from({ length: 10 }, (_, index) => seededBytes(300_000, `last ${index}`))
      const sends = frames.map(async frame => { await local.send([frame]) })
      let atEnd = 0
      const tell = remote.onClosed
      remote.onClosed = error => {
        atEnd = atRemote.bytes().length
        tell?.(error)
      }
      await local.close()
      await Promise.all(sends)
      expect(await atRemote.closed()).toBeUndefined()
      expect(await atLocal.closed()).toBeUndefined()
      expect(atEnd).toBe(3_000_000)
      await remote.close()
      await local.close()
      expect([atLocal.ends, atRemote.ends]).toEqual([[undefined], [undefined]])
    })

    it('refuses to send when it has ended, whoever ended it', async () => {
      const { local, remote } = await pair()
      listen(local)
      const heard = listen(remote)
      await local.close()
      await expect(local.send([Buffer.of(1)])).rejects.toMatchObject({ code: 'LANE_CLOSED' })
      await heard.closed()
      await expect(remote.send([Buffer.of(1)])).rejects.toMatchObject({ code: 'LANE_CLOSED' })
    })

    it('is freed at once when aborted, and those who send hear of it', async () => {
      const { local, remote } = await pair()
      const atLocal = listen(local)
      const sends = Promise.allSettled([local.send([Buffer.alloc(16 * MIB)]), local.send([Buffer.alloc(16 * MIB)])])
      expect(await isWaiting(sends)).toBe(true)
      local.abort(new Error('enough'))
      for (const result of await sends) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'LANE_CLOSED' } })
      expect((await atLocal.closed())?.message).toBe('enough')
      await expect(local.send([Buffer.of(1)])).rejects.toMatchObject({ code: 'LANE_CLOSED' })
      const atRemote = listen(remote)
      await atRemote.closed()
      await local.close()
      expect([atLocal.ends.length, atRemote.ends.length]).toEqual([1, 1])
    })

    it('hands on nothing more to an owner that aborts while it receives', async () => {
      const { local, remote } = await pair()
      let calls = 0
      const closed = Promise.withResolvers<Error | undefined>()
      remote.onClosed = error => { closed.resolve(error) }
      remote.onBytes = () => {
        calls++
        remote.abort(new Error('not like this'))
      }
      listen(local)
      await Promise.allSettled([local.send([Buffer.alloc(MIB)]), local.send([Buffer.alloc(MIB)])])
      expect((await closed.promise)?.message).toBe('not like this')
      expect(calls).toBe(1)
    })

    it('ends on both sides when what carries it is cut, and fails those who send', async () => {
      const { local, remote, cut } = await pair()
      const [atLocal, atRemote] = [listen(local), listen(remote)]
      await local.send([Buffer.of(1)])
      await arrived(atRemote, 1)
      cut()
      await Promise.all([atLocal.closed(), atRemote.closed()])
      await expect(local.send([Buffer.of(1)])).rejects.toMatchObject({ code: 'LANE_CLOSED' })
      expect([atLocal.ends.length, atRemote.ends.length]).toEqual([1, 1])
    })

    it('gives up when the other side takes nothing for too long', async () => {
      const { local } = await pair({ stallTimeoutMs: 200 })
      const heard = listen(local)
      await expect(local.send([Buffer.alloc(32 * MIB)])).rejects.toMatchObject({ code: 'LANE_CLOSED' })
      expect(await heard.closed()).toMatchObject({ code: 'DEADLINE', phase: 'sending' })
    })

    it('ends in time even when the other side takes nothing', async () => {
      const { local } = await pair({ closeTimeoutMs: 200 })
      const heard = listen(local)
      const sending = expect(local.send([Buffer.alloc(32 * MIB)])).rejects.toMatchObject({ code: 'LANE_CLOSED' })
      const startedAt = performance.now()
      await local.close()
      await sending
      expect(await heard.closed()).toBeUndefined()
      expect(performance.now() - startedAt).toBeLessThan(5_000)
    })

    it('tells an owner of the end that comes late to ask', async () => {
      const { local, remote } = await pair()
      listen(local)
      const chunks: Uint8Array[] = []
      remote.onBytes = bytes => { chunks.push(Buffer.from(bytes)) }
      await local.send([Buffer.of(1, 2, 3)])
      await local.close()
      const closed = Promise.withResolvers<Error | undefined>()
      remote.onClosed = error => { closed.resolve(error) }
      expect(await closed.promise).toBeUndefined()
      expect(Buffer.concat(chunks)).toEqual(Buffer.of(1, 2, 3))
    })
  })
}
