import { shownValue } from '../../src/values/shown-value.ts'
import { assembleFaults, assemblePulls } from './event-assembly.ts'
import { groupOfFigure } from './expectation.ts'
import { assembleGroups, assemblePaths } from './group-assembly.ts'
import { assembleImages } from './image-assembly.ts'
import { Names } from './names.ts'
import { scaleGroups } from './scale.ts'
import { MAX_HOSTS } from './value-types.ts'
import type { AgentSpec, HostGroup, OriginSpec, Scenario } from '../scenario.ts'
import type { Problem } from './problem.ts'
import type { ScenarioFile } from './schema.ts'

/** A scenario whose parts know each other, where there are no problems; whether it can be run at all nobody has asked yet. */
export interface Assembled {
  readonly scenario: Scenario
  readonly problems: readonly Problem[]
}

export interface AssemblyInit {
  /** Of a scenario whose file gives it none. */
  readonly name: string
  /** How many there are in all, in place of what the groups say. */
  readonly hosts: string | undefined
}

/** The scenario of a file: names looked up, repeated things one by one, shares counted. */
export function assembleScenario (file: ScenarioFile, init: AssemblyInit): Assembled {
  const problems: Problem[] = []
  const imageNames = new Names('image', problems)
  const groupNames = new Names('group', problems)
  const images = assembleImages(file.images, imageNames, problems)
  const groups = scaled(assembleGroups(file.groups, groupNames, { images, imageNames, media: file.media }, problems), init.hosts, problems)
  for (const [index, { figure }] of file.expect.entries()) {
    const group = groupOfFigure(figure)
    const meant = group === undefined ? undefined : groupNames.meaning(group, ['expect', index])[0]
    if (group !== undefined && meant !== undefined && meant !== group) {
      problems.push({ path: ['expect', index], text: `there is no group "${group}" by itself; expected one of ${group}-1, ${group}-2 and so on` })
    }
  }
  const scenario = {
    name: file.name ?? init.name,
    description: file.description.trim(),
    seed: file.seed,
    limitMs: file.limit,
    groups,
    paths: assemblePaths(file, groupNames, problems),
    media: Object.entries(file.media).map(([name, { rate }]) => ({ name, rate })),
    origin: originOf(file.origin),
    images,
    pulls: assemblePulls(file.pulls, groups, groupNames, imageNames, problems),
    faults: assembleFaults(file.faults, groups, groupNames),
    agent: agentOf(file.agent),
    discovery: { neighbours: file.discovery.neighbours, dhtHops: file.discovery.dhtHops, hopMs: file.discovery.hop },
    expect: file.expect
  }
  return { scenario, problems }
}

function scaled (groups: readonly HostGroup[], hosts: string | undefined, problems: Problem[]): readonly HostGroup[] {
  if (hosts === undefined) return groups
  const wanted = /^\d{1,9}$/.test(hosts) ? Number(hosts) : NaN
  if (wanted >= groups.length && wanted <= MAX_HOSTS) return scaleGroups(groups, wanted)
  problems.push({ path: ['hosts'], text: `${shownValue(hosts)} is not allowed; expected a whole number from ${groups.length}, one for each group, to ${MAX_HOSTS}` })
  return groups
}

function originOf (origin: ScenarioFile['origin']): OriginSpec | undefined {
  return origin === undefined
    ? undefined
    : {
        up: origin.up,
        latencyMs: origin.latency,
        hasRanges: origin.ranges,
        outages: origin.outages.map(outage => ({ fromMs: outage.at, toMs: outage.at + (outage.for ?? Infinity) })),
        rejectShare: origin.reject,
        retryAfterMs: origin.retryAfter
      }
}

function agentOf (agent: ScenarioFile['agent']): AgentSpec {
  return {
    originPolicy: agent.originPolicy,
    maxMembers: agent.maxMembers,
    originConcurrency: agent.originConcurrency,
    uploadSlots: agent.uploadSlots,
    uploadLimit: agent.uploadLimit ?? Infinity,
    downloadLimit: agent.downloadLimit ?? Infinity,
    isKeyed: agent.keyed
  }
}
