import type { PlannedHost } from '../plan.ts'
import type { LayerSpec, Scenario } from '../scenario.ts'
import { pushImage, pushLayer, type PushedImage, type PushedLayer, type PushInit } from './image-push.ts'

/** Name of the registry in references. */
export const REGISTRY = 'registry.test'
const REPOSITORY = 'rehearsal/image'
/** What agents pull before the run, so that their code is compiled by then: as large together as it takes, and no larger. */
const WARM_UPS = 2
const WARM_UP_LAYERS = 2
const WARM_UP_LAYER_BYTES = 8 * 1024 * 1024

/** As agents know the images. */
export const IMAGE_NAME = `${REGISTRY}/${REPOSITORY}`

/** What the registry of a run has. */
export interface LiveContent {
  readonly images: readonly PushedImage[]
  /** Of all images, each once. */
  readonly layers: readonly PushedLayer[]
  /** Images that nobody is asked for in the run. */
  readonly warmUps: readonly PushedImage[]
}

/** Images and layers of them. */
export interface Selection {
  readonly images: readonly PushedImage[]
  readonly layers: readonly PushedLayer[]
}

/** Fills the registry at that URL. */
export async function pushContent (url: string, { images, seed }: Scenario): Promise<LiveContent> {
  const init: PushInit = { url, repository: REPOSITORY, seed }
  const layers = new Map<string, PushedLayer>()
  for (const layer of images.flatMap(image => image.layers)) {
    if (!layers.has(layer.name)) layers.set(layer.name, await pushLayer(init, layer))
  }
  const pushed: PushedImage[] = []
  for (const image of images) pushed.push(await pushImage(init, image.name, layersIn(layers, image.layers)))
  const warmUps: PushedImage[] = []
  for (let number = 0; number < WARM_UPS; number++) warmUps.push(await pushWarmUp(init, number))
  return { images: pushed, layers: [...layers.values()], warmUps }
}

/** What a host pulls: images by their layers, and of these what it does not hold. */
export function wantedBy ({ pull, held }: PlannedHost, { images, layers }: LiveContent): Selection {
  const wanted = new Set((pull?.layers ?? []).map(({ name }) => name))
  return {
    images: images.filter(image => image.layers.every(({ name }) => wanted.has(name))),
    layers: layers.filter(({ name }) => wanted.has(name) && !held.has(name))
  }
}

/** What a host holds before the run: layers, and images of which it holds all. */
export function heldBy ({ held }: PlannedHost, { images, layers }: LiveContent): Selection {
  return {
    images: images.filter(image => image.layers.every(({ name }) => held.has(name))),
    layers: layers.filter(({ name }) => held.has(name))
  }
}

function layersIn (pushed: ReadonlyMap<string, PushedLayer>, layers: readonly LayerSpec[]): PushedLayer[] {
  return layers.flatMap(({ name }) => pushed.get(name) ?? [])
}

async function pushWarmUp (init: PushInit, number: number): Promise<PushedImage> {
  const name = `warm-up ${number}`
  const layers: PushedLayer[] = []
  for (let layer = 0; layer < WARM_UP_LAYERS; layer++) layers.push(await pushLayer(init, { name: `${name} ${layer}`, bytes: WARM_UP_LAYER_BYTES }))
  return pushImage(init, name, layers)
}
