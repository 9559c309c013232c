import { demandOf } from './bound/demand.ts'
import { borderLimits, mediumLimits, originLimit, ownLinkLimit, rollingLimits, uplinksLimit } from './bound/limits.ts'
import type { Bound } from './result.ts'
import type { Scenario } from './scenario.ts'

/** To the microsecond: what is beyond it comes of how the limits are computed. */
const MICROSECONDS = 1000

/**
 * What nobody can beat: the time from the first start until the last host is done, by the limit that binds most. Each limit
 * follows from what is certain before the run: latency, discovery and most faults are left out, so the truth is at or above it.
 * @returns Infinity milliseconds where the rollout cannot end
 */
export function boundOf (scenario: Scenario): Bound {
  const demand = demandOf(scenario)
  if (demand.hosts.length === 0) return { ms: 0, because: 'no host that has to be done lacks anything' }
  const limits = [
    originLimit(demand),
    ownLinkLimit(demand),
    uplinksLimit(demand),
    ...borderLimits(scenario, demand),
    ...mediumLimits(scenario, demand),
    ...rollingLimits(demand)
  ]
  const { ms, because } = limits.reduce((binding, limit) => limit.ms > binding.ms ? limit : binding)
  return {
    ms: Math.round(ms * MICROSECONDS) / MICROSECONDS,
    because: demand.isOfOne ? `${because}; every host may leave before it is done, so this is for one that does not` : because
  }
}
