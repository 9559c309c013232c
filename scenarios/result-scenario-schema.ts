import { z } from 'zod'

/** A number that may be Infinity, for which JSON has no word: it is that text there. */
export const amount = z.codec(z.union([z.number(), z.literal('Infinity')]), z.union([z.number(), z.literal(Infinity)]), {
  decode: value => value === 'Infinity' ? Infinity : value,
  encode: value => value === Infinity ? 'Infinity' : value
})
const ms = z.number().describe('milliseconds')
const rate = amount.describe('bytes per second')
const share = z.number().min(0).max(1)
const count = z.number().int().nonnegative()
const names = z.array(z.string())
const layer = z.object({ name: z.string(), bytes: z.number().nonnegative() })

const arrival = z.discriminatedUnion('type', [
  z.object({ type: z.literal('at-once'), fromMs: ms, withinMs: ms }),
  z.object({ type: z.literal('uniform'), fromMs: ms, overMs: ms }),
  z.object({ type: z.literal('poisson'), fromMs: ms, perSecond: z.number() }),
  z.object({ type: z.literal('waves'), fromMs: ms, hosts: count, everyMs: ms }),
  z.object({ type: z.literal('rolling'), fromMs: ms, maxUnavailable: count })
])

/** A checked scenario as it stands in a result. What is left out is undefined there. */
export const scenarioSchema = z.object({
  name: z.string(),
  description: z.string(),
  seed: z.number(),
  limitMs: amount,
  groups: z.array(z.object({
    name: z.string(),
    count,
    up: rate,
    down: rate,
    latencyMs: ms,
    loss: share,
    zone: z.string().optional(),
    medium: z.string().optional(),
    isLeech: z.boolean(),
    churn: z.object({ meanUpMs: amount, meanDownMs: amount }).optional(),
    holds: z.array(z.object({ image: z.string(), layers: names.optional(), share }))
  })),
  paths: z.array(z.object({ from: z.string(), to: z.string().optional(), up: rate, down: rate, latencyMs: ms })),
  media: z.array(z.object({ name: z.string(), rate })),
  origin: z.object({
    up: rate,
    latencyMs: ms,
    hasRanges: z.boolean(),
    outages: z.array(z.object({ fromMs: ms, toMs: amount })),
    rejectShare: share,
    retryAfterMs: ms
  }).optional(),
  images: z.array(z.object({ name: z.string(), layers: z.array(layer) })),
  pulls: z.array(z.object({ images: names, groups: names, share, parallelLayers: count, arrival })),
  faults: z.array(z.object({
    type: z.enum(['kill', 'restart', 'slow', 'stall', 'lie', 'partition', 'dht-loss']),
    groups: names,
    hosts: count,
    fromMs: ms,
    untilMs: ms,
    forMs: amount,
    factor: z.number()
  })),
  agent: z.object({
    originPolicy: z.enum(['frugal', 'balanced', 'fast', 'never']),
    maxMembers: count,
    originConcurrency: count,
    uploadSlots: count,
    uploadLimit: rate,
    downloadLimit: rate,
    isKeyed: z.boolean()
  }),
  discovery: z.object({ neighbours: count, dhtHops: z.number(), hopMs: ms }),
  expect: z.array(z.object({
    text: z.string(),
    figure: z.string(),
    comparison: z.enum(['<=', '>=', '<', '>', '==']),
    value: z.number(),
    of: z.enum(['bound', 'image', 'clean']).optional()
  }))
})
