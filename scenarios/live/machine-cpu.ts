import { readFile } from 'node:fs/promises'

/** Processor time of the whole machine since its start, in clock ticks of all processors together. */
export interface MachineTicks {
  readonly total: number
  readonly idle: number
  /** Taken by other machines on the same hardware. */
  readonly stolen: number
}

/** The first line of proc(5) /proc/stat. */
export function parseMachineTicks (text: string): MachineTicks {
  const [, ...fields] = (text.split('\n', 1)[0] ?? '').split(/\s+/)
  // user nice system idle iowait irq softirq steal; what follows is counted in user and nice already
  const ticks = fields.slice(0, 8).map(Number)
  const [,,, idle = 0, ioWait = 0,,, stolen = 0] = ticks
  return { total: ticks.reduce((sum, value) => sum + value, 0), idle: idle + ioWait, stolen }
}

/** Zeros where the system does not tell. */
export async function machineTicks (): Promise<MachineTicks> {
  return parseMachineTicks(await readFile('/proc/stat', 'utf8').catch(() => ''))
}

/** Share of the machine's processors that was busy between the two, 0 to 1. */
export function busyShare (from: MachineTicks, to: MachineTicks): number {
  return 1 - (to.idle - from.idle) / Math.max(1, to.total - from.total)
}
