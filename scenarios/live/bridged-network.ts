import { linkLines, mediumLines, sharedLinkLines, type OneWay, type Share } from './link-discipline.ts'
import { NetNamespace } from './net-namespace.ts'
import type { Network, Place } from './network.ts'
import { kernelSetting, runLines } from './shell-lines.ts'

/** Their last parts count from 1, and 255 is no host. */
const MAX_GROUPS = 250
const MAX_HOSTS = 254
const SHAPED = { bridge: 'data', prefix: '10.213', driver: '10.213.0.1' }
const UNSHAPED = { bridge: 'control', prefix: '10.214', driver: '10.214.0.1' }
const BRIDGES = [SHAPED, UNSHAPED]
/** Linux's own choice, whatever this machine has in its place: figures are to be those of other machines. */
const USUAL_TCP = kernelSetting('tcp_congestion_control', 'cubic')
/** The last half of its addresses. */
const REGISTRY = '0.2'

/** Hosts that are to be next to each other. */
export interface GroupPlaces {
  readonly hosts: number
  /** What they exchange with all others passes one link, so that it can be limited. @default false */
  readonly hasUplink?: boolean
}

/** The link between a group and all others. */
export interface Uplink {
  readonly up: OneWay
  readonly down: OneWay
  /** To, and from, one other group or the registry. */
  readonly shares: ReadonlyArray<{ readonly with: number | 'registry', readonly up: OneWay, readonly down: OneWay }>
}

/** Groups by their place in the list. */
export interface BridgedNetwork extends Network {
  /** Of a group that has one. */
  shapeUplink (group: number, uplink: Uplink): Promise<void>
  /** From now on all that hosts of these groups send and receive shares one rate: twice for what goes from one to another. */
  shareMedium (rate: number, groups: readonly number[]): Promise<void>
  /** From now on these groups reach each other and nobody else. @param name - of this cut, for `rejoin` */
  cutOff (name: string, groups: readonly number[]): Promise<void>
  rejoin (name: string, groups: readonly number[]): Promise<void>
}

interface Port {
  /** Undefined: the registry. */
  readonly group: number | undefined
  readonly namespace: NetNamespace
  readonly number: number
  readonly suffix: string
}

/**
 * A namespace for each host and for the registry, joined by a bridge in the namespace of this process; groups with an uplink
 * by a bridge of their own that is linked to it. One more bridge, never shaped, leads to each host's HTTP listener. Call it in a
 * private network only.
 *
 * Each end is told the link addresses of all others. The kernel has one table for what all namespaces find out about
 * their neighbours, of 1024 entries: 33 that talk to each other fill it, and then packets to whoever is not in it are lost.
 */
export async function bridgedNetwork (groups: readonly GroupPlaces[]): Promise<BridgedNetwork> {
  if (groups.length > MAX_GROUPS) throw new RangeError(`${groups.length} groups: at most ${MAX_GROUPS}`)
  const many = groups.find(({ hosts }) => hosts > MAX_HOSTS)
  if (many !== undefined) throw new RangeError(`${many.hosts} hosts in a group: at most ${MAX_HOSTS}`)
  const ports = await openPorts(groups)
  const withUplink = [...groups.entries()].filter(([, { hasUplink }]) => hasUplink === true).map(([group]) => group)
  await runLines([
    'ip link set lo up',
    ...BRIDGES.flatMap(({ bridge, driver }) => [...bridgeLines(bridge), `ip address add ${driver}/16 dev ${bridge}`]),
    ...withUplink.flatMap(uplinkLines)
  ])
  const places = await Promise.all(ports.map(async port => attach(port, ports, groups)))
  const [registry, ...hosts] = places
  if (registry === undefined) throw new Error('a network without a registry')
  const portsOf = (some: readonly number[]): Port[] => ports.filter(({ group }) => group !== undefined && some.includes(group))
  const media: string[] = []
  return {
    isShapeable: true,
    registry,
    hosts,
    shapeUplink: async (group, { up, down, shares }) => {
      const sharesOf = (way: 'up' | 'down'): Share[] => shares.map(share => ({ ...share[way], addresses: addressesOf(share.with) }))
      await runLines([
        ...sharedLinkLines(upDevice(group), 'dst', up, sharesOf('up')),
        ...sharedLinkLines(downDevice(group), 'src', down, sharesOf('down'))
      ])
    },
    shareMedium: async (rate, some) => {
      const device = `air${media.length}`
      media.push(device)
      await runLines(mediumLines(device, rate, portsOf(some).map(({ number }) => portDevice(number))))
    },
    cutOff: async (name, some) => {
      const inside = some.map(addressesOf).join(', ')
      await Promise.all(portsOf(some).map(async ({ namespace }) => namespace.run(cutLines(name, inside))))
    },
    rejoin: async (name, some) => {
      await Promise.all(portsOf(some).map(async ({ namespace }) => namespace.run([`nft delete table ip ${name}`])))
    },
    close: async () => {
      await Promise.all(ports.map(async ({ namespace }) => namespace.close()))
      await runLines([...BRIDGES.map(({ bridge }) => bridge), ...withUplink.map(groupBridge), ...withUplink.map(upDevice), ...media].map(device => `ip link delete ${device}`))
    }
  }
}

