import type { Platform } from '../../src/oci/manifest.ts'
import { ociError, type OciError } from '../../src/oci/oci-error.ts'
import { parseReference, type Reference } from '../../src/oci/reference.ts'

const PLATFORM = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9.]+))?$/
const ALL_PLATFORMS = 'all'
/** Where Node's name for an architecture is not Go's, which images use. */
const GO_ARCHITECTURES: Readonly<Partial<Record<NodeJS.Architecture, string>>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le', mipsel: 'mipsle' }

export interface ImageRequest {
  readonly reference: Reference
  /** Undefined: all of them. */
  readonly platform: Platform | undefined
}

/** What containers on this machine run: Linux, in a virtual machine where the machine itself is none. */
export function ownPlatform (architecture: NodeJS.Architecture = process.arch): Platform {
  return { os: 'linux', architecture: GO_ARCHITECTURES[architecture] ?? architecture }
}

/** Reads the body of `POST /api/v1/pull`, parsed. @throws OciError NAME_INVALID, TAG_INVALID, DIGEST_INVALID */
export function readPullRequest (body: unknown, { defaultRegistry }: { defaultRegistry: string }): ImageRequest {
  if (typeof body !== 'object' || body === null || !('reference' in body) || typeof body.reference !== 'string') {
    throw invalid('expected a JSON body {"reference": "NAME[:TAG|@DIGEST]", "platform": "OS/ARCH[/VARIANT]"}')
  }
  return {
    reference: parseReference(body.reference, { defaultRegistry }),
    platform: readPlatform('platform' in body ? body.platform : undefined)
  }
}

function readPlatform (value: unknown): Platform | undefined {
  if (value === undefined || value === null) return ownPlatform()
  if (value === ALL_PLATFORMS) return undefined
  const [, os, architecture, variant] = typeof value === 'string' ? PLATFORM.exec(value) ?? [] : []
  if (os === undefined || architecture === undefined) throw invalid(`platform ${JSON.stringify(value).slice(0, 100)}: expected OS/ARCH[/VARIANT], such as linux/arm64, or ${ALL_PLATFORMS}`)
  return { os, architecture, ...(variant === undefined ? {} : { variant }) }
}

function invalid (message: string): OciError {
  return ociError('NAME_INVALID', { message })
}
