import type { HostGroup } from '../scenario.ts'

/** The same groups with so many hosts in all, in proportion, each with one at least. @param hosts - as many as there are groups, or more */
export function scaleGroups (groups: readonly HostGroup[], hosts: number): HostGroup[] {
  const before = groups.reduce((sum, { count }) => sum + count, 0)
  const exact = groups.map(({ count }) => count * hosts / before)
  const counts = exact.map(count => Math.max(1, Math.floor(count)))
  // who is furthest from its part gets the next one, or gives one back where many small groups had to have one
  for (let missing = hosts - counts.reduce((sum, count) => sum + count, 0); missing !== 0; missing -= Math.sign(missing)) {
    const step = Math.sign(missing)
    const lacks = counts.map((count, index) => step < 0 && count === 1 ? -Infinity : ((exact[index] ?? 0) - count) * step)
    const furthest = lacks.indexOf(Math.max(...lacks))
    counts[furthest] = (counts[furthest] ?? 0) + step
  }
  return groups.map((group, index) => ({ ...group, count: counts[index] ?? group.count }))
}
