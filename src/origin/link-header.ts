const LINK = /<([^<>]*)>((?:\s*;\s*[a-z*]+\s*=\s*(?:"[^"]*"|[^\s",;]+))*)/gi
const NEXT = /;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?=\s|;|$))/i

/** Target of the first link with `rel=next`: RFC 8288, section 3. */
export function nextLink (header: string | undefined): string | undefined {
  for (const [, target, parameters] of (header ?? '').slice(0, 8192).matchAll(LINK)) {
    if (NEXT.test(parameters ?? '')) return target
  }
  return undefined
}
