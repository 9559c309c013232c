import type { Result } from './result.ts'

/** How far a simulation may be from real agents, as a part of what those showed. */
export const TOLERANCES: Readonly<Record<string, number>> = { 'completion.p50': 0.15, 'completion.p99': 0.15, 'origin.bytes': 0.1 }

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
  return Object.entries(TOLERANCES).map(([figure, tolerance]) => {
    const [simulated, real] = [sim.figures[figure] ?? null, live.figures[figure] ?? null]
    const difference = differenceOf(simulated, real)
    return { figure, sim: simulated, live: real, difference, tolerance, isMet: difference !== null && Math.abs(difference) <= tolerance }
  })
}

function differenceOf (sim: number | null, live: number | null): number | null {
  if (sim === null || live === null) return null
  if (sim === live) return 0
  return live === 0 ? null : (sim - live) / live
}
