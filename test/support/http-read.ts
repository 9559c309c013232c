import { createHash } from 'node:crypto'
import { digestAlgorithm, finishDigest, type Digest } from '../../src/oci/digest.ts'

const DEFAULT_TIMEOUT_MS = 60_000
/** Every type that a manifest may have; registries convert where a client does not list them. */
const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json', 'application/vnd.docker.distribution.manifest.v2+json'
].join(', ')

/** An answer as far as it came. */
export interface HttpAnswer {
  /** 0: no answer at all. */
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
  /** Whether the body came to its end. */
  readonly isComplete: boolean
  readonly durationMs: number
}

export interface HttpReadOptions {
  readonly method?: 'GET' | 'HEAD'
  readonly headers?: Readonly<Record<string, string>>
  /** @default 60_000 */
  readonly timeoutMs?: number
}

/** Reads a URL to the end of what it gives; a cut is told, not thrown. */
export async function httpRead (url: string, { method = 'GET', headers = {}, timeoutMs = DEFAULT_TIMEOUT_MS }: HttpReadOptions = {}): Promise<HttpAnswer> {
  const started = performance.now()
  const chunks: Uint8Array[] = []
  let status = 0
  let answered = new Headers()
  let isComplete = false
  try {
    const response = await fetch(url, { method, headers: { accept: MANIFEST_TYPES, ...headers }, signal: AbortSignal.timeout(timeoutMs) })
    status = response.status
    answered = response.headers
    for await (const chunk of chunksOf(response)) chunks.push(chunk)
    isComplete = true
  } catch {
    // what came until then is the answer
  }
  return { status, headers: answered, body: Buffer.concat(chunks), isComplete, durationMs: performance.now() - started }
}

/** Reads content by digest and keeps none of it. @throws Error when it is not whole and right */
export async function readVerified (url: string, digest: Digest, { headers = {}, timeoutMs = DEFAULT_TIMEOUT_MS }: HttpReadOptions = {}): Promise<void> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) })
  const hash = createHash(digestAlgorithm(digest))
  for await (const chunk of chunksOf(response)) hash.update(chunk)
  if (response.status !== 200) throw new Error(`${url}: ${response.status}`)
  const found = finishDigest(hash, digestAlgorithm(digest))
  if (found !== digest) throw new Error(`${url}: ${found} instead of ${digest}`)
}

/** The code of an OCI error body, e.g. `BLOB_UNKNOWN`; undefined when it is none. */
export function errorCode (answer: HttpAnswer): string | undefined {
  try {
    return (JSON.parse(answer.body.toString()) as { errors?: Array<{ code?: string }> }).errors?.[0]?.code
  } catch {
    return undefined
  }
}

function chunksOf (response: Response): AsyncIterable<Uint8Array> {
  return response.body ?? (async function * () {})()
}
