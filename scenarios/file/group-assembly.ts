import { nearestOf } from './problem.ts'
import type { GroupPath, HoldingSpec, HostGroup, ImageSpec } from '../scenario.ts'
import type { GroupEntry } from './group-schema.ts'
import type { Names } from './names.ts'
import type { Problem } from './problem.ts'
import type { ScenarioFile } from './schema.ts'

/** What groups may refer to. */
interface Known {
  readonly images: readonly ImageSpec[]
  readonly imageNames: Names
  readonly media: Readonly<Record<string, unknown>>
}

/** The groups of a file, repeated ones one by one. */
export function assembleGroups (entries: ScenarioFile['groups'], names: Names, known: Known, problems: Problem[]): HostGroup[] {
  return Object.entries(entries).flatMap(([name, entry]) => {
    const path = ['groups', name]
    if (name === 'origin') problems.push({ path, ofKey: true, text: 'is not allowed as the name of a group; expected another, as paths lead to the origin by that name' })
    if (entry.medium !== undefined && !Object.hasOwn(known.media, entry.medium)) {
      problems.push({ path: [...path, 'medium'], text: `there is no medium "${entry.medium}"; ${nearestOf(entry.medium, Object.keys(known.media))}` })
    }
    const holds = holdings(entry, known, path, problems)
    return names.add(name, entry.repeat, path).map((own, index) => groupOf(own, entry, holds, entry.repeat === undefined ? '' : `-${index + 1}`))
  })
}

function groupOf (name: string, entry: GroupEntry, holds: readonly HoldingSpec[], suffix: string): HostGroup {
  return {
    name,
    count: entry.count,
    up: entry.up,
    down: entry.down,
    latencyMs: entry.latency,
    loss: entry.loss,
    zone: entry.zone === undefined ? undefined : `${entry.zone}${suffix}`,
    medium: entry.medium,
    isLeech: entry.leech,
    churn: entry.churn === undefined ? undefined : { meanUpMs: entry.churn.stay, meanDownMs: entry.churn.away ?? Infinity },
    holds
  }
}

function holdings ({ holds }: GroupEntry, { images, imageNames }: Known, path: readonly PropertyKey[], problems: Problem[]): HoldingSpec[] {
  return holds.flatMap((holding, index) => {
    const at = [...path, 'holds', index]
    const { image, layers, share } = typeof holding === 'string' ? { image: holding, layers: undefined, share: 1 } : holding
    return imageNames.meaning(image, typeof holding === 'string' ? at : [...at, 'image']).map((own): HoldingSpec => {
      const there = images.find(({ name }) => name === own)?.layers.map(({ name }) => name) ?? []
      for (const [layerIndex, layer] of (layers ?? []).entries()) {
        if (!there.includes(layer)) problems.push({ path: [...at, 'layers', layerIndex], text: `there is no layer "${layer}" in the image ${own}; ${nearestOf(layer, there)}` })
      }
      return { image: own, layers, share }
    })
  })
}

/** What lies between groups: their uplinks and the paths of the file. */
export function assemblePaths (file: ScenarioFile, names: Names, problems: Problem[]): GroupPath[] {
  const uplinks = Object.entries(file.groups).flatMap(([name, { uplink }]) => uplink === undefined
    ? []
    : names.meaning(name, []).map(from => ({ path: ['groups', name, 'uplink'], spec: pathOf(from, undefined, uplink) })))
  const paths = file.paths.flatMap(({ from, to, ...link }, index) => names.meaning(from, ['paths', index, 'from']).flatMap(own => {
    const ends = to === undefined || to === 'origin' ? [to] : names.meaning(to, ['paths', index, 'to'])
    return ends.map(end => ({ path: ['paths', index], spec: pathOf(own, end, link) }))
  }))
  const seen = new Set<string>()
  for (const { path, spec: { from, to } } of [...uplinks, ...paths]) {
    if (from === to) problems.push({ path, text: `leads from ${from} to itself; expected another group` })
    const ends = to === undefined ? `${from} to all others` : [from, to].sort().join(' and ')
    if (seen.has(ends)) problems.push({ path, text: `is the second of ${ends}; expected one, as both ways are in it` })
    seen.add(ends)
  }
  return [...uplinks, ...paths].map(({ spec }) => spec)
}

function pathOf (from: string, to: string | undefined, link: { readonly up?: number | undefined, readonly down?: number | undefined, readonly latency: number }): GroupPath {
  return { from, to, up: link.up ?? Infinity, down: link.down ?? Infinity, latencyMs: link.latency }
}
