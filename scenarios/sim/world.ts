import { isSameZone } from '../../src/swarm/nearness.ts'
import type { SeedOf } from '../../src/swarm/ownership.ts'
import type { Plan } from '../plan.ts'
import type { RunObserver } from '../result.ts'
import type { HostGroup, LayerSpec, Scenario } from '../scenario.ts'
import type { SimClock } from './clock.ts'
import type { Directory } from './directory.ts'
import type { SimHost } from './host.ts'
import type { Flow, SimNetwork } from './network.ts'
import type { SimOrigin } from './origin.ts'
import type { SimWire } from './wire.ts'

/** What all parts of a simulation share. */
export interface World {
  readonly scenario: Scenario
  readonly plan: Plan
  readonly clock: SimClock
  readonly network: SimNetwork
  readonly wire: SimWire
  readonly observer: RunObserver
  readonly directory: Directory
  readonly origin: SimOrigin
  readonly hosts: ReadonlyMap<string, SimHost>
  readonly random: () => number
  /** Whether any host lies, so that who signed what has to be known. */
  readonly hasLiars: boolean
  /** Of each blob, kept: many ask for the same. */
  seedsOf (layer: string): SeedOf
  /** Bytes from one host to another, over all that lies between. */
  transfer (from: SimHost, to: SimHost, bytes: number, onDone: () => void): Flow
  /** Bytes from the origin. */
  download (to: SimHost, bytes: number, onDone: () => void): Flow
  isNear (one: SimHost, other: SimHost): boolean
}

/** Names of zones differ, where both have one. */
export function isBorder (one: HostGroup, other: HostGroup): boolean {
  return one.zone !== undefined && other.zone !== undefined && one.zone !== other.zone
}

/** Both say that they are in the same zone. */
export function isHome (one: SimHost, other: SimHost): boolean {
  return isSameZone(one.group.zone, other.group.zone)
}

/** What a host has to hold before its layers: manifest and configuration, as one small blob. */
export function documentOf (layers: readonly LayerSpec[]): LayerSpec {
  return { name: `manifest of ${layers.map(({ name }) => name).join(' ')}`, bytes: 8 * 1024 }
}
