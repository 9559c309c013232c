import { z } from 'zod'
import { amount, count, duration, mapping, moment, namesOf, positive, share } from './value-types.ts'

/** As docker and containerd do by default. */
const PARALLEL_LAYERS = 3

const from = moment().prefault('0').describe('The first hosts begin then.')

const arrival = z.discriminatedUnion('type', [
  mapping({ type: z.literal('at-once').describe('All together.'), from, within: moment().prefault('0').describe('Each at a random moment in so long.') }),
  mapping({ type: z.literal('uniform').describe('Evenly one after the other.'), from, over: duration().describe('From the first to the last.') }),
  mapping({ type: z.literal('poisson').describe('At random, so many a second on average.'), from, perSecond: positive().describe('Hosts a second.') }),
  mapping({ type: z.literal('waves').describe('Some at once, again and again.'), from, hosts: amount().describe('Of each wave: a number or a share.'), every: duration().describe('From one wave to the next.') }),
  mapping({ type: z.literal('rolling').describe('The next begins when one is done.'), from, maxUnavailable: amount().describe('Hosts that pull at a time: a number or a share.') })
], { error: ({ code }) => code === 'invalid_union' ? 'one of at-once, uniform, poisson, waves, rolling' : 'a mapping with type: at-once, uniform, poisson, waves or rolling' })

/** Who pulls what, and when. */
export const pullSchema = mapping({
  images: namesOf('images').optional().describe('Each host pulls all of these at once; without it all images.'),
  groups: namesOf('groups').optional().describe('Who pulls; without it all groups.'),
  share: share({ isSome: true }).prefault(1).describe('Of the hosts of these groups, so many pull.'),
  parallelLayers: count(1, 10_000).prefault(PARALLEL_LAYERS).describe('Layers that a host\'s engine fetches at a time: docker and containerd 3.'),
  arrival: arrival.prefault({ type: 'at-once' }).describe('When hosts begin; without it all at once.')
})

export type PullEntry = z.output<typeof pullSchema>
export type ArrivalEntry = PullEntry['arrival']
