/** A pipe and the flows that pass it, by number. */
export interface SharedPipe {
  readonly rate: number
  readonly flows: ReadonlyArray<{ readonly flow: number, readonly weight: number }>
}

/**
 * Max-min fair rates by progressive filling (Bertsekas and Gallager, Data Networks, section 6.5.2): all flows grow together, and
 * those that pass a full pipe, or have reached their own cap, stay where they are.
 */
export function fairShares (pipes: readonly SharedPipe[], caps: readonly number[]): number[] {
  const rates = caps.map(() => 0)
  const open = new Set(caps.keys())
  while (open.size > 0) {
    const level = Math.min(...[...open].map(flow => caps[flow] ?? Infinity), ...pipes.map(pipe => levelOf(pipe, rates, open)))
    const full = new Set([...open].filter(flow => caps[flow] === level))
    for (const pipe of pipes) {
      if (levelOf(pipe, rates, open) <= level * (1 + 1e-12)) for (const { flow } of pipe.flows) if (open.has(flow)) full.add(flow)
    }
    for (const flow of full) {
      rates[flow] = level
      open.delete(flow)
    }
  }
  return rates
}

/** The common rate of its open flows at which the pipe is full. */
function levelOf ({ rate, flows }: SharedPipe, rates: readonly number[], open: ReadonlySet<number>): number {
  let left = rate
  let weights = 0
  for (const { flow, weight } of flows) {
    if (open.has(flow)) weights += weight
    else left -= weight * (rates[flow] ?? 0)
  }
  return weights === 0 ? Infinity : Math.max(0, left) / weights
}
