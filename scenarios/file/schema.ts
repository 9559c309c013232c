import { z } from 'zod'
import { expectationSchema } from './expectation.ts'
import { faultSchema } from './fault-schema.ts'
import { groupSchema } from './group-schema.ts'
import { imageSchema } from './image-schema.ts'
import { pullSchema } from './pull-schema.ts'
import { count, duration, flag, list, mapping, moment, name, rate, share } from './value-types.ts'

const pathEntry = mapping({
  from: z.string({ error: 'the name of one of the groups' }).describe('Name of a group.'),
  to: z.string({ error: 'the name of one of the groups, or origin' }).optional().describe('Name of another group, or origin; without it all others and the origin.'),
  up: rate('a partition among the faults cuts a way').optional().describe('All that goes that way together; without it there is no limit.'),
  down: rate('a partition among the faults cuts a way').optional().describe('All that comes back together; without it there is no limit.'),
  latency: moment().prefault('0').describe('One way, in addition to that of the hosts.')
})

const origin = mapping({
  up: rate('leave out origin where there is no registry').describe('What it sends at the most, to all together.'),
  latency: moment().prefault('0.2ms').describe('One way from the middle of the network.'),
  ranges: flag().prefault(true).describe('Whether it answers requests for a part of a blob.'),
  outages: list('outages', mapping({
    at: moment().describe('When it begins.'),
    for: duration().optional().describe('How long it lasts; without it to the end.')
  })).prefault([]).describe('Times in which it can\'t be reached.'),
  reject: share({ isPart: true }).prefault(0).describe('Of requests, answered by 429.'),
  retryAfter: duration().prefault('1s').describe('What a 429 says to wait.')
})

const agent = mapping({
  originPolicy: z.enum(['frugal', 'balanced', 'fast', 'never'], { error: 'one of frugal, balanced, fast, never' }).prefault('balanced').describe('When the registry is asked: originPolicy of the agent.'),
  maxMembers: count(4, 256).prefault(32).describe('Members that an agent exchanges pieces of one blob with at a time.'),
  originConcurrency: count(1, 64).prefault(4).describe('Requests of one agent to the registry at a time.'),
  uploadSlots: count(1, 256).prefault(6).describe('Pieces that one agent sends at a time; a third more of pieces of 1 MiB, two thirds of larger ones.'),
  uploadLimit: rate('leave it out for no limit').optional().describe('What one agent sends at the most; without it there is no limit.'),
  downloadLimit: rate('leave it out for no limit').optional().describe('What one agent takes at the most; without it there is no limit.'),
  keyed: flag().prefault(false).describe('Whether all have one swarm key, so that all are trusted.')
})

const discovery = mapping({
  neighbours: count(0).prefault(20).describe('Agents, of all that run, to which each has a connection before the run.'),
  dhtHops: count(0, 100).prefault(3).describe('Agents that a lookup in the DHT asks one after the other.'),
  hop: moment().prefault('5ms').describe('What an agent that is asked needs besides the way.')
})

/** The one place where a key of a scenario file is defined: what is allowed, defaults and the schema for editors follow from it. */
export const scenarioFileSchema = mapping({
  name: name().optional().describe('How the scenario is called; without it as its file.'),
  description: z.string({ error: 'a text' }).prefault('').describe('What it rehearses, in a sentence or two for the report.'),
  seed: z.int({ error: 'a whole number from 0 to 4294967295' }).min(0, { error: 'a whole number from 0 to 4294967295' }).max(2 ** 32 - 1, { error: 'a whole number from 0 to 4294967295' }).prefault(1).describe('All that is random follows from it.'),
  limit: duration().prefault('1h').describe('The run ends then at the latest.'),
  groups: z.record(name(), groupSchema, { error: 'a mapping of names to groups of hosts' }).refine(groups => Object.keys(groups).length > 0, { error: 'at least one group' }).describe('Hosts that are alike, by name: a rack, a zone, a kind of laptop.'),
  paths: list('paths', pathEntry).prefault([]).describe('What lies between groups; groups without a path meet in a network that is never the limit.'),
  media: z.record(name(), mapping({ rate: rate().describe('What all hosts on it send and take together.') }), { error: 'a mapping of names to shared media' }).prefault({}).describe('Shared media, such as the air of a Wi-Fi cell: a transfer between two hosts on one takes its time twice.'),
  origin: origin.optional().describe('The registry; without it there is none.'),
  images: z.record(name(), imageSchema, { error: 'a mapping of names to images' }).refine(images => Object.keys(images).length > 0, { error: 'at least one image' }).describe('Images by name: lists of the sizes of their layers, or mappings with repeat, from and layers.'),
  pulls: list('pulls', pullSchema).min(1, { error: 'a list of pulls, at least one' }).prefault([{}]).describe('Who pulls what, and when; without it all hosts pull all images at once.'),
  faults: list('faults', faultSchema).prefault([]).describe('What goes wrong.'),
  agent: agent.prefault({}).describe('How the agents are configured; what is left out is as the agent has it by default.'),
  discovery: discovery.prefault({}).describe('How agents find each other.'),
  expect: list('expectations', expectationSchema).prefault([]).describe('What must hold in the end, such as "completion.p99 <= 1.2 x bound".')
})

/** A scenario file as it was written, with defaults and with values in their units, but not yet checked as a whole. */
export type ScenarioFile = z.output<typeof scenarioFileSchema>
