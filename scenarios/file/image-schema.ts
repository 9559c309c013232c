import { z } from 'zod'
import { parseSize } from '../../src/values/size.ts'
import { count, list, mapping, name, size } from './value-types.ts'

const LAYERS = /^(?:(\d{1,5}) *[x×] *)?(\S+)$/
const MAX_LAYERS = 10_000
const MAX_REPEAT = 1000
const ALLOWED = 'a size such as 3GB or 64MiB, above 0, several alike such as 200 x 1MB, or a mapping with name and size'

/** So many layers of that size, without names; or one with a name. */
export interface LayerEntry {
  readonly name: string | undefined
  readonly count: number
  readonly bytes: number
}

const layersText = z.string({ error: ALLOWED }).transform((text, context): LayerEntry => {
  const [, countText = '1', sizeText = ''] = LAYERS.exec(text) ?? []
  const [layers, bytes] = [Number(countText), parseSize(sizeText)]
  if (layers >= 1 && layers <= MAX_LAYERS && bytes !== undefined && bytes > 0) return { name: undefined, count: layers, bytes }
  context.issues.push({ code: 'custom', input: text, message: ALLOWED })
  return z.NEVER
}).meta({ pattern: '^(\\d+ *[x×] *)?\\d+(\\.\\d{1,3})?([TGMkK]i?)?B$' })

const namedLayer = mapping({
  name: name().describe('Layers of one name are one blob, in whatever images.'),
  size: size().describe('Bytes.')
}).transform(({ name, size }): LayerEntry => ({ name, count: 1, bytes: size }))

const layers = z.union([
  layersText.transform(layer => [layer]),
  list('layers', z.union([layersText, namedLayer], { error: ALLOWED })).min(1, { error: 'a list of layers, at least one' })
], { error: `a list of layers; a layer is ${ALLOWED}` })

/** Layers, perhaps above those of another image. */
export const imageSchema = z.union([
  layers.transform(entries => ({ repeat: undefined, from: undefined, layers: entries })),
  mapping({
    repeat: count(1, MAX_REPEAT).optional().describe('So many images like this, called NAME-1, NAME-2 and so on, with layers of their own. NAME means all of them.'),
    from: z.string({ error: 'the name of one of the images' }).optional().describe('The image below it, all of whose layers it has too.'),
    layers: layers.describe('Layers of its own: sizes, several alike such as 200 x 1MB, or mappings with name and size.')
  })
], { error: `a list of layers, or a mapping with repeat, from and layers; a layer is ${ALLOWED}` })

export type ImageEntry = z.output<typeof imageSchema>
