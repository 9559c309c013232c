import { humanBytes, humanDuration } from '../../src/values/human.ts'
import type { RunProgress } from '../../scenarios/result.ts'
import type { RunPhase } from '../../scenarios/run.ts'
import type { CliContext, TextOutput } from './cli-context.ts'
import type { SimulateOutput } from './simulate-request.ts'

/** Shows runs as they go; several where a key is swept. */
export interface SimulateView {
  show (name: string, progress: RunProgress, phase: RunPhase): void
  /** The run of that name is over. */
  remove (name: string): void
  /** Leaves the terminal as it was; called once, whatever the end. */
  close (): void
}

/** A line for the beginning and for each tenth, for files and pipes. */
export class SimulateLines implements SimulateView {
  readonly #output: TextOutput
  readonly #shown = new Map<string, number>()

  constructor ({ output }: { output: TextOutput }) {
    this.#output = output
  }

  show (name: string, progress: RunProgress, phase: RunPhase): void {
    const label = labelOf(name, phase)
    const tenth = Math.floor(10 * partOf(progress))
    if (tenth <= (this.#shown.get(label) ?? -1)) return
    this.#shown.set(label, tenth)
    const { time, hosts, bytes, origin } = describeProgress(progress)
    this.#output.write(`${label}: ${tenth * 10} %, ${time}, ${hosts}, ${bytes}, ${origin}\n`)
  }

  remove (): void {}

  close (): void {}
}

/** What a run is called while it goes. */
export function labelOf (name: string, phase: RunPhase): string {
  return phase === 'clean' ? `${name} without faults` : name
}

/** Of the bytes that are to come, the part that has, 0 to 1. */
export function partOf ({ bytes, bytesInAll }: RunProgress): number {
  return bytesInAll === 0 ? 0 : Math.min(1, bytes / bytesInAll)
}

/** In words. The time is the run's own, which is virtual in a simulation. */
export function describeProgress ({ atMs, hosts, done, failed, bytes, originBytes }: RunProgress): { time: string, hosts: string, bytes: string, origin: string } {
  return {
    time: humanDuration(atMs),
    hosts: `${done} of ${hosts} hosts done${failed === 0 ? '' : `, ${failed} failed`}`,
    bytes: humanBytes(bytes),
    origin: `${humanBytes(originBytes)} from the origin`
  }
}

/** The view that suits where the text goes; undefined when there should be none. */
export async function createSimulateView ({ asJson, isQuiet }: SimulateOutput, { stderr }: CliContext): Promise<SimulateView | undefined> {
  if (asJson || isQuiet) return undefined
  if (stderr.isTTY !== true) return new SimulateLines({ output: stderr })
  const { SimulateBars } = await import('./simulate-bars.ts')
  return new SimulateBars({ output: stderr })
}
