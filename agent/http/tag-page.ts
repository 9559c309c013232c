import { ociError } from '../../src/oci/oci-error.ts'

/** Tags on one page, unless the client asks for fewer. */
const MAX_TAGS = 10_000
const NUMBER = /^[0-9]{1,15}$/

export interface TagPageRequest {
  /** Tags wanted. */
  readonly n?: string
  /** The page begins after this tag. */
  readonly last?: string
}

export interface TagPage {
  readonly tags: readonly string[]
  /** What the next page is asked with; undefined when this is the last. */
  readonly next?: { readonly n: string, readonly last: string }
}

/**
 * One page of a repository's tags: OCI distribution spec 1.1, "Listing Tags". In lexical order without regard to case,
 * as it asks; tags that differ in case alone stand in the order of their characters.
 * @throws OciError UNSUPPORTED (400) when `n` is no number
 */
export function pageOfTags (tags: readonly string[], { n, last }: TagPageRequest): TagPage {
  if (n !== undefined && !NUMBER.test(n)) throw ociError('UNSUPPORTED', { status: 400, message: `n is ${JSON.stringify(n.slice(0, 100))}: expected a number of tags, 0 or more` })
  const limit = Math.min(n === undefined ? MAX_TAGS : Number(n), MAX_TAGS)
  const after = last === undefined ? undefined : sortKey(last)
  const keys = tags.map(tag => ({ tag, key: sortKey(tag) })).filter(({ key }) => after === undefined || key > after)
  keys.sort((a, b) => a.key < b.key ? -1 : 1)
  const page = keys.slice(0, limit).map(({ tag }) => tag)
  const lastOfPage = page.at(-1)
  if (lastOfPage === undefined || page.length === keys.length) return { tags: page }
  return { tags: page, next: { n: String(limit), last: lastOfPage } }
}

/** A space sorts before all that a tag may contain, so that `a` still comes before `a-b`. */
function sortKey (tag: string): string {
  return `${tag.toLowerCase()} ${tag}`
}
