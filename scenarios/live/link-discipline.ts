import { linkBytesPerSecond, tokenBucket } from './link-rate.ts'

/** More packets than are ever on their way: netem drops what is beyond. */
const NETEM_PACKETS = 100_000
/** What a class has for certain; all else it borrows from the class above, so that no class gets past that one's limit. */
const ASSURED = '1kbps'
const UNLIMITED_BYTES_PER_SECOND = 12.5e9
const BURST_BYTES = 128 * 1024
const QUANTUM_BYTES = 64 * 1024
const QUEUE_MS = 50

/** What one direction of a link does. */
export interface OneWay {
  /** Bytes of TCP payload a second; Infinity: no limit. */
  readonly rate: number
  /** @default 0 */
  readonly delayMs?: number
  /** Of packets, 0 to 1. @default 0 */
  readonly loss?: number
}

/** Of what passes a device, that to or from some addresses. */
export interface Share extends OneWay {
  /** `10.1.2.0/24` */
  readonly addresses: string
}

/** Shell lines that make a device send so: tbf(8) for the rate, netem(8) for delay and loss. */
export function linkLines (device: string, { rate, delayMs = 0, loss = 0 }: OneWay): string[] {
  const bucket = rate === Infinity ? undefined : tokenBucket(rate)
  if (delayMs === 0 && loss === 0) return [`tc qdisc replace dev ${device} root ${bucket ?? 'noqueue'}`]
  return [
    `tc qdisc replace dev ${device} root handle 1: ${netem(delayMs, loss)}`,
    ...bucket === undefined ? [] : [`tc qdisc replace dev ${device} parent 1:1 handle 10: ${bucket}`]
  ]
}

/**
 * Shell lines that do the same to a device of many hosts, and limit shares of it further: htb(8).
 * @param direction - the addresses of a share are those that packets go to, or come from
 */
export function sharedLinkLines (device: string, direction: 'dst' | 'src', whole: OneWay, shares: readonly Share[]): string[] {
  // ids are hexadecimal
  const idOf = (share: number): string => (3 + share).toString(16)
  const classLines = (id: string, part: OneWay): string[] => [
    `tc class replace dev ${device} parent 1:1 classid 1:${id} htb rate ${ASSURED} ceil ${classRate(part.rate)} burst ${BURST_BYTES} cburst ${BURST_BYTES} quantum ${QUANTUM_BYTES}`,
    `tc qdisc replace dev ${device} parent 1:${id} handle ${id}: ${queue(part)}`
  ]
  return [
    `tc qdisc replace dev ${device} root handle 1: htb default 2`,
    `tc class replace dev ${device} parent 1: classid 1:1 htb rate ${classRate(whole.rate)} burst ${BURST_BYTES} cburst ${BURST_BYTES} quantum ${QUANTUM_BYTES}`,
    ...classLines('2', whole),
    ...shares.flatMap((share, index) => [
      ...classLines(idOf(index), { rate: Math.min(share.rate, whole.rate), delayMs: (whole.delayMs ?? 0) + (share.delayMs ?? 0) }),
      `tc filter replace dev ${device} parent 1: protocol ip prio ${1 + index} u32 match ip ${direction} ${share.addresses} flowid 1:${idOf(index)}`
    ])
  ]
}

/** Shell lines by which all that ports send and receive passes one device, which has that rate: the air of a Wi-Fi cell. */
export function mediumLines (device: string, rate: number, ports: readonly string[]): string[] {
  const redirect = `protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev ${device}`
  return [
    `ip link add ${device} type ifb`,
    `ip link set ${device} up`,
    ...linkLines(device, { rate }),
    ...ports.flatMap(port => [
      `tc qdisc replace dev ${port} clsact`,
      `tc filter replace dev ${port} ingress ${redirect}`,
      `tc filter replace dev ${port} egress ${redirect}`
    ])
  ]
}

function classRate (payloadBytesPerSecond: number): string {
  return `${linkBytesPerSecond(Math.min(payloadBytesPerSecond, UNLIMITED_BYTES_PER_SECOND))}bps`
}

function queue ({ rate, delayMs = 0 }: OneWay): string {
  if (delayMs > 0) return netem(delayMs, 0)
  return `bfifo limit ${BURST_BYTES + Math.round(linkBytesPerSecond(Math.min(rate, UNLIMITED_BYTES_PER_SECOND)) * QUEUE_MS / 1000)}`
}

function netem (delayMs: number, loss: number): string {
  return `netem delay ${Math.round(delayMs * 1000)}us${loss > 0 ? ` loss ${loss * 100}%` : ''} limit ${NETEM_PACKETS}`
}
