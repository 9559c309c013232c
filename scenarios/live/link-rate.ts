/** Of an Ethernet frame that TCP fills: 1500 bytes of IP with 20 + 20 bytes of headers and 12 of timestamps. */
const FRAME_BYTES = 1514
const PAYLOAD_BYTES = 1448
/** Two of the largest packets that the kernel hands to a link without cutting them (GSO): smaller, and it would cut them on our CPU. */
const BURST_BYTES = 128 * 1024
/** What waits for a link at most; further packets are dropped, as a switch does. */
const QUEUE_MS = 50

/** Bytes a second on the link, headers included, that carry so much TCP payload in full frames. */
export function linkBytesPerSecond (payloadBytesPerSecond: number): number {
  return Math.round(payloadBytesPerSecond * FRAME_BYTES / PAYLOAD_BYTES)
}

/** `tc` arguments of a token bucket (tbf(8)) through which that much TCP payload goes. */
export function tokenBucket (payloadBytesPerSecond: number): string {
  return `tbf rate ${linkBytesPerSecond(payloadBytesPerSecond)}bps burst ${BURST_BYTES} latency ${QUEUE_MS}ms`
}

/** For people: what a shaped link does. */
export function describeShaping (payloadBytesPerSecond: number): string {
  return `tbf at ${(linkBytesPerSecond(payloadBytesPerSecond) / 1e6).toFixed(2)} MB/s of link bytes each way, that is ${payloadBytesPerSecond / 1e6} MB/s of TCP payload in full frames (${PAYLOAD_BYTES} of ${FRAME_BYTES} bytes); burst ${BURST_BYTES / 1024} KiB, queue ${QUEUE_MS} ms`
}
