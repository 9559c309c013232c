import { runCommand } from './child-process.ts'
import { tokenBucket } from './link-rate.ts'
import { NetNamespace } from './net-namespace.ts'

/** Hosts are 10.213.1.1 and on: as many as fit the last part. */
const MAX_HOSTS = 254
const SHAPED = { bridge: 'data', prefix: '10.213', driver: '10.213.0.1' }
const UNSHAPED = { bridge: 'control', prefix: '10.214', driver: '10.214.0.1' }
const BRIDGES = [SHAPED, UNSHAPED]

/** Where a process runs, and by which addresses it is reached. */
export interface Place {
  /** Command in front of the process's own; may be empty. */
  readonly runner: readonly string[]
  /** Address for this process's own questions: never shaped, as a client on the same host would ask. */
  readonly controlHost: string
  /** Address for the other hosts. */
  readonly host: string
  /** From now on TCP payload goes at this pace, up and down; undefined: as fast as it can. Does nothing where links cannot be shaped. */
  shape (payloadBytesPerSecond: number | undefined): Promise<void>
}

/** Places for the registry and for hosts. */
export interface Network {
  readonly isShapeable: boolean
  readonly registry: Place
  readonly hosts: readonly Place[]
  close (): Promise<void>
}

/** What to spawn so that a script runs there, by the Node that runs us. */
export function scriptAt ({ runner }: Place, script: string, args: readonly string[]): [command: string, args: string[]] {
  const [command = '', ...rest] = [...runner, process.execPath, script, ...args]
  return [command, rest]
}

/** All in one network, at the loopback address. */
export function loopbackNetwork (hosts: number): Network {
  const place: Place = { runner: [], controlHost: '127.0.0.1', host: '127.0.0.1', shape: async () => {} }
  return { isShapeable: false, registry: place, hosts: Array.from({ length: hosts }, () => place), close: async () => {} }
}

/**
 * A namespace for each host and for the registry, joined by a bridge in the namespace of this process. A second bridge,
 * never shaped, leads to each host's HTTP listener. Call it in a private network only.
 *
 * Each end is told the link addresses of all others. The kernel has one table for what all namespaces find out about
 * their neighbours, of 1024 entries: 33 that talk to each other fill it, and then packets to whoever is not in it are lost.
 */
export async function bridgedNetwork (hosts: number): Promise<Network> {
  if (hosts > MAX_HOSTS) throw new RangeError(`${hosts} hosts: at most ${MAX_HOSTS}`)
  const namespaces = await Promise.all(Array.from({ length: hosts + 1 }, async () => NetNamespace.open()))
  await runLines([
    'ip link set lo up',
    ...BRIDGES.flatMap(({ bridge, driver }) => [
      `ip link add ${bridge} type bridge stp_state 0 mcast_snooping 0`,
      `ip address add ${driver}/16 dev ${bridge}`,
      `ip link set ${bridge} up`
    ])
  ])
  const [registry, ...places] = await Promise.all(namespaces.map(async (namespace, number) => attach(namespace, number, hosts)))
  if (registry === undefined) throw new Error('a network without a registry')
  return {
    isShapeable: true,
    registry,
    hosts: places,
    close: async () => {
      await Promise.all(namespaces.map(async namespace => namespace.close()))
      await runLines(BRIDGES.map(({ bridge }) => `ip link delete ${bridge}`))
    }
  }
}

/** Number 0 is the registry. */
async function attach (namespace: NetNamespace, number: number, hosts: number): Promise<Place> {
  const suffix = suffixOf(number)
  const ends = [{ ...SHAPED, device: 'eth0', end: `data${number}` }, { ...UNSHAPED, device: 'control0', end: `control${number}` }]
  await runLines(ends.flatMap(({ bridge, device, end }) => [
    `ip link add ${end} type veth peer name ${device} address ${linkAddressOf(number)} netns ${namespace.pid}`,
    `ip link set ${end} master ${bridge} addrgenmode none up`
  ]))
  await namespace.run([
    'ip link set lo up',
    ...ends.flatMap(({ prefix, device }) => [`ip address add ${prefix}.${suffix}/16 dev ${device}`, `ip link set ${device} addrgenmode none up`]),
    'ip -batch - <<END',
    ...Array.from({ length: hosts + 1 }, (_, other) => `neighbour replace ${SHAPED.prefix}.${suffixOf(other)} lladdr ${linkAddressOf(other)} dev eth0 nud permanent`),
    'END'
  ])
  return {
    runner: namespace.runner,
    controlHost: `${UNSHAPED.prefix}.${suffix}`,
    host: `${SHAPED.prefix}.${suffix}`,
    // A token bucket shapes what leaves a device: here what leaves the host, and on the bridge's side what comes to it.
    shape: async rate => {
      const discipline = rate === undefined ? 'noqueue' : tokenBucket(rate)
      await namespace.run([`tc qdisc replace dev eth0 root ${discipline}`])
      await runLines([`tc qdisc replace dev data${number} root ${discipline}`])
    }
  }
}

/** The last half of its addresses. */
function suffixOf (number: number): string {
  return number === 0 ? '0.2' : `1.${number}`
}

/** Of its ends of both bridges; locally administered. */
function linkAddressOf (number: number): string {
  return `02:00:00:00:00:${number.toString(16).padStart(2, '0')}`
}

async function runLines (lines: readonly string[]): Promise<void> {
  await runCommand('sh', ['-ec', lines.join('\n')])
}
