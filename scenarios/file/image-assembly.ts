import { formatSize } from '../../src/values/size.ts'
import { nearestOf } from './problem.ts'
import type { ImageSpec, LayerSpec } from '../scenario.ts'
import type { ImageEntry } from './image-schema.ts'
import type { Names } from './names.ts'
import type { Problem } from './problem.ts'

/** The images of a file, repeated ones one by one, each with the layers of those below it. */
export function assembleImages (entries: Readonly<Record<string, ImageEntry>>, names: Names, problems: Problem[]): ImageSpec[] {
  const own = new Map<string, readonly string[]>()
  for (const [name, { repeat }] of Object.entries(entries)) own.set(name, names.add(name, repeat, ['images', name]))
  const sizes = new Map<string, number>()
  return Object.entries(entries).flatMap(([name, entry]) => (own.get(name) ?? []).map((image): ImageSpec => {
    const layers = [...layersBelow(name, entries, problems), ...layersOfItsOwn(image, entry)]
    checkSizes(layers, sizes, ['images', name], problems)
    return { name: image, layers: layers.filter(({ name }, index) => layers.findIndex(layer => layer.name === name) === index) }
  }))
}

/** Layers without a name are IMAGE/1 and so on: a name that nobody can write for another. */
function layersOfItsOwn (image: string, { layers }: ImageEntry): LayerSpec[] {
  return layers
    .flatMap(({ name, count, bytes }) => Array.from({ length: count }, () => ({ name, bytes })))
    .map(({ name, bytes }, index) => ({ name: name ?? `${image}/${index + 1}`, bytes }))
}

function layersBelow (name: string, entries: Readonly<Record<string, ImageEntry>>, problems: Problem[]): LayerSpec[] {
  const chain = [name]
  const below: LayerSpec[][] = []
  for (let from = entries[name]?.from; from !== undefined; from = entries[from]?.from) {
    const entry = Object.hasOwn(entries, from) ? entries[from] : undefined
    const wrong = entry === undefined
      ? `there is no image "${from}"; ${nearestOf(from, Object.keys(entries).filter(other => other !== name))}`
      : chain.includes(from)
        ? `the images ${[...chain, from].join(' and ')} stand on each other; one must be the lowest`
        : entry.repeat !== undefined ? `"${from}" is repeated; expected an image that there is once` : undefined
    if (wrong !== undefined) {
      // what is wrong further below is said of the image that it is wrong with
      if (chain.length === 1 || from === name) problems.push({ path: ['images', name, 'from'], text: wrong })
      break
    }
    chain.push(from)
    below.unshift(layersOfItsOwn(from, entry as ImageEntry))
  }
  return below.flat()
}

function checkSizes (layers: readonly LayerSpec[], sizes: Map<string, number>, path: readonly PropertyKey[], problems: Problem[]): void {
  for (const { name, bytes } of layers) {
    const known = sizes.get(name) ?? bytes
    sizes.set(name, known)
    if (known !== bytes) problems.push({ path, text: `the layer ${name} has ${formatSize(bytes)} here and ${formatSize(known)} before; layers of one name are one blob, of one size` })
  }
}
