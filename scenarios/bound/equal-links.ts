export interface Dissemination {
  /** Of all blobs together. */
  readonly bytes: number
  /** Into which they are cut, all of one length. */
  readonly pieces: number
  readonly hosts: number
  /** Up and down, of each host and of the origin. */
  readonly bytesPerSecond: number
}

/**
 * T*, in milliseconds: no schedule brings F bytes in M pieces to N hosts of U bytes/s any sooner than
 * F/U · (1 + floor(log2 N)/M). Mundinger, Weber, Weiss: Optimal scheduling of peer-to-peer file dissemination (2008).
 */
export function equalLinksMs ({ bytes, pieces, hosts, bytesPerSecond }: Dissemination): number {
  return 1000 * bytes / bytesPerSecond * (1 + doublings(hosts) / pieces)
}

/** How often those that have a piece must double after its first copy has left the origin, until all hosts have it. */
export function doublings (hosts: number): number {
  return Math.floor(Math.log2(hosts))
}
