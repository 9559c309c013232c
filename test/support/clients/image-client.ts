import { expect } from 'vitest'
import { filesOfImage, type ImageFiles } from '../image-files.ts'
import { platformImage } from '../platform-image.ts'
import type { TestImage } from '../image.ts'

/** What to pull, and from where. */
export interface PullTarget {
  /** `host:port` of the agent (or registry) that stands in for the registry. */
  readonly endpoint: string
  /** The registry that the image is named after, e.g. `reg.test`. */
  readonly registry: string
  readonly repository: string
  /** Tag or digest. */
  readonly reference: string
}

export interface PullOptions {
  /** @default 60_000 */
  readonly timeoutMs?: number
}

/** What a client holds after a pull, read from the client's own storage. */
export interface PulledImage {
  /** Digest of the config. */
  readonly config: string
  /** Digests of manifests under which the client knows it: that of the index, of the platform's manifest, or both. */
  readonly manifests: readonly string[]
  readonly files: ImageFiles
}

/** A real client. Every pull is a cold one: what was pulled before is gone. */
export interface ImageClient {
  readonly name: string
  /** @throws CommandError, or the gRPC error of a CRI pull */
  pull (target: PullTarget, options?: PullOptions): Promise<PulledImage>
  stop (): Promise<void>
}

/** Digests of references as engines list them, `["NAME@DIGEST", …]`. */
export function digestsOf (references: string): string[] {
  return (JSON.parse(references) as string[]).map(reference => reference.slice(reference.indexOf('@') + 1))
}

/** `repository:tag` or `repository@digest`. */
export function nameWithReference ({ repository, reference }: PullTarget): string {
  return reference.includes(':') ? `${repository}@${reference}` : `${repository}:${reference}`
}

/** The client holds this image: its config, which names the layers unpacked, one of its manifests, and the layers file by file. */
export async function expectImage (pulled: PulledImage, image: TestImage): Promise<void> {
  const { config, manifest } = platformImage(image)
  expect(pulled.config).toBe(config)
  expect(pulled.manifests.filter(digest => digest === image.index.digest || digest === manifest.digest)).not.toEqual([])
  expect(pulled.files).toEqual(await filesOfImage(image))
}
