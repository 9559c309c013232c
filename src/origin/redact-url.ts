const UNREADABLE = '(unreadable URL)'

/** A URL for messages and logs: without query (signatures, tokens), fragment and userinfo. */
export function redactUrl (url: string | URL): string {
  const parsed = typeof url === 'string' ? URL.parse(url) : url
  if (parsed === null) return UNREADABLE
  const query = parsed.search === '' ? '' : '?…'
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}${query}`
}
