import { Document, isMap, isPair, isScalar, isSeq } from 'yaml'
import { redactText } from '../redact.ts'
import { configKeys, mapTypedValues } from './keys.ts'
import { configSchema } from './schema.ts'
import type { LoadedConfig } from './load.ts'
import type { valueTypes } from './value-types.ts'
import type { Scalar } from 'yaml'
import type { z } from 'zod'

type ValueType = NonNullable<ReturnType<typeof valueTypes.get<z.ZodType>>>

/** The effective configuration as a `shoal.yaml` that means the same, with the source of each value as a comment. Holds no secret. */
export function printConfigYaml (loaded: LoadedConfig): string {
  const document = new Document(printable(loaded))
  for (const [name, source] of loaded.sources) {
    annotate(pairAt(document, name)?.value, name, source)
  }
  return document.toString({ lineWidth: 0 })
}

/** The same as JSON: `{ config, sources }`. */
export function printConfigJson (loaded: LoadedConfig): string {
  return JSON.stringify({ config: printable(loaded), sources: Object.fromEntries(loaded.sources) }, undefined, 2)
}

/** A comment at the end of a one-line value, else above its first line. Hosts of `origins` have sources of their own. */
function annotate (value: unknown, name: string, source: string): void {
  if (isScalar(value)) {
    value.comment = ` ${source}`
  } else if (isMap(value) || isSeq(value)) {
    value.flow = value.items.length === 0
    if (value.flow) value.comment = ` ${source}`
    else if (name !== 'origins') value.commentBefore = ` ${source}`
  }
}

/** Values as a person would write them; what is not set is null. */
function printable ({ config }: LoadedConfig): Record<string, unknown> {
  const texts = mapTypedValues(configSchema, config, format) as Record<string, unknown>
  const ordered: Record<string, unknown> = {}
  for (const { path: [name = ''] } of configKeys) ordered[name] = redacted(texts[name] ?? null)
  return ordered
}

function format (type: ValueType, value: unknown): unknown {
  return type.format === undefined ? value : type.format(value as never)
}

function redacted (value: unknown): unknown {
  if (typeof value === 'string') return redactText(value)
  if (Array.isArray(value)) return value.map(redacted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined).map(([name, part]) => [name, redacted(part)]))
}

/** `origins.docker.io` is a host in `origins`, not three levels. */
function pairAt (document: Document, name: string): { value: unknown } | undefined {
  const path = name.startsWith('origins.') ? ['origins', name.slice('origins.'.length)] : name.split('.')
  let found: unknown = document.contents
  for (const [depth, part] of path.entries()) {
    const pair: unknown = isMap(found) ? found.items.find(item => isPair(item) && (item.key as Scalar).value === part) : undefined
    if (!isPair(pair)) return undefined
    if (depth === path.length - 1) return pair
    found = pair.value
  }
  return undefined
}
