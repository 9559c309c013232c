import { compareFigures } from './report/difference.ts'
import type { Result } from './result.ts'

/** How far a simulation may be from real agents, as a part of what those showed. */
const TOLERANCES: Readonly<Record<string, number>> = { 'completion.p50': 0.15, 'completion.p99': 0.15, 'origin.bytes': 0.1 }

export interface Agreement {
  readonly figure: string
  readonly sim: number | null
  readonly live: number | null
  /** Of `live`: 0.1 is a tenth more in the simulation. `null`: one of them is missing. */
  readonly difference: number | null
  readonly tolerance: number
  readonly isMet: boolean
}

/** Whether the simulation says what real agents do, by the figures that decide it. */
export function calibrate (sim: Result, live: Result): Agreement[] {
  const differences = new Map(compareFigures(live, sim).map(({ figure, difference }) => [figure, difference]))
  return Object.entries(TOLERANCES).map(([figure, tolerance]) => {
    const difference = differences.get(figure) ?? null
    return { figure, sim: sim.figures[figure] ?? null, live: live.figures[figure] ?? null, difference, tolerance, isMet: difference !== null && Math.abs(difference) <= tolerance }
  })
}
