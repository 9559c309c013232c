import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { cpuSeconds, residentBytes } from '../../scenarios/live/process-usage.ts'
import { busyShare, machineTicks, type MachineTicks } from '../../scenarios/live/machine-cpu.ts'

const INTERVAL_MS = 200
const WINDOW_MS = 1_000

/** What a process has used since the observation began. */
export interface Usage {
  readonly cpuSeconds: number
  /** Since the process began. */
  readonly peakBytes: number
}

interface Watched {
  readonly pid: number
  cpuAtStart: number
  cpu: number
  peakBytes: number
}

export interface ObservationInit {
  /** A process of each host, by index. */
  readonly hosts: readonly number[]
  readonly registry: number
  /** The registry has a link of its own, so that what it sends can be counted. */
  readonly hasLinks: boolean
}

/**
 * Looks at the processes, the machine and the registry's link five times a second. It keeps what it saw last of a
 * process, so that one that was killed counts.
 */
export class Observation {
  /** Bytes that have left over the registry's link, by milliseconds since the start. Empty without links. */
  readonly originCurve: Array<readonly [ms: number, bytes: number]> = []
  readonly #hosts: readonly Watched[]
  readonly #registry: Watched
  readonly #hasLinks: boolean
  readonly #ticks: Array<readonly [ms: number, ticks: MachineTicks]> = []
  readonly #stopper = new AbortController()
  #linkBytesAtStart = 0
  #driverCpuAtStart = process.cpuUsage()
  #driverCpuSeconds = 0
  #startedAt = 0
  #running: Promise<void> = Promise.resolve()

  constructor ({ hosts, registry, hasLinks }: ObservationInit) {
    const watch = (pid: number): Watched => ({ pid, cpuAtStart: 0, cpu: 0, peakBytes: 0 })
    this.#hosts = hosts.map(watch)
    this.#registry = watch(registry)
    this.#hasLinks = hasLinks
  }

  async start (): Promise<void> {
    await this.#lookAtProcesses()
    for (const one of [...this.#hosts, this.#registry]) one.cpuAtStart = one.cpu
    this.#linkBytesAtStart = await this.#linkBytes()
    this.#driverCpuAtStart = process.cpuUsage()
    this.#startedAt = performance.now()
    this.#running = this.#run(this.#stopper.signal)
  }

  /** Looks once more and ends. */
  async stop (): Promise<void> {
    this.#stopper.abort()
    await this.#running
    const { user, system } = process.cpuUsage(this.#driverCpuAtStart)
    this.#driverCpuSeconds = (user + system) / 1e6
  }

  /** Of this process, which starts the pulls and reads their progress. */
  get driverCpuSeconds (): number {
    return this.#driverCpuSeconds
  }

  /** By index of the host. */
  get hosts (): Usage[] {
    return this.#hosts.map(usage)
  }

  get registry (): Usage {
    return usage(this.#registry)
  }

  /** Bytes over the registry's link until then, headers included as far as the device counts them. */
  originBytesAt (ms: number): number {
    return this.originCurve.findLast(([at]) => at <= ms)?.[1] ?? 0
  }

  /** Shares of the machine's processors, 0 to 1: in the whole time, in the busiest second, and taken by other machines. */
  get machine (): { busy: number, busiestSecond: number, stolen: number } {
    const [first, last] = [this.#ticks[0], this.#ticks.at(-1)]
    if (first === undefined || last === undefined) return { busy: NaN, busiestSecond: NaN, stolen: NaN }
    const seconds = this.#ticks.flatMap(([ms, ticks]) => {
      const later = this.#ticks.find(([other]) => other >= ms + WINDOW_MS)
      return later === undefined ? [] : [busyShare(ticks, later[1])]
    })
    const busy = busyShare(first[1], last[1])
    return { busy, busiestSecond: Math.max(busy, ...seconds), stolen: (last[1].stolen - first[1].stolen) / Math.max(1, last[1].total - first[1].total) }
  }

  async #run (signal: AbortSignal): Promise<void> {
    for (let isLast = false; !isLast;) {
      isLast = signal.aborted
      const now = performance.now() - this.#startedAt
      this.#ticks.push([now, await machineTicks()])
      if (this.#hasLinks) this.originCurve.push([now, await this.#linkBytes() - this.#linkBytesAtStart])
      await this.#lookAtProcesses()
      if (!isLast) await delay(INTERVAL_MS, undefined, { signal }).catch(() => {})
    }
  }

  async #lookAtProcesses (): Promise<void> {
    await Promise.all([...this.#hosts, this.#registry].map(async one => {
      try {
        one.cpu = await cpuSeconds(one.pid)
        const { peak } = await residentBytes(one.pid)
        if (peak > one.peakBytes) one.peakBytes = peak
      } catch {} // it was killed
    }))
  }

  /** A process sees the devices of its own network namespace in /proc/PID/net/dev. */
  async #linkBytes (): Promise<number> {
    if (!this.#hasLinks) return 0
    const text = await readFile(`/proc/${this.#registry.pid}/net/dev`, 'utf8')
    const fields = /^\s*eth0:\s*(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/) ?? []
    return Number(fields[8])
  }
}

function usage ({ cpuAtStart, cpu, peakBytes }: Watched): Usage {
  return { cpuSeconds: cpu - cpuAtStart, peakBytes }
}
