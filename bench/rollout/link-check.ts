import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { boundCommand, runCommand } from '../../scenarios/live/child-process.ts'
import { bridgedNetwork } from '../../scenarios/live/bridged-network.ts'
import { evenLink, scriptAt, type Place } from '../../scenarios/live/network.ts'
import type { Row } from '../support/report.ts'

const SECONDS = 3
const MAX_ERROR = 0.03
const TCP_END = fileURLToPath(import.meta.resolve('./tcp-end.ts'))

/** What plain TCP between two processes gets over a shaped link: only up, only down, and both at once. */
export async function checkLinks (bytesPerSecond: number): Promise<Row[]> {
  const network = await bridgedNetwork([{ hosts: 2 }])
  try {
    const { registry: free, hosts: [one, other] } = network
    if (one === undefined || other === undefined) throw new Error('a network of two hosts without two hosts')
    await one.shape(evenLink(bytesPerSecond))
    await other.shape(evenLink(bytesPerSecond))
    const bytes = bytesPerSecond * SECONDS
    const [up] = await transferAll([[one, free]], bytes)
    const [down] = await transferAll([[free, one]], bytes)
    const both = await transferAll([[one, other], [other, one]], bytes)
    return [
      verdict('up', up, bytesPerSecond),
      verdict('down', down, bytesPerSecond),
      verdict('up, with as much coming down', both[0], bytesPerSecond),
      verdict('down, with as much going up', both[1], bytesPerSecond)
    ]
  } finally {
    await network.close()
  }
}

function verdict (what: string, measured = NaN, wanted: number): Row {
  const error = measured / wanted - 1
  const text = `${(measured / 1e6).toFixed(2)} MB/s of payload, ${(error * 100).toFixed(1)} % off`
  // Acknowledgements of the other direction take their share of a link; that is no error of its rate.
  if (what.includes(',')) return { what, value: text }
  return { what, value: text, bar: `within ${MAX_ERROR * 100} %`, isMet: Math.abs(error) <= MAX_ERROR }
}

async function transferAll (pairs: ReadonlyArray<[from: Place, to: Place]>, bytes: number): Promise<number[]> {
  return Promise.all(pairs.map(async ([from, to]) => transfer(from, to, bytes)))
}

async function transfer (from: Place, to: Place, bytes: number): Promise<number> {
  const sender = spawn(...boundCommand(...scriptAt(from, TCP_END, ['send', from.host, String(bytes)])), { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [port] = await once(sender.stdout, 'data', { signal: AbortSignal.timeout(5_000) }) as [Buffer]
    const { stdout } = await runCommand(...scriptAt(to, TCP_END, ['receive', from.host, port.toString().trim()]))
    return Number(stdout)
  } finally {
    sender.kill()
  }
}
