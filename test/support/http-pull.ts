import { digestOf } from '../../src/oci/digest.ts'
import { errorCode, httpRead, type HttpAnswer } from './http-read.ts'
import { blobOf, platformImage } from './platform-image.ts'
import type { TestImage } from './image.ts'

export interface HttpPull {
  /** Base URL of the agent. */
  readonly agent: string
  readonly registry: string
  readonly repository: string
  readonly reference: string
  readonly image: TestImage
  /** For each request. @default 60_000 */
  readonly timeoutMs?: number
}

/** `right`: every byte is the image's. `not found`: one request was answered 404 with an OCI code, what came before was right. */
export type PullOutcome = 'right' | 'not found'

/** Pulls as a client without any patience or tricks would. @throws Error on anything else than the two outcomes, first of all a wrong byte */
export async function httpPull ({ agent, registry, repository, reference, image, timeoutMs }: HttpPull): Promise<PullOutcome> {
  const { manifest, config, layers } = platformImage(image)
  const contents = [
    { path: `manifests/${reference}`, expected: image.index.bytes },
    { path: `manifests/${manifest.digest}`, expected: manifest.bytes },
    ...[config, ...layers].map(digest => ({ path: `blobs/${digest}`, expected: blobOf(image, digest) }))
  ]
  for (const { path, expected } of contents) {
    const url = `${agent}/v2/${repository}/${path}?ns=${registry}`
    const answer = await httpRead(url, { timeoutMs })
    if (isCleanNotFound(answer)) return 'not found'
    assertRight(url, answer, expected)
  }
  return 'right'
}

function isCleanNotFound (answer: HttpAnswer): boolean {
  return answer.status === 404 && answer.isComplete && ['MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'NAME_UNKNOWN'].includes(errorCode(answer) ?? '')
}

function assertRight (url: string, { status, body, isComplete, durationMs }: HttpAnswer, expected: Uint8Array): void {
  if (status === 200 && isComplete && digestOf(body) === digestOf(expected)) return
  const told = body.length < 1_000 ? body.toString() : `${body.length} of ${expected.length} bytes`
  throw new Error(`${url}: ${status}, ${isComplete ? 'complete' : 'cut'} after ${Math.round(durationMs)} ms: ${told}`)
}
