/** Light, then dark. */
type Shades = readonly [light: string, dark: string]

/** Shades from nothing to all of a blob. */
const HEAT: readonly Shades[] = [
  ['#eef2f6', '#20262e'], ['#dce9f5', '#22303f'], ['#c6ddf0', '#243c52'], ['#abcee9', '#274966'], ['#8cbce0', '#2a567b'], ['#6ba9d6', '#2e6592'],
  ['#4b94c9', '#3475a9'], ['#327eb9', '#3f87bf'], ['#2168a5', '#559bd1'], ['#17538a', '#74b1e0'], ['#0d3c69', '#9ac9ee']
]

const COLOURS = {
  ink: ['#1b2129', '#e6eaf0'],
  muted: ['#5a6472', '#9aa5b3'],
  line: ['#d9dee5', '#323a45'],
  surface: ['#ffffff', '#14181d'],
  raised: ['#f5f7fa', '#1c2229'],
  members: ['#2168a5', '#6aaee6'],
  origin: ['#c4620a', '#f0a04b'],
  vain: ['#8b8f98', '#767d88'],
  done: ['#1f7f4c', '#57c48a'],
  bound: ['#8a2be2', '#c79bff'],
  good: ['#1a7440', '#63d296'],
  bad: ['#b3261e', '#ff8a80'],
  shade: ['#f8dcc2', '#46301c']
} as const satisfies Record<string, Shades>

export type Colour = keyof typeof COLOURS

/** The steps of the heat map. */
export const HEAT_STEPS = HEAT.length

/** A colour that charts are drawn in: no real one, `themed` puts the reader's in its place. */
export function ink (colour: Colour): string {
  return placeholder(Object.keys(COLOURS).indexOf(colour))
}

/** @param step - from 0 to `HEAT_STEPS` - 1 */
export function heatInk (step: number): string {
  return placeholder(Object.keys(COLOURS).length + step)
}

/** An SVG in the colours of the page. */
export function themed (svg: string): string {
  return variables().reduce((text, { name }, index) => text.replaceAll(placeholder(index), `var(--${name})`), svg)
}

/** The colours as custom properties of CSS, light or dark. */
export function colourProperties (theme: 'light' | 'dark'): string {
  return variables().map(({ name, shades: [light, dark] }) => `--${name}:${theme === 'light' ? light : dark};`).join('')
}

function variables (): Array<{ name: string, shades: Shades }> {
  return [
    ...Object.entries(COLOURS).map(([name, shades]) => ({ name, shades })),
    ...HEAT.map((shades, step) => ({ name: `heat-${step}`, shades }))
  ]
}

/** A colour that no chart has by itself. */
function placeholder (index: number): string {
  return `#0fa1${index.toString(16).padStart(2, '0')}`
}
