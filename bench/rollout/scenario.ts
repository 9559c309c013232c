const MIB = 1024 * 1024
const MB = 1e6

/** What becomes of a host during a rollout. Only `killed` ends it; `stalling` and `lying` hosts run another script. */
export type Role = 'healthy' | 'killed' | 'slow' | 'stalling' | 'lying'

/** A host of that role is to have the image in the end. */
export function isWaitedFor (role: Role): boolean {
  return role === 'healthy' || role === 'slow'
}

/** What a rollout has to reach; a bar that is absent is not held. */
export interface Bars {
  /** Last healthy host's completion in units of T*. */
  readonly maxCompletion?: number
  /** Bytes of blobs and manifests that the registry sent, in units of the image. */
  readonly maxOriginBytes?: number
}

/** One rollout, whole: who takes part, what is pulled, over which links. */
export interface Scenario {
  readonly hosts: number
  readonly imageBytes: number
  readonly layers: number
  /** Of TCP payload, up and down, of each host. Absent: links as fast as the machine. */
  readonly hostBytesPerSecond?: number
  /** Of TCP payload, up and down, of the registry. Absent: a link as fast as the machine. */
  readonly originBytesPerSecond?: number
  /** Share of the hosts that hold the image before. */
  readonly seededShare: number
  /** How many hosts have each role but `healthy`. */
  readonly faults: Readonly<Partial<Record<Exclude<Role, 'healthy'>, number>>>
  readonly bars: Bars
}

const SIXTEEN: Scenario = {
  hosts: 16,
  imageBytes: 64 * MIB,
  layers: 2,
  hostBytesPerSecond: 10 * MB,
  originBytesPerSecond: 10 * MB,
  seededShare: 0,
  faults: {},
  bars: { maxCompletion: 1.2, maxOriginBytes: 1.06 }
}

/** What the swarm must reach, by name. */
export const SCENARIOS = {
  n16: SIXTEEN,
  n32: { ...SIXTEEN, hosts: 32, imageBytes: 32 * MIB, hostBytesPerSecond: 5 * MB, originBytesPerSecond: 5 * MB, bars: { maxCompletion: 1.3, maxOriginBytes: 1.1 } },
  faults: { ...SIXTEEN, faults: { killed: 2, slow: 2, stalling: 1, lying: 1 }, bars: { maxCompletion: 1.6, maxOriginBytes: 1.25 } },
  rolling: { ...SIXTEEN, seededShare: 0.25, bars: { maxOriginBytes: 0.02 } }
} as const satisfies Record<string, Scenario>

/** The 10 MB image of few hosts, for comparing with clients that go straight to the registry. Nothing is shaped. */
export const SMALL: Scenario = { hosts: 4, imageBytes: 10 * MB, layers: 1, seededShare: 0, faults: {}, bars: {} }

/**
 * The role of each host by its index. Roles are spread over the hosts, so that no kind of host starts first or last, and
 * host 0, by which the others join, is healthy.
 */
export function rolesOf ({ hosts, faults }: Pick<Scenario, 'hosts' | 'faults'>): Role[] {
  const roles = Array.from({ length: hosts }, (): Role => 'healthy')
  const wanted = Object.entries(faults).flatMap(([role, count]) => Array.from({ length: count }, () => role as Role))
  if (wanted.length >= hosts) throw new RangeError(`${wanted.length} hosts with faults leave none of ${hosts} healthy`)
  for (const [index, role] of wanted.entries()) roles[Math.floor((index + 1) * hosts / (wanted.length + 1))] = role
  return roles
}

/** The hosts, by index, that hold the image before: spread evenly, the first one among them. */
export function seededHosts ({ hosts, seededShare }: Pick<Scenario, 'hosts' | 'seededShare'>): ReadonlySet<number> {
  const count = Math.round(hosts * seededShare)
  return new Set(Array.from({ length: count }, (_, seeder) => Math.floor(seeder * hosts / count)))
}
