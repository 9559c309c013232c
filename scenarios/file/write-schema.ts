import { writeFileSync } from 'node:fs'
import { renderScenarioSchema } from './json-schema.ts'

writeFileSync(new URL('../scenario.schema.json', import.meta.url), renderScenarioSchema())
