import { z } from 'zod'
import { amount, duration, mapping, moment, namesOf, share } from './value-types.ts'

const AT = 'a time such as 30s, or two with an end after the start, such as [10s, 30s]'

const at = z.union([moment(), z.tuple([moment(), moment()], { error: AT }).refine(([start, end]) => start <= end, { error: AT })], { error: AT })
  .transform(given => typeof given === 'number' ? { fromMs: given, untilMs: given } : { fromMs: given[0], untilMs: given[1] })
const when = at.describe('When it begins; of two times, [10s, 30s], each host draws its own between them.')
const groups = namesOf('groups').optional().describe('Whose hosts it may hit; without it those of all groups.')
const hosts = amount().describe('How many hosts, chosen by the seed: a number or a share. A host has one fault at the most.')
const lasts = duration().optional().describe('How long it lasts; without it to the end.')

/** What goes wrong. */
export const faultSchema = z.discriminatedUnion('type', [
  mapping({ type: z.literal('kill').describe('The agent dies for good.'), groups, hosts, at: when }),
  mapping({ type: z.literal('restart').describe('The agent dies and comes back with what it had.'), groups, hosts, at: when, for: duration().describe('Until it is back.') }),
  mapping({ type: z.literal('slow').describe('The host\'s links are slow.'), groups, hosts, at: when.prefault('0'), for: lasts, to: share({ isSome: true, isPart: true }).describe('The part of its rates that remains.') }),
  mapping({ type: z.literal('stall').describe('The agent answers nothing more, and does not close either.'), groups, hosts, at: when, for: lasts }),
  mapping({ type: z.literal('lie').describe('The agent sends wrong bytes, from the start to the end.'), groups, hosts }),
  mapping({ type: z.literal('partition').describe('Groups are cut off from all others and from the origin.'), groups: namesOf('groups').describe('Who is cut off; within them all reach each other.'), at: when.prefault('0'), for: lasts }),
  mapping({ type: z.literal('dht-loss').describe('Lookups in the DHT fail.'), at: when.prefault('0'), for: lasts, share: share({ isSome: true }).prefault(1).describe('Of lookups.') })
], { error: ({ code }) => code === 'invalid_union' ? 'one of kill, restart, slow, stall, lie, partition, dht-loss' : 'a mapping with type: kill, restart, slow, stall, lie, partition or dht-loss' })

export type FaultEntry = z.output<typeof faultSchema>
