import { MAX_MANIFEST_BYTES } from '../oci/manifest.ts'
import { MEDIA_TYPES } from '../oci/media-types.ts'
import { isTag } from '../oci/reference.ts'
import type { Digest } from '../oci/digest.ts'
import { withDeadline } from './deadline.ts'
import { nextLink } from './link-header.ts'
import { OriginError } from './origin-error.ts'
import type { OriginTimeouts } from './origin-timeouts.ts'
import type { RegistryAnswer, RegistryClient, RegistryRequest } from './registry-client.ts'

const MAX_PAGES = 200
const MAX_TAGS_BYTES = 16 * 1024 * 1024
const MAX_REFERRERS_BYTES = MAX_MANIFEST_BYTES
const utf8 = new TextDecoder()

interface Listing {
  readonly registry: string
  readonly repository: string
  readonly path: string
  readonly accept: string
  readonly maxBytes: number
}

/** All tags in the order of their characters: OCI distribution spec 1.1, "Listing Tags". */
export async function listTags (client: RegistryClient, registry: string, repository: string, timeouts: OriginTimeouts, signal: AbortSignal | undefined): Promise<string[]> {
  const tags = new Set<string>()
  const listing = { registry, repository, path: 'tags/list', accept: 'application/json', maxBytes: MAX_TAGS_BYTES }
  for (const document of await readPages(client, listing, timeouts, signal)) {
    // docker-registry writes null for none.
    const page = document['tags'] ?? []
    if (!Array.isArray(page)) throw new OriginError('ORIGIN_INVALID', `tags of ${repository}: \`tags\` is not an array`, { registry })
    for (const tag of page) if (typeof tag === 'string' && isTag(tag)) tags.add(tag)
  }
  return [...tags].sort()
}

/** The index of referrers, its pages put together: OCI distribution spec 1.1, "Listing Referrers". */
export async function readReferrers (client: RegistryClient, registry: string, repository: string, digest: Digest, timeouts: OriginTimeouts, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const listing = { registry, repository, path: `referrers/${digest}`, accept: MEDIA_TYPES.ociIndex, maxBytes: MAX_REFERRERS_BYTES }
  const [first, ...others] = await readPages(client, listing, timeouts, signal)
  const manifests: unknown[] = []
  for (const { manifests: page } of [first ?? {}, ...others]) {
    if (!Array.isArray(page)) throw new OriginError('ORIGIN_INVALID', `referrers of ${repository}: \`manifests\` is not an array`, { registry })
    manifests.push(...(page as unknown[]))
  }
  return new TextEncoder().encode(JSON.stringify({ ...first, manifests }))
}

/** Follows `Link: rel=next` at the same registry. @throws OriginError, or the signal's reason */
async function readPages (client: RegistryClient, listing: Listing, { listMs, documentMs, headersMs }: OriginTimeouts, signal: AbortSignal | undefined): Promise<Array<Readonly<Record<string, unknown>>>> {
  const { registry, repository, path, accept, maxBytes } = listing
  const documents: Array<Readonly<Record<string, unknown>>> = []
  return withDeadline('list', listMs, signal, async whole => {
    let query: string | undefined = ''
    let leftBytes = maxBytes
    while (query !== undefined) {
      if (documents.length === MAX_PAGES) throw new OriginError('ORIGIN_INVALID', `${path} of ${repository}: more than ${MAX_PAGES} pages`, { registry })
      const page: Omit<RegistryRequest, 'signal'> = { method: 'GET', repository, path, query, accept, firstByteMs: headersMs, limitBytes: leftBytes }
      const answer: RegistryAnswer = await withDeadline('page', documentMs, whole, own => client.request({ ...page, signal: own }))
      if (answer.status !== 200) throw client.errorOf({ ...page, signal: whole }, answer)
      leftBytes -= answer.bytes.length
      documents.push(parse(answer.bytes, listing))
      query = nextQuery(client, listing, answer)
    }
    return documents
  })
}

/** Only the query is taken from the link: the path and the registry stay ours. */
function nextQuery (client: RegistryClient, { registry, repository, path }: Listing, answer: RegistryAnswer): string | undefined {
  const link = nextLink(answer.headers.get('link'))
  if (link === undefined) return undefined
  const url = client.urlOf(repository, path)
  const next = URL.parse(link, url.href)
  if (next?.origin !== url.origin) throw new OriginError('ORIGIN_INVALID', `${path} of ${repository}: its next page is at another host`, { registry })
  return next.search
}

function parse (bytes: Uint8Array, { registry, repository, path }: Listing): Readonly<Record<string, unknown>> {
  try {
    const document: unknown = JSON.parse(utf8.decode(bytes))
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document as Record<string, unknown>
  } catch {}
  throw new OriginError('ORIGIN_INVALID', `${path} of ${repository}: not a JSON object`, { registry })
}
