import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { planOf } from '../plan.ts'
import type { RunProgress } from '../result.ts'
import type { OriginSpec, Scenario } from '../scenario.ts'
import type { BridgedNetwork } from './bridged-network.ts'
import type { ObserverCall } from './chronicle.ts'
import { pushContent } from './live-content.ts'
import { LiveFaults } from './live-faults.ts'
import { startFleet } from './live-fleet.ts'
import type { LiveHost } from './live-host.ts'
import { LivePulls } from './live-pulls.ts'
import { LogTail } from './log-tail.ts'
import { busyShare, machineTicks } from './machine-cpu.ts'
import { loopbackNetwork, type Network } from './network.ts'
import { Origin } from './origin.ts'
import type { FrontReply, OriginPolicy } from './origin-policy.ts'
import { RunFacts } from './run-facts.ts'
import type { RunTime } from './run-time.ts'
import { openNetwork, originLink, shapeShared } from './scenario-network.ts'
import { kernelSetting, runLines } from './shell-lines.ts'
import { makeTempDir } from './temp-dir.ts'

const LOOK_MS = 200
/** What happened so long ago all have told of. */
const SETTLED_MS = 500
/** What agents and the registry say in the end comes within this time. */
const LAST_WORDS_MS = 300
/** Above it a rollout is as fast as the processors. */
const BUSY_SHARE = 0.9
/** What the front has written is on its way, or nearly: else a megabyte of each answer counts as sent that only waits in the kernel. */
const HOLD_LITTLE = kernelSetting('tcp_notsent_lowat', 65536)

export interface RehearsalInit {
  readonly scenario: Scenario
  /** This process is in a network of its own, whose links can be shaped. */
  readonly isPrivate: boolean
  readonly hasDelay: boolean
  readonly faultyMain: string | undefined
  readonly onCalls: (calls: readonly ObserverCall[]) => void
  readonly onProgress: (progress: RunProgress) => void
  /** Told, in a sentence for people, what the figures depend on. */
  readonly onNote: (note: string) => void
  /** Ends it, at any time. */
  readonly signal: AbortSignal
}

/** What stands when a run may begin. */
interface Stage {
  readonly network: Network
  /** Undefined: its links cannot be shaped. */
  readonly bridged: BridgedNetwork | undefined
  readonly origin: Origin
  readonly content: Awaited<ReturnType<typeof pushContent>>
  readonly hosts: readonly LiveHost[]
}

/**
 * Sets the stage of a scenario, runs it and takes all away again. What it starts ends with this process at the latest.
 * @throws what makes the run impossible; an abort before its start is a run without events
 */
export async function rehearse (init: RehearsalInit): Promise<{ durationMs: number, isPartial: boolean }> {
  const { signal } = init
  await using things = new AsyncDisposableStack()
  const fronted: { take: (fact: FrontReply) => void } = { take: () => {} }
  const aborted = new Promise<undefined>(resolve => { signal.addEventListener('abort', () => { resolve(undefined) }, { once: true }) })
  // what is on its way when the signal comes is not waited for: it ends with the process
  const setting = setStage(init, things, fact => { fronted.take(fact) })
  setting.catch(() => {})
  const stage = await Promise.race([setting, aborted])
  if (stage === undefined || signal.aborted) return { durationMs: 0, isPartial: true }
  return await run(init, stage, fronted)
}

