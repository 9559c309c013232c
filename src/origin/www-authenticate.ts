/** One challenge of a 401. The scheme and the parameters' names are lower case. */
export interface Challenge {
  readonly scheme: string
  readonly parameters: ReadonlyMap<string, string>
}

const MAX_HEADER_LENGTH = 8192
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const SEPARATORS = /[\s,]*/y
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y
const EQUALS = /\s*=\s*/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/y
const SPACES = /[ \t]+/y

/**
 * Reads `WWW-Authenticate`: RFC 9110, section 11.6.1. One header may hold several challenges and commas stand both
 * between challenges and between parameters, so the grammar is walked. What cannot be read ends the list: what was
 * read before it stays.
 */
export function parseChallenges (header: string | readonly string[] | undefined): Challenge[] {
  if (header === undefined) return []
  if (typeof header !== 'string') return header.flatMap(line => parseChallenges(line))
  const text = header.slice(0, MAX_HEADER_LENGTH)
  let position = 0
  /** Matches at the position and moves behind the match. */
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position
    const match = pattern.exec(text)
    if (match !== null) position = pattern.lastIndex
    return match
  }
  const takeParameter = (into: Map<string, string>): boolean => {
    const before = position
    const name = take(TOKEN)?.[0]
    if (name !== undefined && take(EQUALS) !== null) {
      const value = take(QUOTED)?.[1]?.replace(/\\(.)/g, '$1') ?? take(TOKEN)?.[0]
      if (value !== undefined) {
        if (!into.has(name.toLowerCase())) into.set(name.toLowerCase(), value)
        return true
      }
    }
    position = before
    return false
  }

  const challenges: Challenge[] = []
  take(SEPARATORS)
  while (position < text.length) {
    const scheme = take(TOKEN)?.[0]
    if (scheme === undefined) break
    const parameters = new Map<string, string>()
    if (take(SPACES) !== null && !takeParameter(parameters)) take(TOKEN68)
    for (;;) {
      const start = position
      take(SEPARATORS)
      if (position === start || !takeParameter(parameters)) break
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters })
  }
  return challenges
}
