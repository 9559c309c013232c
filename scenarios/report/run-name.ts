import { hostsText } from '../quantity-text.ts'
import type { Result } from '../result.ts'

/** Which run a result is of, in a few words. */
export function runName ({ scenario, engine, hosts, shoal, isPartial }: Result): string {
  return `${scenario.name}, ${engine}, ${hostsText(hosts.length)}, seed ${scenario.seed}, Shoal ${shoal}${isPartial ? ', ended before its end' : ''}`
}