async function setStage ({ scenario, isPrivate, hasDelay, faultyMain, signal }: RehearsalInit, things: AsyncDisposableStack, onFact: (fact: FrontReply) => void): Promise<Stage> {
  const plan = planOf(scenario)
  const dir = await makeTempDir('live')
  const bridged = isPrivate ? await openNetwork(scenario) : undefined
  const network = bridged ?? loopbackNetwork(plan.hosts.length)
  things.defer(async () => network.close())
  if (isPrivate) await runLines([HOLD_LITTLE], network.registry.runner)
  const registryDir = join(dir, 'registry')
  await mkdir(registryDir)
  const origin = await Origin.start({ place: network.registry, dir: registryDir, seed: scenario.seed, onFact })
  things.defer(async () => origin.stop())
  // a registry that always answers, for what is to be there before
  if (scenario.origin !== undefined) origin.setPolicy({ ...policyOf(scenario.origin, isPrivate), rejectShare: 0, bytesPerSecond: Infinity })
  const content = await pushContent(origin.url, scenario)
  const hosts = await startFleet({
    scenario,
    hosts: plan.hosts,
    network,
    registryUrl: origin.url,
    content,
    dir,
    shaping: { hasDelay },
    faultyMain,
    keep: ({ agent }) => {
      things.defer(async () => {
        // nothing of theirs is needed any more, and an end by SIGTERM takes its time
        await agent.kill()
        await agent.stop()
      })
    },
    signal
  })
  if (bridged !== undefined) await shapeAll(bridged, scenario, hosts, hasDelay)
  if (scenario.origin === undefined) await origin.goDown()
  else origin.setPolicy(policyOf(scenario.origin, isPrivate))
  return { network, bridged, origin, content, hosts }
}

async function shapeAll (network: BridgedNetwork, scenario: Scenario, hosts: readonly LiveHost[], hasDelay: boolean): Promise<void> {
  await Promise.all(hosts.map(async ({ place, link }) => place.shape(link)))
  if (scenario.origin !== undefined) await network.registry.shape(originLink(scenario.origin, { hasDelay }))
  await shapeShared(network, scenario, { hasDelay })
}

function policyOf ({ hasRanges, rejectShare, retryAfterMs, up }: OriginSpec, isShaped: boolean): OriginPolicy {
  return { hasRanges, rejectShare, retryAfterMs, bytesPerSecond: isShaped ? Infinity : up }
}

async function run ({ scenario, hasDelay, onCalls, onProgress, onNote, signal }: RehearsalInit, { bridged, origin, content, hosts }: Stage, fronted: { take: (fact: FrontReply) => void }): Promise<{ durationMs: number, isPartial: boolean }> {
  const plan = planOf(scenario)
  const tails = hosts.map(host => ({ host, tail: new LogTail(host.agent.logFile) }))
  await Promise.all(tails.map(async ({ tail }) => tail.skip()))
  const facts = new RunFacts(hosts, content.layers, Date.now())
  fronted.take = fact => { facts.fronted(fact) }
  const over = new AbortController()
  const time: RunTime = { nowMs: () => facts.nowMs(), end: AbortSignal.any([signal, over.signal, AbortSignal.timeout(scenario.limitMs)]) }
  const look = async (untilMs: number): Promise<void> => {
    await Promise.all(tails.map(async ({ host, tail }) => { for (const line of await tail.read()) facts.logged(host, line) }))
    onCalls(facts.chronicle.take(untilMs))
    onProgress(facts.progress)
  }
  const pulls = new LivePulls({ plan, hosts, content, facts, time })
  const faults = new LiveFaults({ scenario, plan, hosts, network: bridged, shaping: { hasDelay }, origin, pulls, facts, time }).run()
  faults.catch(() => { over.abort() })
  const ticks = await machineTicks()
  const looking = lookOn(time.end, async () => look(facts.nowMs() - SETTLED_MS))
  looking.catch(() => { over.abort() })
  await pulls.run()
  const durationMs = facts.nowMs()
  const busy = busyShare(ticks, await machineTicks())
  if (busy > BUSY_SHARE) onNote(`the processors were ${Math.round(100 * busy)} % busy: completion is as late as they are slow, not as the links; try fewer hosts, or slower links`)
  over.abort()
  await Promise.all([faults, looking])
  await delay(LAST_WORDS_MS)
  await look(Infinity)
  return { durationMs, isPartial: signal.aborted }
}

async function lookOn (end: AbortSignal, look: () => Promise<void>): Promise<void> {
  while (!end.aborted) {
    await look()
    await delay(LOOK_MS, undefined, { signal: end }).catch(() => {})
  }
}
