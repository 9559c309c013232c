import { streamPair } from '@libp2p/utils'
import { describe, expect, it } from 'vitest'
import { StreamEnd } from '../../src/net/stream-end.ts'
import { WaitBudget } from '../../src/net/wait-budget.ts'
import { until } from '../../scenarios/live/until.ts'

interface Told {
  readonly end: StreamEnd
  readonly messages: number[]
  readonly failures: Error[]
  readonly ends: number[]
}

type Hearer = (end: StreamEnd) => void

function endOf (stream: ConstructorParameters<typeof StreamEnd>[0], onMessage: Hearer = () => {}): Told {
  const told: { messages: number[], failures: Error[], ends: number[] } = { messages: [], failures: [], ends: [] }
  const end: StreamEnd = new StreamEnd(stream, {
    onMessage: data => {
      told.messages.push(data.byteLength)
      onMessage(end)
    },
    onEnd: () => { told.ends.push(told.messages.length) },
    onFailure: error => { told.failures.push(error) }
  })
  return { end, ...told }
}

describe('our end of a stream', () => {
  it('aborted while a message is handed over hears nothing more, and the stream is freed when that is done', async () => {
    const [theirs, ours] = await streamPair({ delay: 0 })
    let wasOpen: boolean | undefined
    const { end, messages, failures } = endOf(ours, end => {
      end.abort(new Error('enough'))
      wasOpen = ours.status === 'open'
    })
    end.startReading()
    const other = endOf(theirs)
    for (let index = 0; index < 3; index++) other.end.send(new Uint8Array(10))
    await until(() => other.failures.length === 1, { what: 'the other side is told' })
    expect(wasOpen).toBe(true)
    expect(ours.status).toBe('aborted')
    expect(messages).toEqual([10])
    expect(failures.map(({ message }) => message)).toEqual(['enough'])
  })

  it('aborted at another time is freed at once, and tells of the first failure only', async () => {
    const [, ours] = await streamPair({ delay: 0 })
    const { end, failures } = endOf(ours)
    end.abort(new Error('first'))
    expect(ours.status).toBe('aborted')
    end.abort(new Error('second'))
    expect(failures.map(({ message }) => message)).toEqual(['first'])
    expect(() => { end.send(new Uint8Array(1)) }).toThrow('first')
  })

  it('tells of the other side\'s end after all that it sent', async () => {
    const [theirs, ours] = await streamPair({ delay: 0 })
    const { end, messages, ends } = endOf(ours)
    end.startReading()
    const other = endOf(theirs)
    other.end.send(new Uint8Array(5))
    other.end.close(1_000).catch(() => {})
    await until(() => ends.length === 1, { what: 'the end' })
    expect(ends).toEqual([messages.length])
    expect(end.hasEnded).toBe(true)
    await end.close(1_000)
  })

  it('frees who waits for room when it is cut', async () => {
    const [theirs, ours] = await streamPair({ delay: 0 })
    const { end } = endOf(ours)
    theirs.pause()
    for (let sent = 0; !ours.writableNeedsDrain && sent < 1_000; sent++) end.send(new Uint8Array(64 * 1024))
    const waiting = expect(end.drained(0, () => new WaitBudget('room', 10_000))).rejects.toThrow('cut')
    end.abort(new Error('cut'))
    await waiting
  })
})
