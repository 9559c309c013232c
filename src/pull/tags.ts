import { ShoalError } from '../errors.ts'
import type { EventSink } from '../events.ts'
import { ociError } from '../oci/oci-error.ts'
import { repositoryKey, type Repository } from '../oci/repository.ts'
import type { Digest } from '../oci/digest.ts'
import type { Origin } from '../origin/origin.ts'
import type { Store, TagRecord } from '../store/store.ts'
import type { OriginRecord } from './origin-record.ts'
import { SharedWork } from '../shared-work.ts'

/** How long an origin's word on a tag is taken without asking again, in milliseconds. */
const DEFAULT_TAG_TTL_MS = 30_000

export interface TagsComponents {
  readonly store: Store
  readonly origin: Origin
  readonly events: EventSink
  readonly now: () => number
  /** Told how the origin answers. */
  readonly record?: OriginRecord
}

export interface TagsInit {
  /** How long an origin's word on a tag is taken without asking again, in milliseconds. @default 30000 */
  readonly ttlMs?: number
}

export interface ResolvedTag {
  readonly digest: Digest
  readonly mediaType: string
  /** Bytes of the manifest. */
  readonly size: number
  /** The origin could not be asked; this is what it said at `resolvedAt`. */
  readonly isStale: boolean
  /** Milliseconds since the epoch. */
  readonly resolvedAt: number
  /** Why the origin could not be asked, when stale. */
  readonly reason?: string
}

/**
 * Tags: the origin's word, remembered for a short time; without it, what it said before, marked stale. A peer's word
 * for a tag is never taken.
 */
export class Tags {
  readonly #components: TagsComponents
  readonly #ttlMs: number
  readonly #work = new SharedWork<ResolvedTag>()

  constructor (components: TagsComponents, init: TagsInit = {}) {
    this.#components = components
    this.#ttlMs = init.ttlMs ?? DEFAULT_TAG_TTL_MS
  }

  /** @throws OciError MANIFEST_UNKNOWN when the origin knows no such tag, or cannot be asked and never was */
  async resolve (repository: Repository, tag: string, { signal }: { signal?: AbortSignal } = {}): Promise<ResolvedTag> {
    const { store, events, now } = this.#components
    const key = repositoryKey(repository)
    const known = await store.links.tag(key, tag)
    if (known !== undefined && isFresh(known, now(), this.#ttlMs)) return { ...known, isStale: false }
    const resolved = await this.#work.join(`${key}:${tag}`, async signal => this.#ask(repository, tag, known, signal), { signal })
    events.emit({ type: 'tag:resolved', repository: key, tag, digest: resolved.digest, stale: resolved.isStale })
    return resolved
  }

  async #ask (repository: Repository, tag: string, known: TagRecord | undefined, signal: AbortSignal): Promise<ResolvedTag> {
    const { store, origin, now } = this.#components
    const key = repositoryKey(repository)
    const askedAt = now()
    let record: TagRecord
    try {
      const { digest, mediaType, size, access } = await origin.resolve(repository, tag, { signal })
      this.#components.record?.answered(repository, { access, tookMs: now() - askedAt })
      record = { digest, mediaType, size, resolvedAt: now() }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof ShoalError)) throw error
      if (error.code === 'ORIGIN_NOT_FOUND') await store.links.removeTag(key, tag)
      if (isFinal(error) || known === undefined) {
        throw ociError('MANIFEST_UNKNOWN', { message: `${key}:${tag} is unknown: ${error.message}`, detail: { repository: key, tag, reason: error.code }, cause: error })
      }
      return { ...known, isStale: true, reason: error.message }
    }
    await this.#remember(key, tag, record)
    return { ...record, isStale: false }
  }

  /** A store that cannot remember the tag, being full perhaps, does not make the answer wrong. */
  async #remember (key: string, tag: string, record: TagRecord): Promise<void> {
    try {
      await this.#components.store.links.setTag(key, tag, record)
    } catch (error) {
      if (!(error instanceof ShoalError)) throw error
    }
  }
}

/** Also false when the clock was set back: a record from the future must not stay fresh. */
function isFresh (record: TagRecord, nowMs: number, ttlMs: number): boolean {
  const ageMs = nowMs - record.resolvedAt
  return ageMs >= 0 && ageMs < ttlMs
}

/** The origin has spoken: what it said before no longer counts. */
function isFinal (error: ShoalError): boolean {
  return error.code === 'ORIGIN_NOT_FOUND' || error.code === 'ORIGIN_DENIED' || error.code === 'ORIGIN_FORBIDDEN'
}
