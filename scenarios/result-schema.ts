import { z } from 'zod'
import { RESULT_VERSION } from './result.ts'
import { amount, scenarioSchema } from './result-scenario-schema.ts'

const ms = z.number().describe('milliseconds')
const bytes = z.number().nonnegative().describe('bytes')
const count = z.number().int().nonnegative()
const nullableMs = ms.nullable()
const bytesBySteps = z.array(bytes).describe('bytes of each step')
const hostsBySteps = z.array(count).describe('hosts at the end of each step')

const bound = z.object({ ms: amount.describe('milliseconds'), because: z.string() }).describe('what nobody can beat, from the first start to the last host\'s end, and which limit it is')

const group = z.object({
  name: z.string(),
  hosts: count.describe('that pull, and neither went away before they were done nor are liars'),
  done: count,
  p50: nullableMs,
  p90: nullableMs,
  p99: nullableMs,
  max: nullableMs,
  fromOrigin: bytes,
  fromMembers: bytes
})

const host = z.object({
  name: z.string(),
  group: z.string(),
  startedMs: nullableMs.describe('null: it never began to pull'),
  doneMs: nullableMs.describe('from the start of the run; null: never'),
  outcome: z.enum(['done', 'failed', 'left', 'pending', 'idle']),
  fault: z.string().nullable(),
  fromOrigin: bytes,
  fromMembers: bytes,
  given: bytes.describe('bytes that it gave to others'),
  waits: z.partialRecord(z.enum(['discovery', 'members', 'origin', 'owner', 'own-link', 'verify', 'down']), ms)
    .describe('milliseconds, by what was waited for')
})

const series = z.object({
  stepMs: ms,
  at: z.array(ms).describe('end of each step'),
  fromOrigin: bytesBySteps,
  fromMembers: bytesBySteps,
  inVain: bytesBySteps,
  controlBytes: bytesBySteps,
  originBytes: bytesBySteps,
  originRequests: z.array(count).describe('requests of each step'),
  done: hostsBySteps,
  started: hostsBySteps
})

const spread = z.object({ hosts: z.array(z.string()), at: z.array(ms), percent: z.array(z.array(z.number().min(0).max(100))) })
  .describe('rows are hosts in the order in which they were done, of many only some: how many percent of what it lacked each had at the end of each step')

const event = z.object({
  atMs: ms,
  type: z.enum(['killed', 'restarted', 'slowed', 'stalled', 'recovered', 'lied', 'banned', 'partitioned', 'joined-again', 'dht-lost',
    'origin-down', 'origin-up', 'origin-rejected', 'left', 'came-back', 'failed', 'ended-early']),
  host: z.string().nullable().describe('null: it is of the whole run, or of the origin'),
  detail: z.string()
})

const expectation = z.object({ text: z.string(), actual: z.number().nullable(), limit: z.number().nullable(), isMet: z.boolean() })

/** `result.json`: its input is what is in the file, its output a `Result`. */
export const resultSchema = z.object({
  resultVersion: z.literal(RESULT_VERSION),
  shoal: z.string().describe('version of Shoal'),
  engine: z.enum(['sim', 'live']),
  isPartial: z.boolean().describe('the run was ended before its end'),
  notes: z.array(z.string()).optional().describe('what of the scenario the run left out, or what held it up that is not of the scenario'),
  scenario: scenarioSchema,
  bound,
  imageBytes: bytes.describe('of the layers that are pulled, each once'),
  durationMs: ms,
  figures: z.record(z.string(), z.number().nullable()).describe('by name; null: nobody, or never'),
  groups: z.array(group),
  hosts: z.array(host),
  series,
  spread,
  events: z.array(event),
  eventsLeftOut: count.describe('events beyond those that are kept'),
  expectations: z.array(expectation)
})

/** The published JSON Schema of `result.json`. */
export function resultJsonSchema (): object {
  return { title: 'What a rehearsed rollout has shown', ...z.toJSONSchema(resultSchema, { io: 'input' }) }
}
