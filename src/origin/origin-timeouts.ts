/** Deadlines of a registry's client, in milliseconds; of the first two only time counts in which this process was able to listen. */
export interface OriginTimeouts {
  /** Dial, DNS and TLS included. @default 3000 */
  readonly connectMs: number
  /** From the request to the headers: manifests, tags, referrers and every HEAD. @default 3000 */
  readonly headersMs: number
  /** From asking for a blob to its first byte: token, redirects and retries included. @default 5000 */
  readonly firstByteMs: number
  /** Between two pieces of a body, while the reader has room for them. @default 10000 */
  readonly stallMs: number
  /** A manifest, a tag, a size, referrers or one page of tags as a whole. @default 5000 */
  readonly documentMs: number
  /** All pages of a list of tags or referrers. @default 20000 */
  readonly listMs: number
  /** A token, from its server or a wait for one that others asked for. @default 3000 */
  readonly tokenMs: number
  /** No new attempt starts later than this after the first. @default 3000 */
  readonly retryMs: number
  /** How long a host that refused a connection is not asked again. @default 2000 */
  readonly downMs: number
}

export const DEFAULT_TIMEOUTS: OriginTimeouts = {
  connectMs: 3000,
  headersMs: 3000,
  firstByteMs: 5000,
  stallMs: 10_000,
  documentMs: 5000,
  listMs: 20_000,
  tokenMs: 3000,
  retryMs: 3000,
  downMs: 2000
}
