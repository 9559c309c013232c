import { fork, type ChildProcess } from 'node:child_process'
import { on } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { LaneAnswer, LaneKind, LaneOrder } from './support/lane-end.ts'
import { printSection, type Row } from './support/report.ts'
import { spread } from './support/samples.ts'

/*
 * What each way between two agents costs: frames of a header and a body from one process to another that only counts.
 * npm run bench:lanes -- [--mib SIZE] [--rounds COUNT] [--kib BODY]
 */

const TIMEOUT_MS = 120_000

interface Variant {
  readonly what: string
  readonly kind: LaneKind
  readonly receiver: 'connects' | 'accepts'
}

const VARIANTS: readonly Variant[] = [
  { what: 'raw node:tls, onread', kind: 'raw onread', receiver: 'connects' },
  { what: 'raw node:tls, data events', kind: 'raw data', receiver: 'connects' },
  { what: 'direct lane, the receiver connects', kind: 'direct', receiver: 'connects' },
  { what: 'direct lane, the receiver accepts', kind: 'direct', receiver: 'accepts' },
  { what: 'libp2p stream', kind: 'libp2p', receiver: 'connects' }
]

interface Sample {
  readonly seconds: number
  readonly senderCpu: number
  readonly receiverCpu: number
  readonly senderPeak: number
  readonly receiverPeak: number
}

/** A process at one end of a lane. */
class LaneEnd {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'support/lane-end.ts'))
  readonly #answers = on(this.#child, 'message', { close: ['exit'], signal: AbortSignal.timeout(TIMEOUT_MS) })

  tell (order: LaneOrder): void {
    this.#child.send(order)
  }

  async hear<T extends LaneAnswer['type']> (type: T): Promise<Extract<LaneAnswer, { type: T }>> {
    const { value } = await this.#answers.next() as { value?: [LaneAnswer] }
    if (value?.[0].type !== type) throw new Error(`a lane's end said ${value?.[0].type} instead of ${type}`)
    return value[0] as Extract<LaneAnswer, { type: T }>
  }

  stop (): void {
    this.#child.kill()
  }
}

async function measure ({ kind, receiver: role }: Variant, bytes: number, bodyBytes: number): Promise<Sample> {
  const [sender, receiver] = [new LaneEnd(), new LaneEnd()]
  try {
    const [listening, connecting] = role === 'accepts' ? [receiver, sender] : [sender, receiver]
    listening.tell({ type: 'listen', kind })
    const { address } = await listening.hear('listening')
    connecting.tell({ type: 'connect', kind, address })
    await connecting.hear('connected')
    receiver.tell({ type: 'receive', bytes })
    await receiver.hear('ready')
    const received = receiver.hear('received')
    sender.tell({ type: 'send', bytes, bodyBytes })
    await sender.hear('sent')
    const { seconds } = await received
    const [ofSender, ofReceiver] = await Promise.all([sender, receiver].map(async end => {
      end.tell({ type: 'report' })
      return end.hear('usage')
    }))
    return {
      seconds,
      senderCpu: ofSender?.cpuSeconds ?? NaN,
      receiverCpu: ofReceiver?.cpuSeconds ?? NaN,
      senderPeak: ofSender?.peakBytes ?? NaN,
      receiverPeak: ofReceiver?.peakBytes ?? NaN
    }
  } finally {
    sender.stop()
    receiver.stop()
  }
}

const { values } = parseArgs({ options: { mib: { type: 'string', default: '1024' }, rounds: { type: 'string', default: '5' }, kib: { type: 'string', default: '256' } } })
const bytes = Number(values.mib) * 1024 ** 2
const rounds = Number(values.rounds)
const samples = VARIANTS.map((): Sample[] => [])
for (let round = 0; round < rounds; round++) {
  for (const [index, variant] of VARIANTS.entries()) samples[index]?.push(await measure(variant, bytes, Number(values.kib) * 1024))
}
const gigabytes = bytes / 1e9
const rows = VARIANTS.map(({ what }, index): Row => {
  const of = (value: (sample: Sample, round: number) => number, digits?: number): string => spread((samples[index] ?? []).map(value), digits)
  const pace = of(one => gigabytes * 1000 / one.seconds, 0)
  const ratio = of((one, round) => (samples[0]?.[round]?.seconds ?? NaN) / one.seconds)
  const cpu = `CPU s/GB ${of(one => one.senderCpu / gigabytes)} + ${of(one => one.receiverCpu / gigabytes)} = ${of(one => (one.senderCpu + one.receiverCpu) / gigabytes)}`
  const peak = `peak MB ${of(one => one.senderPeak / 1e6, 0)}, ${of(one => one.receiverPeak / 1e6, 0)}`
  return { what, value: `${pace} MB/s, ${ratio} of the first; ${cpu}; ${peak}` }
})
printSection({ title: `lanes: ${values.mib} MiB in frames of ${values.kib} KiB, ${rounds} rounds in turns; sender + receiver`, rows })
