import fc from 'fast-check'
import { MIN_PIECE_LENGTH, pieceCount, SMALL_PIECES } from '../../src/swarm/pieces.ts'
import type { OriginPolicy } from '../../src/swarm/origin-plan.ts'
import type { ModelHost, ModelHostInit } from './model-host.ts'
import type { SwarmModelInit } from './swarm-model.ts'

const MAX_PIECES = 48
/** Links from 4 Mbit/s to 80 Mbit/s. */
const pace = fc.integer({ min: 500, max: 10_000 })
const goodPace = fc.integer({ min: 2000, max: 10_000 })
const FAULT_MS = { min: 0, max: 3000 }

interface Faults {
  readonly diesAtMs: number | undefined
  readonly stall: { readonly fromMs: number, readonly toMs: number } | undefined
}

const noFaults: fc.Arbitrary<Faults> = fc.constant({ diesAtMs: undefined, stall: undefined })
const someFaults: fc.Arbitrary<Faults> = fc.oneof(
  { weight: 3, arbitrary: noFaults },
  { weight: 1, arbitrary: fc.record({ diesAtMs: fc.integer(FAULT_MS), stall: fc.constant(undefined) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      diesAtMs: fc.constant(undefined),
      stall: fc.record({ fromMs: fc.integer(FAULT_MS), toMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: 3000, max: 9000 })) })
    })
  }
)

const heldParts = fc.oneof(fc.constant([]), fc.array(fc.boolean(), { minLength: MAX_PIECES, maxLength: MAX_PIECES }), fc.constant(Array<boolean>(MAX_PIECES).fill(true)))

function hosts (pieces: number, faults: fc.Arbitrary<Faults>): fc.Arbitrary<ModelHostInit[]> {
  const host = fc.record({
    up: pace,
    down: pace,
    startMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2000 })),
    zone: fc.constantFrom('a', 'a', 'b'),
    isLeech: fc.constantFrom(false, false, false, false, true),
    held: heldParts.map(part => part.slice(0, pieces).flatMap((isHeld, piece) => isHeld ? [piece] : [])),
    faults
  })
  return fc.array(host.map(({ faults, ...init }) => ({ ...init, ...faults })), { minLength: 2, maxLength: 12 })
}

/** Swarms of all kinds: links, latencies, zones, leeches, what is held, and, if wanted, deaths and stalls. */
export function anySwarm ({ isFaulty }: { isFaulty: boolean }): fc.Arbitrary<SwarmModelInit> {
  return fc.integer({ min: 1, max: MAX_PIECES * MIN_PIECE_LENGTH }).chain(size => fc.record({
    size: fc.constant(size),
    hosts: hosts(Math.ceil(size / MIN_PIECE_LENGTH), isFaulty ? someFaults : noFaults),
    origin: fc.option(pace, { nil: undefined }),
    latencyMs: fc.integer({ min: 1, max: 40 }),
    policy: fc.constantFrom<OriginPolicy>('frugal', 'balanced', 'fast'),
    seed: fc.nat(2 ** 31)
  }))
}

/** Hosts that begin with nothing at the same time, and a registry: nobody fails. Messages come within the grace. */
function coldSwarmOf (paces: fc.Arbitrary<number>): fc.Arbitrary<SwarmModelInit> {
  return fc.record({
    size: fc.integer({ min: 1, max: MAX_PIECES * MIN_PIECE_LENGTH }),
    hosts: fc.array(fc.record({ up: paces, down: paces }), { minLength: 2, maxLength: 12 }),
    origin: paces,
    latencyMs: fc.integer({ min: 1, max: 20 }),
    seed: fc.nat(2 ** 31)
  })
}

export const coldSwarm = coldSwarmOf(goodPace)
/** On links so slow that a piece may take seconds. */
export const slowColdSwarm = coldSwarmOf(pace)

/** Hosts that begin with nothing within 100 ms, and a registry that sends all of a blob whatever is asked. */
export const wholeColdSwarm: fc.Arbitrary<SwarmModelInit & { readonly origin: number }> = fc.record({
  size: fc.integer({ min: 1, max: 2 * MAX_PIECES * MIN_PIECE_LENGTH }),
  hosts: fc.array(fc.record({ up: goodPace, down: goodPace, startMs: fc.integer({ min: 0, max: 100 }) }), { minLength: 2, maxLength: 12 }),
  origin: goodPace,
  latencyMs: fc.integer({ min: 1, max: 20 }),
  knowsNoRanges: fc.constant(true),
  seed: fc.nat(2 ** 31)
})

/**
 * Hosts in two to four zones that begin within 100 ms, each with nothing; or no registry, and the first holds all. Each zone has
 * two hosts at the least.
 */
export const zonedSwarm: fc.Arbitrary<SwarmModelInit> = fc.integer({ min: 2, max: 4 }).chain(zones => fc.record({
  size: fc.integer({ min: 1, max: MAX_PIECES * MIN_PIECE_LENGTH }),
  hosts: fc.array(fc.record({ up: goodPace, down: goodPace, startMs: fc.integer({ min: 0, max: 100 }) }), { minLength: 2 * zones, maxLength: 5 * zones })
    .map(hosts => hosts.map((host, index) => ({ ...host, zone: `zone ${index % zones}` }))),
  origin: fc.option(goodPace, { nil: undefined }),
  latencyMs: fc.integer({ min: 1, max: 20 }),
  seed: fc.nat(2 ** 31)
})).map(({ size, hosts, origin, ...init }) => {
  const all = Array.from({ length: pieceCount(size) }, (_, piece) => piece)
  const holding = origin !== undefined ? hosts : hosts.map((host, index) => index === 0 ? { ...host, startMs: 0, held: all } : host)
  return { ...init, size, hosts: holding, ...(origin !== undefined && { origin }) }
})

/** A small blob that the first hosts hold and do not give, as they fall silent at once; the others begin with nothing. */
export const silentHolders: fc.Arbitrary<SwarmModelInit & { readonly silent: number }> = fc.record({
  size: fc.integer({ min: 1, max: SMALL_PIECES * MIN_PIECE_LENGTH }),
  silent: fc.integer({ min: 1, max: 3 }),
  healthy: fc.integer({ min: 1, max: 4 }),
  latencyMs: fc.integer({ min: 1, max: 10 }),
  policy: fc.constantFrom<OriginPolicy>('frugal', 'balanced', 'fast'),
  seed: fc.nat(2 ** 31)
}).map(({ silent, healthy, size, ...init }) => ({
  ...init,
  size,
  silent,
  origin: 10_000,
  hosts: [
    ...Array.from({ length: silent }, () => ({ up: 10_000, down: 10_000, held: Array.from({ length: pieceCount(size) }, (_, piece) => piece), stall: { fromMs: 20, toMs: Infinity } })),
    ...Array.from({ length: healthy }, () => ({ up: 10_000, down: 10_000, startMs: 21 - init.latencyMs }))
  ]
}))

/** Whether the host goes on for ever. */
export function isSound ({ init }: ModelHost): boolean {
  return init.diesAtMs === undefined && init.stall?.toMs !== Infinity
}
