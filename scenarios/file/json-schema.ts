import { z } from 'zod'
import { scenarioFileSchema } from './schema.ts'

/** scenarios/scenario.schema.json: what editors check scenario files by as they are written. JSON Schema draft 7, as most of them know. */
export function renderScenarioSchema (): string {
  const schema = z.toJSONSchema(scenarioFileSchema, { io: 'input', target: 'draft-7', unrepresentable: 'any' })
  return `${JSON.stringify({ ...schema, title: 'A Shoal scenario', $comment: 'Generated from scenarios/file/schema.ts by `npm run docs`. Edit there.' }, undefined, 2)}\n`
}
