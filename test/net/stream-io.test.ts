import { streamPair } from '@libp2p/utils'
import type { Stream } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { StreamChannel } from '../../src/net/stream-io.ts'
import { WaitBudget } from '../../src/net/wait-budget.ts'
import { seededBytes } from '../support/image.ts'

const MAX_LENGTH = 100
const patient = (): WaitBudget => new WaitBudget('a test', 5_000)

/** Settles when `bytes` in all have come to our end of a stream, which is told of them after the channel. */
async function arrivalOf (bytes: number, local: Stream): Promise<void> {
  const arrived = Promise.withResolvers<void>()
  let total = 0
  local.addEventListener('message', ({ data }) => {
    total += data.byteLength
    if (total >= bytes) arrived.resolve()
  })
  await arrived.promise
}

async function pair ({ maxBufferedBytes = 10_000 } = {}): Promise<{ channel: StreamChannel, remote: Stream, local: Stream }> {
  const [local, remote] = await streamPair({ delay: 0, capacity: 64 })
  return { channel: new StreamChannel(local, { maxBufferedBytes }), remote, local }
}

describe('a stream channel', () => {
  it('reads messages however they are cut, and their clean end', async () => {
    const { channel, remote } = await pair()
    for (const byte of [3, 1, 2, 3, 1, 9]) remote.send(Uint8Array.of(byte))
    await remote.close()
    expect(await channel.readMessage(MAX_LENGTH, patient())).toEqual(Uint8Array.of(1, 2, 3))
    expect(await channel.readMessage(MAX_LENGTH, patient())).toEqual(Uint8Array.of(9))
    expect(await channel.readMessage(MAX_LENGTH, patient())).toBeUndefined()
  })

  it('gathers what comes byte by byte, between larger parts and while it is read', async () => {
    const { channel, remote, local } = await pair({ maxBufferedBytes: 200_000 })
    const sent = seededBytes(60_000, 'dribble')
    const received: Uint8Array[] = []
    const dribbled = arrivalOf(3_000, local)
    for (let position = 0; position < 3_000; position++) remote.send(sent.subarray(position, position + 1))
    await dribbled
    const rest = arrivalOf(57_000, local)
    received.push(await channel.read(1_000, patient()))
    expect(received[0]?.length).toBe(1_000)
    for (let position = 3_000; position < 3_010; position++) remote.send(sent.subarray(position, position + 1))
    remote.send(sent.subarray(3_010, 20_000))
    for (let position = 20_000; position < 20_010; position++) remote.send(sent.subarray(position, position + 1))
    remote.send(sent.subarray(20_010, 20_500))
    remote.send(sent.subarray(20_500, 60_000))
    await rest
    for (let left = 59_000; left > 0; left -= received.at(-1)?.length ?? 0) received.push(await channel.read(60_000, patient()))
    expect(Buffer.compare(Buffer.concat(received), sent)).toBe(0)
    expect(received.length).toBeLessThan(12)
  })

  it('reads a body and the messages around it from one piece', async () => {
    const { channel, remote } = await pair()
    remote.send(Uint8Array.of(1, 7, 50, 51, 52, 1, 8))
    expect(await channel.readMessage(MAX_LENGTH, patient())).toEqual(Uint8Array.of(7))
    expect(await channel.read(2, patient())).toEqual(Uint8Array.of(50, 51))
    expect(await channel.read(1, patient())).toEqual(Uint8Array.of(52))
    expect(await channel.readMessage(MAX_LENGTH, patient())).toEqual(Uint8Array.of(8))
  })

  it('sees what had arrived, and the end that had come, before it was made', async () => {
    const [local, remote] = await streamPair({ delay: 0 })
    remote.send(Uint8Array.of(1, 5))
    const ended = new Promise(resolve => { local.addEventListener('remoteCloseWrite', resolve, { once: true }) })
    await remote.close()
    await ended
    const channel = new StreamChannel(local, { maxBufferedBytes: 100 })
    expect(await channel.readMessage(MAX_LENGTH, patient())).toEqual(Uint8Array.of(5))
    expect(await channel.readMessage(MAX_LENGTH, patient())).toBeUndefined()
  })

  it.each([
    ['a length of zero', [0]],
    ['a length above the limit', [MAX_LENGTH + 1]],
    ['a length that never ends', new Array<number>(12).fill(0xff)]
  ])('refuses %s', async (_, bytes) => {
    const { channel, remote } = await pair()
    remote.send(Uint8Array.from(bytes))
    await expect(channel.readMessage(MAX_LENGTH, patient())).rejects.toMatchObject({ code: 'STREAM_FRAMING', blamesPeer: true })
  })

  it.each([
    ['the length', [0x80]],
    ['the message', [3, 1]]
  ])('tells an end within %s from a clean one', async (_, bytes) => {
    const { channel, remote } = await pair()
    remote.send(Uint8Array.from(bytes))
    await remote.close()
    await expect(channel.readMessage(MAX_LENGTH, patient())).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })

  it('fails those who wait, and those who come later, when the other side resets', async () => {
    const { channel, remote } = await pair()
    const waiting = expect(channel.read(1, patient())).rejects.toMatchObject({ code: 'STREAM_CUT' })
    remote.abort(new Error('reset'))
    await waiting
    await expect(channel.read(1, patient())).rejects.toMatchObject({ code: 'STREAM_CUT' })
    await expect(channel.send(Uint8Array.of(1), patient())).rejects.toMatchObject({ code: 'STREAM_CUT' })
    expect(channel.cut.aborted).toBe(true)
  })

  it('knows a stream that was dead on arrival', async () => {
    const [local, remote] = await streamPair({ delay: 0 })
    const closed = new Promise(resolve => { local.addEventListener('close', resolve, { once: true }) })
    remote.abort(new Error('refused'))
    await closed
    const channel = new StreamChannel(local, { maxBufferedBytes: 100 })
    await expect(channel.read(1, patient())).rejects.toMatchObject({ code: 'STREAM_CUT' })
  })

  it('aborts the stream when more arrives than may be unread', async () => {
    const { channel, remote, local } = await pair({ maxBufferedBytes: 1_000 })
    remote.send(new Uint8Array(1_001))
    await expect(channel.readMessage(MAX_LENGTH, patient()).then(async () => channel.read(1, patient()))).rejects.toMatchObject({ code: expect.stringMatching(/^STREAM_(OVERFLOW|FRAMING)$/) as string })
    await expect(channel.read(1, patient())).rejects.toMatchObject({ code: 'STREAM_OVERFLOW' })
    expect(local.status).toBe('aborted')
  })

  it('gives up when a phase takes too long, and names it', async () => {
    const { channel } = await pair()
    await expect(channel.read(1, new WaitBudget('the first byte', 20))).rejects.toMatchObject({ code: 'DEADLINE', phase: 'the first byte', timeoutMs: 20 })
  })

  it('spends one budget over several waits', async () => {
    const { channel, remote } = await pair()
    const budget = new WaitBudget('a chunk', 150)
    const timer = setInterval(() => { remote.send(Uint8Array.of(1)) }, 20)
    const readOn = async (): Promise<never> => { while (true) await channel.read(1, budget) }
    await expect(readOn()).rejects.toMatchObject({ code: 'DEADLINE' })
    clearInterval(timer)
  })

  it('fails those who wait with the reason it was aborted for', async () => {
    const { channel, local } = await pair()
    const waiting = expect(channel.read(1, patient())).rejects.toThrow('enough')
    channel.abort(new Error('enough'))
    await waiting
    expect(local.status).toBe('aborted')
  })

  it('closes when the other side does, and aborts when it does not', async () => {
    const willing = await pair()
    const closing = willing.channel.close(5_000)
    await willing.remote.close()
    await closing
    expect(willing.local.status).toBe('closed')
    const unwilling = await pair()
    await unwilling.channel.close(30)
    expect(unwilling.local.status).toBe('aborted')
  })
})
