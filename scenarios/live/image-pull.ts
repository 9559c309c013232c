import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request, type Dispatcher } from 'undici'
import { ShoalError } from '../../src/errors.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { inTurns } from './in-turns.ts'
import { ContentCheck } from './layer-content.ts'
import type { PushedImage, PushedLayer } from './image-push.ts'

/** What was cut, as by an agent that died, is asked for again so soon. */
const RETRY_MS = 500
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'

/** The agent has answered something else than what was wanted. */
export class PullRefusedError extends ShoalError {
  override readonly code = 'PULL_REFUSED'
}

export interface ImagePullInit {
  /** Of the agent's HTTP listener. */
  readonly agentUrl: string
  /** As the agent knows the images: `<registry>/<repository>`. */
  readonly name: string
  readonly images: readonly PushedImage[]
  /** Those that the engine lacks. */
  readonly layers: readonly PushedLayer[]
  /** Layers fetched at a time. */
  readonly parallelLayers: number
  /** Bytes that were given and are not those that they should be. */
  readonly onWrong: (bytes: number) => void
  /** Ends it. */
  readonly signal: AbortSignal
}

/**
 * Pulls images as a container engine does, by the registry's HTTP API: manifests, configs, layers. Each byte is compared with what was
 * pushed under its digest, so wrong bytes of an answer that was cut count too. What breaks off is asked for again until
 * the signal ends it.
 *
 * @throws PullRefusedError when the agent answers with an error or with wrong content
 */
export async function pullImages ({ agentUrl, name, images, layers, parallelLayers, onWrong, signal }: ImagePullInit): Promise<void> {
  // No deadlines of its own: the agent has one for each of its waits.
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
  try {
    const ask = { agentUrl, name, dispatcher, signal }
    const configs = await Promise.all(images.map(async image => again(signal, async () => manifestOf(ask, image))))
    await Promise.all(configs.map(async config => again(signal, async () => { await contentOf(ask, 'blobs', config) })))
    await inTurns(layers, parallelLayers, async layer => again(signal, async () => readLayer(ask, layer, onWrong)))
  } finally {
    await dispatcher.destroy()
  }
}

interface Ask {
  readonly agentUrl: string
  readonly name: string
  readonly dispatcher: Dispatcher
  readonly signal: AbortSignal
}

async function again<T> (signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (signal.aborted || error instanceof PullRefusedError) throw error
      await delay(RETRY_MS, undefined, { signal })
    }
  }
}

/** @returns the digest of its config */
async function manifestOf (ask: Ask, { digest }: PushedImage): Promise<Digest> {
  const bytes = await contentOf(ask, 'manifests', digest)
  return (JSON.parse(bytes.toString()) as { config: { digest: Digest } }).config.digest
}

/** Small content, whole. */
async function contentOf (ask: Ask, kind: 'manifests' | 'blobs', digest: Digest): Promise<Buffer> {
  const bytes = Buffer.from(await (await open(ask, kind, digest)).arrayBuffer())
  const actual = digestOf(bytes)
  if (actual !== digest) throw new PullRefusedError(`was given ${actual} in place of ${digest}`)
  return bytes
}

async function readLayer (ask: Ask, { digest, seed, bytes, name }: PushedLayer, onWrong: (bytes: number) => void): Promise<void> {
  const check = new ContentCheck(seed, bytes)
  let isWrong = false
  for await (const chunk of await open(ask, 'blobs', digest) as AsyncIterable<Buffer>) {
    const wrong = check.push(chunk)
    if (wrong > 0) {
      isWrong = true
      onWrong(wrong)
    }
  }
  if (!check.isWhole) throw new Error(`the answer for ${name} ended before its end`)
  if (isWrong) throw new PullRefusedError(`was given wrong bytes of ${name}`)
}

async function open ({ agentUrl, name, dispatcher, signal }: Ask, kind: 'manifests' | 'blobs', digest: Digest): Promise<Dispatcher.ResponseData['body']> {
  const { statusCode, body } = await request(`${agentUrl}/v2/${name}/${kind}/${digest}`, { dispatcher, signal, headers: { accept: MANIFEST_TYPE } })
  if (statusCode === 200) return body
  throw new PullRefusedError(`${kind} ${digest}: ${statusCode} ${await body.text()}`)
}
