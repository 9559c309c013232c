/** The known name a mistyped one most likely meant; undefined when none is near. Case and punctuation count for little. */
export function nearestName (name: string, known: Iterable<string>): string | undefined {
  const plainName = plain(name)
  let nearest: string | undefined
  let nearestDistance = Math.max(2, Math.floor(plainName.length / 3)) + 1
  for (const candidate of known) {
    const plainCandidate = plain(candidate)
    const distance = plainCandidate.length > 3 && plainName.length > 3 && (plainCandidate.startsWith(plainName) || plainName.startsWith(plainCandidate))
      ? 1
      : editDistance(plainName, plainCandidate)
    if (distance < nearestDistance) {
      nearest = candidate
      nearestDistance = distance
    }
  }
  return nearest
}

function plain (name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** Levenshtein distance. */
function editDistance (from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
