import { describe, expect, it } from 'vitest'
import { EventLines } from '../../../agent/http/event-lines.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import type { ImagePullEvent } from '../../../src/pull/images.ts'

const DIGESTS = ['a', 'b'].map(text => digestOf(Buffer.from(text))) as [ReturnType<typeof digestOf>, ReturnType<typeof digestOf>]

function progress (received: number, digest = DIGESTS[0]): ImagePullEvent {
  return { type: 'progress', digest, received, size: 1000, fromPeers: 0, fromOrigin: received, fromStore: 0 }
}

function layer (size: number): ImagePullEvent {
  return { type: 'layer', digest: DIGESTS[0], size, mediaType: 'x/y' }
}

async function readAll (lines: EventLines): Promise<unknown[]> {
  let text = ''
  for await (const chunk of lines) text += String(chunk)
  return text.trimEnd().split('\n').map(line => JSON.parse(line) as unknown)
}

describe('EventLines', () => {
  it('gives each event a line, in order', async () => {
    const lines = new EventLines()
    const events = [layer(1), progress(1), layer(2), progress(2, DIGESTS[1]), layer(3)]
    for (const event of events) lines.add(event)
    lines.finish()
    expect(await readAll(lines)).toEqual(events)
  })

  it('gives the newest progress of a blob only, when more comes within a moment, before what comes next', async () => {
    const lines = new EventLines()
    const read = readAll(lines)
    for (let received = 1; received <= 10; received++) {
      lines.add(progress(received))
      await new Promise(resolve => { setImmediate(resolve) })
    }
    lines.add(layer(1))
    lines.finish()
    expect(await read).toEqual([progress(10), layer(1)])
  })

  it('gives progress after a moment when nothing else comes', async () => {
    const lines = new EventLines()
    lines.add(progress(1))
    const [chunk] = await lines.take(1).toArray() as unknown[]
    expect(JSON.parse(String(chunk))).toEqual(progress(1))
    lines.destroy()
  })

  it('keeps the newest progress of a blob for a reader that is slow, and everything else', async () => {
    const lines = new EventLines()
    lines.add(layer(0))
    for (let received = 1; received <= 100_000; received++) lines.add(progress(received % 1000, DIGESTS[received % 2]))
    lines.add(layer(1))
    lines.finish()
    const events = await readAll(lines) as ImagePullEvent[]
    expect(events.filter(event => event.type === 'layer')).toEqual([layer(0), layer(1)])
    expect(events.length).toBeLessThan(1000)
    expect(events.at(-1)).toEqual(layer(1))
    expect(events).toContainEqual(progress(0, DIGESTS[0]))
    expect(events).toContainEqual(progress(999, DIGESTS[1]))
  })

  it('cuts off a reader for whom too much waits', async () => {
    const lines = new EventLines({ maxWaitingBytes: 10_000 })
    for (let size = 0; size < 1000; size++) lines.add(layer(size))
    expect(lines.destroyed).toBe(true)
    await expect(readAll(lines)).rejects.toThrow('10000 bytes of events')
  })

  it('never cuts off a reader that keeps up', async () => {
    const lines = new EventLines({ maxWaitingBytes: 1000 })
    const read = readAll(lines)
    for (let size = 0; size < 1000; size++) {
      lines.add(layer(size))
      await new Promise(resolve => { setImmediate(resolve) })
    }
    lines.finish()
    expect(await read).toHaveLength(1000)
  })

  it('takes no event after its end', async () => {
    const lines = new EventLines()
    lines.add(layer(1))
    lines.finish()
    lines.add(layer(2))
    lines.finish()
    expect(await readAll(lines)).toEqual([layer(1)])
  })
})
