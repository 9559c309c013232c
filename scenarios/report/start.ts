import type { Result } from '../result.ts'

/** Of T*: hosts that start within so much of it start at once, as far as a picture goes. */
const AT_ONCE_SHARE = 0.1

/** When the first host began, in milliseconds of the run; 0 when none did. */
export function firstStartMs ({ hosts }: Pick<Result, 'hosts'>): number {
  const starts = hosts.flatMap(({ startedMs }) => startedMs ?? [])
  return starts.reduce((first, start) => Math.min(first, start), starts[0] ?? 0)
}

/** From the first start until the last host was done, which is what T* bounds; null: one never was. */
export function rolloutMs (result: Pick<Result, 'hosts' | 'figures'>): number | null {
  const { duration = null } = result.figures
  return duration === null ? null : duration - firstStartMs(result)
}

/** Whether T* says anything: something has to happen, and it can. */
export function hasBound ({ bound }: Pick<Result, 'bound'>): boolean {
  return bound.ms > 0 && bound.ms < Infinity
}

/** Whether hosts began together, so that what each of them needs can be compared with T*. */
export function startsAtOnce ({ hosts, bound }: Pick<Result, 'hosts' | 'bound'>): boolean {
  const starts = hosts.flatMap(({ startedMs }) => startedMs ?? [])
  const last = starts.reduce((latest, start) => Math.max(latest, start), 0)
  return last - firstStartMs({ hosts }) <= AT_ONCE_SHARE * bound.ms
}