async function openPorts (groups: readonly GroupPlaces[]): Promise<Port[]> {
  const hosts = groups.flatMap(({ hosts }, group) => Array.from({ length: hosts }, (_, index) => ({ group, suffix: `${group + 1}.${index + 1}` })))
  return Promise.all([{ group: undefined, suffix: REGISTRY }, ...hosts].map(async (port, number) => ({ ...port, number, namespace: await NetNamespace.open() })))
}

async function attach ({ group, namespace, number, suffix }: Port, ports: readonly Port[], groups: readonly GroupPlaces[]): Promise<Place> {
  const bridge = group !== undefined && groups[group]?.hasUplink === true ? groupBridge(group) : SHAPED.bridge
  const ends = [{ ...SHAPED, bridge, device: 'eth0', end: portDevice(number) }, { ...UNSHAPED, device: 'control0', end: `control${number}` }]
  await runLines(ends.flatMap(({ bridge, device, end }) => [
    `ip link add ${end} type veth peer name ${device} address ${linkAddressOf(number)} netns ${namespace.pid}`,
    `ip link set ${end} master ${bridge} addrgenmode none up`
  ]))
  await namespace.run([
    USUAL_TCP,
    'ip link set lo up',
    ...ends.flatMap(({ prefix, device }) => [`ip address add ${prefix}.${suffix}/16 dev ${device}`, `ip link set ${device} addrgenmode none up`]),
    'ip -batch - <<END',
    ...ports.map(other => `neighbour replace ${SHAPED.prefix}.${other.suffix} lladdr ${linkAddressOf(other.number)} dev eth0 nud permanent`),
    'END'
  ])
  return {
    runner: namespace.runner,
    controlHost: `${UNSHAPED.prefix}.${suffix}`,
    host: `${SHAPED.prefix}.${suffix}`,
    // What leaves a device is shaped: here what leaves the host, and on the bridge's side what comes to it.
    shape: async (link = { up: { rate: Infinity }, down: { rate: Infinity } }) => {
      await namespace.run(linkLines('eth0', link.up))
      await runLines(linkLines(portDevice(number), link.down))
    }
  }
}

function bridgeLines (bridge: string): string[] {
  return [`ip link add ${bridge} type bridge stp_state 0 mcast_snooping 0`, `ip link set ${bridge} up`]
}

function uplinkLines (group: number): string[] {
  return [
    ...bridgeLines(groupBridge(group)),
    `ip link add ${upDevice(group)} type veth peer name ${downDevice(group)}`,
    `ip link set ${upDevice(group)} master ${groupBridge(group)} addrgenmode none up`,
    `ip link set ${downDevice(group)} master ${SHAPED.bridge} addrgenmode none up`
  ]
}

/** In silence, as a cable that was pulled somewhere on the way; what is not shaped is not cut. */
function cutLines (name: string, inside: string): string[] {
  const chain = (hook: 'input' | 'output', field: 'saddr' | 'daddr'): string[] => [
    `nft add chain ip ${name} ${hook} '{ type filter hook ${hook} priority 0; }'`,
    `nft add rule ip ${name} ${hook} ip ${field} ${SHAPED.prefix}.0.0/16 ip ${field} != '{ ${inside} }' drop`
  ]
  return [`nft add table ip ${name}`, ...chain('input', 'saddr'), ...chain('output', 'daddr')]
}

function groupBridge (group: number): string {
  return `group${group}`
}

/** The end at the group, which sends what goes up. */
function upDevice (group: number): string {
  return `up${group}`
}

/** The other end, which sends what comes down. */
function downDevice (group: number): string {
  return `down${group}`
}

/** On the bridge's side: what it sends comes to the host. */
function portDevice (number: number): string {
  return `data${number}`
}

function addressesOf (group: number | 'registry'): string {
  return group === 'registry' ? `${SHAPED.prefix}.${REGISTRY}/32` : `${SHAPED.prefix}.${group + 1}.0/24`
}

/** Of its ends of both bridges; locally administered. */
function linkAddressOf (number: number): string {
  return `02:00:00:00:${Math.floor(number / 256).toString(16).padStart(2, '0')}:${(number % 256).toString(16).padStart(2, '0')}`
}
