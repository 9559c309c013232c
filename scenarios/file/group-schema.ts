import { z } from 'zod'
import { count, duration, flag, list, mapping, moment, name, namesOf, rate, rateOrZero, share, zone } from './value-types.ts'

const MAX_REPEAT = 1000

const churn = mapping({
  stay: duration().describe('How long a host stays, on average.'),
  away: duration().optional().describe('How long it is away then, on average; without it, it never comes back.')
}).describe('Hosts leave and come back at random; what they have fetched they keep.')

const uplink = mapping({
  up: rate('leave it out where the way has no limit').optional().describe('All that the group sends to others together; without it there is no limit.'),
  down: rate('leave it out where the way has no limit').optional().describe('All that the group takes from others together; without it there is no limit.'),
  latency: moment().prefault('0').describe('One way, in addition to that of the hosts.')
}).describe('The one way from the group to all others and to the origin.')

const holding = z.union([
  z.string(),
  mapping({
    image: z.string({ error: 'the name of one of the images' }).describe('Name of an image.'),
    layers: namesOf('layers').optional().describe('Layers of it; without it all of them. Layers without a name are called IMAGE/1, IMAGE/2 and so on.'),
    share: share({ isSome: true }).prefault(1).describe('Of the hosts of the group, so many hold it.')
  })
], { error: 'the name of an image, or a mapping with image, layers and share' })

/** Hosts that are alike. */
export const groupSchema = mapping({
  count: count(1).describe('Hosts.'),
  repeat: count(1, MAX_REPEAT).optional().describe('So many groups like this, called NAME-1, NAME-2 and so on, each with so many hosts, its own uplink and a zone of its own. NAME means all of them.'),
  up: rateOrZero().describe('What one host sends at the most.'),
  down: rateOrZero().describe('What one host takes at the most.'),
  latency: moment().prefault('0.2ms').describe('One way from a host to the middle of the network: two hosts of the group are twice as far from each other.'),
  loss: share({ isPart: true }).prefault(0).describe('Of packets: it bounds what one connection reaches.'),
  zone: zone().optional().describe('What the agents are told by --zone; of a repeated group ZONE-1, ZONE-2 and so on.'),
  medium: name().optional().describe('The shared medium that all traffic of these hosts passes.'),
  uplink: uplink.optional(),
  leech: flag().prefault(false).describe('The agents take and give nothing.'),
  churn: churn.optional(),
  holds: list('images', holding).prefault([]).describe('What the hosts have before the run: names of images, or mappings with image, layers and share.')
})

export type GroupEntry = z.output<typeof groupSchema>
