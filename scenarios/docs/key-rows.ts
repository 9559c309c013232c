import type { z } from 'zod'

type Schema = z.core.JSONSchema.JSONSchema

/** A key of a scenario file as the documentation shows it. */
export interface KeyRow {
  /** From the root, with dots; `NAME` stands for any name, `[]` for each entry of a list. */
  readonly key: string
  /** What kind of value, in words. */
  readonly value: string
  /** As it would be written; undefined: there is none. */
  readonly fallback: string | undefined
  readonly isRequired: boolean
  readonly meaning: string
  /** Values of `type` with which it may stand; empty: always. */
  readonly types: readonly string[]
}

/** A value that only one kind of text looks like. A name or any text looks like all of them. */
const KINDS: ReadonlyArray<readonly [sample: string, kind: string]> = [['0.2ms', 'time'], ['300MB/s', 'rate'], ['1.5MB', 'size'], ['5%', 'share']]
const ANY_TEXT = 'rack'

/** All keys below a schema, in its order; what is alike for several values of `type` is one row. */
export function keyRows (schema: Schema, path = ''): KeyRow[] {
  const below = (name: string): string => path === '' ? name : `${path}.${name}`
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([name, child]) => rowsOf(child as Schema, below(name), schema.required?.includes(name) === true))
  }
  if (typeof schema.additionalProperties === 'object') return keyRows(schema.additionalProperties, below('NAME'))
  if (schema.items !== undefined) return keyRows(schema.items as Schema, `${path}[]`)
  return mergeTypes(variantsOf(schema).flatMap(variant => {
    const type = (variant.properties?.type as Schema | undefined)?.const
    return keyRows(variant, path).map(row => type === undefined ? row : { ...row, types: [String(type)] })
  }))
}

function rowsOf (schema: Schema, key: string, isRequired: boolean): KeyRow[] {
  const fallback = schema.default === undefined ? undefined : JSON.stringify(schema.default).replace(/^"(.+)"$/, '$1')
  return [{ key, value: kindOf(schema), fallback, isRequired: isRequired && fallback === undefined, meaning: schema.description ?? '', types: [] }, ...keyRows(schema, key)]
}

function kindOf (schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map(each => `\`${String(each)}\``).join(', ')
  if (schema.const !== undefined) return `\`${String(schema.const)}\``
  if (schema.type === 'boolean') return '`true`, `false`'
  if (schema.type === 'integer') return rangeOf(schema)
  if (schema.type === 'array') return schema.prefixItems === undefined ? 'list' : 'two times'
  if (schema.type === 'object') return 'mapping'
  const { pattern } = schema
  if (pattern !== undefined && !new RegExp(pattern).test(ANY_TEXT)) {
    const kinds = KINDS.filter(([sample]) => new RegExp(pattern).test(sample)).map(([, kind]) => kind)
    if (kinds.length === 1) return String(kinds[0])
  }
  if (schema.type === 'number') return schema.maximum === 1 ? 'share' : 'number'
  if (schema.type === 'string') return 'text'
  // YAML reads the text 0 as a number, which is one more way to write the same
  const variants = variantsOf(schema).filter((variant, _, all) => variant.const !== 0 || all.length === 1)
  return [...new Set(variants.map(kindOf))].join(' or ')
}

function rangeOf ({ minimum, maximum }: Schema): string {
  if (minimum === undefined) return 'whole number'
  return `whole number, ${minimum}${maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? ' or more' : ` to ${maximum}`}`
}

function variantsOf ({ anyOf, oneOf, allOf }: Schema): Schema[] {
  return anyOf ?? oneOf ?? allOf ?? []
}

function mergeTypes (rows: readonly KeyRow[]): KeyRow[] {
  const merged = new Map<string, KeyRow>()
  for (const row of rows) {
    const same = JSON.stringify({ ...row, types: [] })
    const earlier = merged.get(same)
    merged.set(same, { ...row, types: [...earlier?.types ?? [], ...row.types] })
  }
  return [...merged.values()]
}
