import { configSchema, keyMeta } from './schema.ts'
import { valueTypes } from './value-types.ts'
import type { DefaultContext } from './schema.ts'
import type { z } from 'zod'

/** How a flag or a variable gives the value. `pairs`: several HOST=VALUE, merged by host with what lower sources say. */
type KeyShape = 'switch' | 'value' | 'list' | 'pairs'

/** One settable key, as flags, environment, file and documentation see it. */
export interface ConfigKey {
  /** Where it stands in the YAML file: `['timeouts', 'manifest']`. */
  readonly path: readonly string[]
  /** The path with dots. */
  readonly name: string
  readonly shape: KeyShape
  /** With its dashes: `--timeouts-manifest`. */
  readonly flag: string
  /** `SHOAL_TIMEOUTS_MANIFEST`. */
  readonly variable: string
  readonly argument: string | undefined
  readonly description: string
  /** The default as a person would write it; undefined: unset. */
  readonly defaultText: string | undefined
  readonly computedDefault: ((context: DefaultContext) => unknown) | undefined
  readonly choices: readonly string[] | undefined
  readonly schema: z.core.$ZodType
}

/** A key inside an entry of `origins`, for the documentation. */
export interface EntryKey {
  readonly name: string
  readonly description: string
}

/** All keys in the order of the schema. */
export const configKeys: readonly ConfigKey[] = keysOf(configSchema, [])

/** What an entry of `origins` may say. */
export const originEntryKeys: readonly EntryKey[] = entryKeys()

function keysOf (schema: z.core.$ZodType, parents: readonly string[]): ConfigKey[] {
  return Object.entries(shapeOf(schema) ?? {}).flatMap(([name, keySchema]) => {
    const path = [...parents, name]
    return shapeOf(unwrapped(keySchema)) === undefined ? [configKey(path, keySchema)] : keysOf(unwrapped(keySchema), path)
  })
}

function configKey (path: readonly string[], schema: z.core.$ZodType): ConfigKey {
  const meta = keyMeta.get(schema as z.ZodType)
  if (meta === undefined) throw new TypeError(`configuration key ${path.join('.')} is not described`)
  const flagName = meta.flag ?? path.join('-').replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
  return {
    path,
    name: path.join('.'),
    shape: keyShape(schema, meta.argument),
    flag: `--${flagName}`,
    variable: `SHOAL_${flagName.replaceAll('-', '_').toUpperCase()}`,
    argument: meta.argument,
    description: meta.description,
    defaultText: meta.computed?.text ?? defaultText(schema),
    computedDefault: meta.computed?.value,
    choices: choicesOf(schema),
    schema
  }
}

function keyShape (schema: z.core.$ZodType, argument: string | undefined): KeyShape {
  const kind = (unwrapped(schema) as z.core.$ZodTypes)._zod.def.type
  if (kind === 'record') return 'pairs'
  if (kind === 'array') return 'list'
  return argument === undefined ? 'switch' : 'value'
}

function entryKeys (): EntryKey[] {
  const origins = unwrapped(configSchema.shape.origins) as z.core.$ZodRecord
  return Object.entries(shapeOf(unwrapped(origins._zod.def.valueType)) ?? {})
    .map(([name, schema]) => ({ name, description: keyMeta.get(schema as z.ZodType)?.description ?? '' }))
}

function defaultText (schema: z.core.$ZodType): string | undefined {
  const def = (schema as z.core.$ZodTypes)._zod.def
  if (def.type !== 'prefault') return undefined
  const value = def.defaultValue
  if (typeof value !== 'object' || value === null) return String(value)
  const items = Object.values(value)
  return items.length === 0 ? undefined : items.join(', ')
}

function choicesOf (schema: z.core.$ZodType): string[] | undefined {
  const def = (unwrapped(schema) as z.core.$ZodTypes)._zod.def
  return def.type === 'enum' ? Object.values(def.entries).map(String) : undefined
}

function shapeOf (schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> | undefined {
  const def = (schema as z.core.$ZodTypes)._zod.def
  return def.type === 'object' ? def.shape : undefined
}

/** The schema inside defaults, options and preprocessing. */
function unwrapped (schema: z.core.$ZodType): z.core.$ZodType {
  const def = (schema as z.core.$ZodTypes)._zod.def
  if (valueTypes.has(schema)) return schema
  if (def.type === 'prefault' || def.type === 'optional') return unwrapped(def.innerType)
  const isPreprocessed = def.type === 'pipe' && (def.in as z.core.$ZodTypes)._zod.def.type === 'transform'
  return isPreprocessed ? unwrapped(def.out) : schema
}

/** The value with `change` applied to each part whose type is registered in `valueTypes`. */
export function mapTypedValues (schema: z.core.$ZodType, value: unknown, change: (type: NonNullable<ReturnType<typeof valueTypes.get>>, value: unknown) => unknown): unknown {
  if (value === undefined) return undefined
  const inner = unwrapped(schema)
  const type = valueTypes.get(inner as z.ZodType)
  if (type !== undefined) return change(type, value)
  const def = (inner as z.core.$ZodTypes)._zod.def
  if (def.type === 'array') return (value as unknown[]).map(item => mapTypedValues(def.element, item, change))
  if (def.type === 'record') return mapObject(value as object, item => mapTypedValues(def.valueType, item, change))
  if (def.type === 'object') return mapObject(value as object, (item, name) => mapTypedValues(def.shape[name] as z.core.$ZodType, item, change))
  return value
}

function mapObject (object: object, change: (value: unknown, name: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]))
}
