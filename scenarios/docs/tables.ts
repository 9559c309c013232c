import { z } from 'zod'
import { scenarioFileSchema } from '../file/schema.ts'
import { FIGURES } from '../result.ts'
import { keyRows } from './key-rows.ts'
import type { Unit } from '../result.ts'
import type { KeyRow } from './key-rows.ts'

/** What a limit in an expectation looks like. */
const LIMITS: Readonly<Record<Unit, string>> = {
  ms: 'time, `x bound`, `x clean`',
  bytes: 'size, `0`, `x image`, `x clean`',
  'bytes/s': 'rate, `0`, `x clean`',
  count: 'number, `x clean`',
  share: 'share, `x clean`'
}

/** The parts of docs/scenarios.md that follow from the code, by the name of their place. */
export const TABLES: Readonly<Record<string, () => string>> = { keys: keyTable, figures: figureTable }

function keyTable (): string {
  const rows = keyRows(z.toJSONSchema(scenarioFileSchema, { io: 'input', reused: 'inline' }))
  return ['| Key | Value | Default | Meaning |', '|---|---|---|---|', ...rows.map(keyLine)].join('\n')
}

function keyLine ({ key, value, fallback, isRequired, meaning, types }: KeyRow): string {
  const name = key.split('.').at(-1) ?? ''
  // A row of `type` says itself which it is.
  const only = types.length === 0 || name === 'type' ? '' : ` *(${types.join(', ')})*`
  return `| \`${key}\` | ${value} | ${fallback === undefined ? isRequired ? '**must be given**' : '' : `\`${fallback}\``} | ${meaning}${only} |`
}

function figureTable (): string {
  const lines = Object.entries(FIGURES).map(([figure, { unit, meaning }]) => `| \`${figure}\` | ${LIMITS[unit]} | ${meaning === '' ? 'the same of one group' : meaning} |`)
  return ['| Figure | Limit | What it is |', '|---|---|---|', ...lines].join('\n')
}
