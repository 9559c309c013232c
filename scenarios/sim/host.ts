import { DownloadBudget } from '../../src/pull/download-budget.ts'
import { OriginSlots } from '../../src/pull/origin-slots.ts'
import { UploadQueue } from '../../src/swarm/upload-queue.ts'
import type { PlannedHost } from '../plan.ts'
import type { AgentSpec, HostGroup } from '../scenario.ts'
import type { SimClock } from './clock.ts'
import type { Pipe } from './network.ts'
import type { SimPart } from './part.ts'
import { needOf, type SimJob } from './serving.ts'

export interface HostParts {
  readonly clock: SimClock
  readonly up: Pipe
  readonly down: Pipe
  readonly agent: AgentSpec
}

/** An agent and its host: links, what it stores, what it fetches and serves, and the limits that all its blobs share. */
export class SimHost {
  readonly name: string
  readonly group: HostGroup
  readonly planned: PlannedHost
  readonly up: Pipe
  readonly down: Pipe
  readonly uploads: UploadQueue
  readonly sending: SimJob[] = []
  readonly budget: DownloadBudget
  readonly originSlots: OriginSlots
  /** Agents with an open link to this one. */
  readonly links = new Set<SimHost>()
  /** Agents that are being called, and what happens when they answer. */
  readonly calling = new Map<SimHost, Array<(isOpen: boolean) => void>>()
  /** Blobs that it takes part in, by layer. */
  readonly parts = new Map<string, SimPart>()
  /** Layers that are stored whole. */
  readonly stored: Set<string>
  /** Pieces of others that an earlier life has left, by layer. */
  readonly kept = new Map<string, readonly number[]>()
  /** Who wants what we neither hold nor fetch, and since when, by layer. */
  readonly interest = new Map<string, Map<SimHost, number>>()
  /** Who has lied to it. */
  readonly banned = new Set<SimHost>()
  /** What it hears while it stalls. */
  readonly unheard: Array<() => void> = []
  readonly isLiar: boolean
  /** Another agent has been linked to it in this life. */
  hasLinked = false
  isUp = true
  /** It will not come back. */
  isDead = false
  isStalled = false
  /** It has a connection to the origin. */
  isOriginConnected = false
  /** Another after each death: what was said to an earlier one is lost. */
  life = 0

  constructor (planned: PlannedHost, { clock, up, down, agent }: HostParts) {
    this.name = planned.name
    this.group = planned.group
    this.planned = planned
    this.up = up
    this.down = down
    this.stored = new Set(planned.held)
    this.isLiar = planned.faults.some(({ type }) => type === 'lie')
    this.uploads = new UploadQueue(job => needOf(this, job as SimJob), { slots: agent.uploadSlots })
    this.budget = new DownloadBudget(() => clock.nowMs)
    this.originSlots = new OriginSlots(agent.originConcurrency)
  }

  /** A link between the two is there from now on. */
  link (other: SimHost): void {
    for (const [one, another] of [[this, other], [other, this]] as const) {
      one.links.add(another)
      one.hasLinked = true
    }
  }

  /** Whether it hears and says anything now. */
  get isActive (): boolean {
    return this.isUp && !this.isStalled
  }
}
