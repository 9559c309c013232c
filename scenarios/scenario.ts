import type { OriginPolicy } from '../src/swarm/origin-plan.ts'

/**
 * A rollout to rehearse, whole and checked: what `scenarios/file` makes of a YAML file and both engines run. Times are
 * milliseconds from the start of the run, sizes bytes, rates bytes per second, shares 0 to 1.
 */
export interface Scenario {
  readonly name: string
  readonly description: string
  /** All that is random follows from it. */
  readonly seed: number
  /** The run ends then at the latest. */
  readonly limitMs: number
  readonly groups: readonly HostGroup[]
  /** What lies between groups; groups without one meet in a network that never is the limit. */
  readonly paths: readonly GroupPath[]
  /** Shared media, such as the air of a Wi-Fi cell. */
  readonly media: readonly SharedMedium[]
  /** Undefined: there is no registry at all. */
  readonly origin: OriginSpec | undefined
  readonly images: readonly ImageSpec[]
  readonly pulls: readonly PullSpec[]
  readonly faults: readonly FaultSpec[]
  readonly agent: AgentSpec
  readonly discovery: DiscoverySpec
  readonly expect: readonly Expectation[]
}

/** Hosts that are alike: a rack, a zone, a kind of laptop. */
export interface HostGroup {
  readonly name: string
  readonly count: number
  readonly up: number
  readonly down: number
  /** One way between a host and the middle of the network: two hosts of one group are twice as far from each other. */
  readonly latencyMs: number
  /** Of packets, 0 to 1: it bounds what one flow reaches (Mathis: 1.22 × segment / (round trip × √loss)). */
  readonly loss: number
  /** What the agents are told by `--zone`. */
  readonly zone: string | undefined
  /** The medium that all their traffic passes. */
  readonly medium: string | undefined
  /** They take and give nothing. */
  readonly isLeech: boolean
  /** They leave and come back at random; both times are exponentially distributed. What has come is kept meanwhile. */
  readonly churn: ChurnSpec | undefined
  readonly holds: readonly HoldingSpec[]
}

export interface ChurnSpec {
  readonly meanUpMs: number
  /** Infinity: who has left stays away. */
  readonly meanDownMs: number
}

/** What hosts of a group hold before the run. */
export interface HoldingSpec {
  readonly image: string
  /** Names of layers; undefined: the whole image. */
  readonly layers: readonly string[] | undefined
  /** Of the hosts of the group. */
  readonly share: number
}

/** The way between two groups, or between one and all others (`to` undefined), or to the origin (`to` 'origin'). */
export interface GroupPath {
  readonly from: string
  readonly to: string | undefined
  /** Of all traffic from `from` to `to` together. Infinity: no limit. */
  readonly up: number
  /** The other way. */
  readonly down: number
  /** One way, in addition to those of the hosts. */
  readonly latencyMs: number
}

/** Each wireless end of a transfer takes the medium's time once: twice from laptop to laptop, once from a wired host. */
export interface SharedMedium {
  readonly name: string
  readonly rate: number
}

export interface OriginSpec {
  readonly up: number
  /** One way. */
  readonly latencyMs: number
  /** It answers Range by 206. */
  readonly hasRanges: boolean
  /** It cannot be reached in these times; `toMs` may be Infinity. */
  readonly outages: ReadonlyArray<{ readonly fromMs: number, readonly toMs: number }>
  /** Of requests, answered by 429. */
  readonly rejectShare: number
  /** What it says to wait then. */
  readonly retryAfterMs: number
}

export interface ImageSpec {
  readonly name: string
  readonly layers: readonly LayerSpec[]
}

/** Layers of one name are one blob, in whatever images. */
export interface LayerSpec {
  readonly name: string
  readonly bytes: number
}

/** Hosts that pull images, all of them at once where there are several: their layers, each once. */
export interface PullSpec {
  readonly images: readonly string[]
  /** Names of groups; each group is in one pull at the most. */
  readonly groups: readonly string[]
  /** Of the hosts of these groups, so many pull. */
  readonly share: number
  /** Layers that a host's engine fetches at a time: docker and containerd 3. */
  readonly parallelLayers: number
  readonly arrival: Arrival
}

export type Arrival =
  /** All at random moments within `withinMs`. */
  | { readonly type: 'at-once', readonly fromMs: number, readonly withinMs: number }
  /** Evenly over `overMs`. */
  | { readonly type: 'uniform', readonly fromMs: number, readonly overMs: number }
  | { readonly type: 'poisson', readonly fromMs: number, readonly perSecond: number }
  /** `hosts` of them at once, every so often. */
  | { readonly type: 'waves', readonly fromMs: number, readonly hosts: number, readonly everyMs: number }
  /** Never more than `maxUnavailable` at a time: the next begins when one is done. */
  | { readonly type: 'rolling', readonly fromMs: number, readonly maxUnavailable: number }

export type FaultType = 'kill' | 'restart' | 'slow' | 'stall' | 'lie' | 'partition' | 'dht-loss'

/** What goes wrong. */
export interface FaultSpec {
  readonly type: FaultType
  /** Groups whose hosts it may hit; of a partition: those that are cut off from all others and the origin. */
  readonly groups: readonly string[]
  /** So many of their hosts, chosen by the seed. Of a partition or loss of the DHT all. */
  readonly hosts: number
  /** When it begins: at random between the two, for each host by itself. */
  readonly fromMs: number
  readonly untilMs: number
  /** How long it lasts; Infinity: to the end. Of a restart: until it is back. A lie lasts from the start to the end. */
  readonly forMs: number
  /** Of `slow`: the part of its rates that remains. Of `dht-loss`: the part of lookups that fail. */
  readonly factor: number
}

/** How the agents are configured. */
export interface AgentSpec {
  readonly originPolicy: OriginPolicy
  readonly maxMembers: number
  readonly originConcurrency: number
  readonly uploadSlots: number
  /** Infinity: no limit. */
  readonly uploadLimit: number
  readonly downloadLimit: number
  /** Whether all have one swarm key, so that all are trusted. */
  readonly isKeyed: boolean
}

/** How agents find each other. */
export interface DiscoverySpec {
  /** Agents, of all that run, to which each has a link before the run. */
  readonly neighbours: number
  /** Of a lookup in the DHT, one after the other. */
  readonly dhtHops: number
  /** What an agent that is asked needs besides the way. */
  readonly hopMs: number
}

export type Comparison = '<=' | '>=' | '<' | '>' | '=='

/** What must hold in the end: `completion.p99 <= 1.2 x bound`. */
export interface Expectation {
  /** As it was written. */
  readonly text: string
  /** `completion.p99`, `group.rack-a.completion.max`, `origin.bytes`, …: see `FIGURES` of the result. */
  readonly figure: string
  readonly comparison: Comparison
  /** Milliseconds, bytes, a count or a share; in units of `of` where that is given. */
  readonly value: number
  /** `clean`: the same figure of the same scenario without its faults. */
  readonly of: 'bound' | 'image' | 'clean' | undefined
}
