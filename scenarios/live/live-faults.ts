import type { Plan, PlannedFault } from '../plan.ts'
import { exponential, randomOf } from '../random.ts'
import type { RunEventType } from '../result.ts'
import type { ChurnSpec, Scenario } from '../scenario.ts'
import type { BridgedNetwork } from './bridged-network.ts'
import type { LiveHost } from './live-host.ts'
import type { LivePulls } from './live-pulls.ts'
import type { Origin } from './origin.ts'
import type { RunFacts } from './run-facts.ts'
import { reached, type RunTime } from './run-time.ts'
import { linkOf, type ShapingInit } from './scenario-network.ts'

export interface LiveFaultsInit {
  readonly scenario: Scenario
  readonly plan: Pick<Plan, 'partitions'>
  readonly hosts: readonly LiveHost[]
  /** Undefined: links cannot be shaped. */
  readonly network: BridgedNetwork | undefined
  readonly shaping: ShapingInit
  readonly origin: Origin
  readonly pulls: LivePulls
  readonly facts: RunFacts
  readonly time: RunTime
}

/** Does for real what goes wrong in a run: signals to agents, links that are reshaped or cut, a registry that is away. */
export class LiveFaults {
  readonly #init: LiveFaultsInit

  constructor (init: LiveFaultsInit) {
    this.#init = init
  }

  /** Resolves when all is done, or the run has ended. @throws what makes a fault impossible */
  async run (): Promise<void> {
    const { scenario, plan, hosts } = this.#init
    await Promise.all([
      ...hosts.flatMap(host => host.planned.faults.map(async fault => this.#fault(host, fault))),
      ...hosts.map(async host => {
        const { churn } = host.planned.group
        if (churn !== undefined) await this.#churn(host, churn)
      }),
      ...plan.partitions.map(async (partition, number) => this.#partition(partition, number)),
      ...(scenario.origin?.outages ?? []).map(async outage => this.#outage(outage))
    ])
  }

  async #fault (host: LiveHost, fault: PlannedFault): Promise<void> {
    const { time } = this.#init
    if (fault.type === 'lie' || !await reached(time, fault.fromMs)) return
    switch (fault.type) {
      case 'kill':
        this.#note('killed', host)
        await this.#kill(host, true)
        break
      case 'restart':
        this.#note('killed', host)
        await this.#kill(host, fault.toMs === Infinity)
        if (await reached(time, fault.toMs)) await this.#rise(host, 'restarted', fault.fromMs)
        break
      case 'slow':
        this.#note('slowed', host, `to ${fault.factor} of its pace`)
        await host.place.shape(linkOf(host.planned.group, this.#init.shaping, fault.factor))
        if (await reached(time, fault.toMs)) {
          await host.place.shape(host.link)
          this.#note('recovered', host)
        }
        break
      case 'stall':
        this.#note('stalled', host)
        host.agent.signal('SIGSTOP')
        // it will never be done, and nobody waits for it
        if (fault.toMs === Infinity) this.#init.pulls.gone(host)
        if (await reached(time, fault.toMs)) {
          host.agent.signal('SIGCONT')
          this.#note('recovered', host)
        }
        break
      default:
        fault.type satisfies never
    }
  }

  async #churn (host: LiveHost, { meanUpMs, meanDownMs }: ChurnSpec): Promise<void> {
    const { scenario, time } = this.#init
    const random = randomOf(scenario.seed, `churn ${host.planned.name}`)
    for (let fromMs = host.planned.pull?.startMs ?? 0; ;) {
      const leaveMs = fromMs + exponential(meanUpMs, random)
      if (!await reached(time, leaveMs)) return
      this.#note('left', host)
      fromMs = leaveMs + (meanDownMs === Infinity ? Infinity : exponential(meanDownMs, random))
      await this.#kill(host, fromMs === Infinity)
      if (!await reached(time, fromMs)) return
      await this.#rise(host, 'came-back', leaveMs)
    }
  }

  async #kill (host: LiveHost, isForGood: boolean): Promise<void> {
    const { facts, pulls } = this.#init
    await host.agent.kill()
    if (!isForGood) return
    const atMs = facts.nowMs()
    if (!pulls.isDone(host)) facts.chronicle.note(atMs, ['left', host.planned.name, atMs])
    pulls.gone(host)
  }

  async #rise (host: LiveHost, type: 'restarted' | 'came-back', downFromMs: number): Promise<void> {
    const { facts, pulls } = this.#init
    this.#note(type, host)
    await host.agent.restart()
    if (!pulls.isDone(host)) facts.wasDown(host, downFromMs)
  }

  async #partition ({ groups, fromMs, toMs }: Plan['partitions'][number], number: number): Promise<void> {
    const { network, scenario, time } = this.#init
    if (network === undefined || !await reached(time, fromMs)) return
    const places = groups.map(name => scenario.groups.findIndex(group => group.name === name))
    const cut = `cut${number}`
    this.#note('partitioned', undefined, groups.join(', '))
    await network.cutOff(cut, places)
    if (!await reached(time, toMs)) return
    await network.rejoin(cut, places)
    this.#note('joined-again', undefined, groups.join(', '))
  }

  async #outage ({ fromMs, toMs }: { readonly fromMs: number, readonly toMs: number }): Promise<void> {
    const { origin, time } = this.#init
    if (!await reached(time, fromMs)) return
    await origin.goDown()
    this.#note('origin-down', undefined)
    if (!await reached(time, toMs)) return
    await origin.goUp()
    this.#note('origin-up', undefined)
  }

  #note (type: RunEventType, host: LiveHost | undefined, detail = ''): void {
    const { facts, time } = this.#init
    const atMs = time.nowMs()
    facts.chronicle.note(atMs, ['event', { atMs, type, host: host?.planned.name ?? null, detail }])
  }
}
