import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { boundCommand } from '../../scenarios/live/child-process.ts'
import { makeTempDir } from '../../scenarios/live/temp-dir.ts'
import type { BareOrder, BareResult } from './bare-host.ts'
import { scriptAt, type Place } from '../../scenarios/live/network.ts'

const HOST_MAIN = join(import.meta.dirname, 'bare-host.ts')
/** As long as those of the image: a piece each write and hash. */
const PIECE_BYTES = 256 * 1024
/** They are given up after so many times what their links need, and a while to start. */
const DEADLINE_FACTOR = 10
const DEADLINE_EXTRA_MS = 30_000

export interface BareMeshInit {
  readonly places: readonly Place[]
  /** That each host takes, and gives. */
  readonly bytes: number
  readonly bytesPerSecond: number
}

/**
 * The floor under any rollout on this machine, in this minute: as many processes as agents, in their places, each of which
 * gives and takes as many bytes over a plain TLS socket for each pair, in equal shares from the first moment on; no swarm, no
 * registry, nothing to decide. What has come is hashed twice and written, as by an agent.
 *
 * @throws Error when one of them ends before it is done, or all take too long
 */
export async function runBareMesh ({ places, bytes, bytesPerSecond }: BareMeshInit): Promise<BareResult[]> {
  const dir = await makeTempDir('bare-mesh')
  const hosts = places.map(place => {
    const { host } = place
    const child = spawn(...boundCommand(...scriptAt(place, HOST_MAIN, [host])), { stdio: ['pipe', 'pipe', 'inherit'] })
    return { host, child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
  })
  const deadline = setTimeout(() => { for (const { child } of hosts) child.kill('SIGKILL') }, DEADLINE_EXTRA_MS + DEADLINE_FACTOR * 1000 * bytes / bytesPerSecond)
  try {
    const addresses = await Promise.all(hosts.map(async ({ host, child, lines }) => ({ host, port: Number(await nextLine(child, lines)) })))
    const bytesEach = Math.floor(bytes / (places.length - 1))
    for (const [index, { child }] of hosts.entries()) {
      const others = addresses.filter((_, other) => other !== index)
      const order: BareOrder = { others, bytesEach, bytesPerSecond, pieceBytes: PIECE_BYTES, path: join(dir, String(index)) }
      child.stdin.write(`${JSON.stringify(order)}\n`)
    }
    return await Promise.all(hosts.map(async ({ child, lines }) => JSON.parse(await nextLine(child, lines)) as BareResult))
  } finally {
    clearTimeout(deadline)
    await Promise.all(hosts.map(async ({ child }) => ended(child)))
    await rm(dir, { recursive: true })
  }
}

/** @throws Error when the process ends before it prints one */
async function nextLine (child: ChildProcess, lines: AsyncIterator<string>): Promise<string> {
  const line = await lines.next()
  if (line.done === true) throw new Error(`a bare host has ended with ${child.exitCode ?? child.signalCode}`)
  return line.value
}

async function ended (child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
