import { setImmediate } from 'node:timers/promises'
import { ShoalError } from '../../src/errors.ts'
import { planOf } from '../../scenarios/plan.ts'
import type { Engine, RunObserver, RunProgress } from '../../scenarios/result.ts'
import type { Scenario } from '../../scenarios/scenario.ts'

class ImpossibleError extends ShoalError {
  override readonly code = 'IMPOSSIBLE'
}

/**
 * An engine that does what the scenario's description says: it is `endless`, `impossible`, `broken`, `lossy` or `ends` its thread. Else each
 * host takes its bytes from the origin, one after the other, a second each, and two where a host has a fault.
 */
export const engine: Engine = toldEngine(1000)

/** @param stepMs - for each host, in place of a second */
export function toldEngine (stepMs: number): Engine {
  return async (scenario, observer, options) => tellRun(scenario, observer, options, stepMs)
}

async function tellRun (scenario: Scenario, observer: RunObserver, { signal, onProgress, onNote }: NonNullable<Parameters<Engine>[2]>, stepMs: number): ReturnType<Engine> {
  if (scenario.description.includes('impossible')) throw new ImpossibleError('no room for so many agents: try 4')
  if (scenario.description.includes('broken')) throw new TypeError('undefined is not a number')
  if (scenario.description.includes('ends')) process.exit(3)
  if (scenario.description.includes('lossy')) onNote?.('loss is left out')
  const hosts = planOf(scenario).hosts.filter(({ pull }) => pull !== undefined)
  const bytesOf = (host: typeof hosts[number]): number => (host.pull?.layers ?? []).reduce((sum, { bytes }) => sum + bytes, 0)
  const progress = { atMs: 0, hosts: hosts.length, started: 0, done: 0, failed: 0, bytes: 0, bytesInAll: hosts.reduce((sum, host) => sum + bytesOf(host), 0), originBytes: 0 }
  const tell = (changed: Partial<RunProgress>): void => { onProgress?.(Object.assign(progress, changed)) }
  for (const host of hosts) observer.started(host.name, bytesOf(host), 0)
  tell({ started: hosts.length })
  let durationMs = 0
  for (const [index, host] of hosts.entries()) {
    while (scenario.description.includes('endless') && signal?.aborted !== true) {
      tell({})
      await setImmediate()
    }
    if (signal?.aborted === true) return { durationMs, isPartial: true }
    durationMs = (index + 1) * (host.faults.length === 0 ? stepMs : 2 * stepMs)
    const bytes = bytesOf(host)
    observer.originAnswered(bytes, durationMs)
    observer.originSent(bytes, durationMs)
    observer.received(host.name, 'origin', bytes, durationMs)
    observer.done(host.name, durationMs)
    tell({ atMs: durationMs, done: index + 1, bytes: progress.bytes + bytes, originBytes: progress.originBytes + bytes })
  }
  return { durationMs, isPartial: false }
}
