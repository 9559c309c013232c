import { ink } from './palette.ts'

/** Numbers in the unit that an axis counts in. */
export interface Scale {
  readonly unit: string
  /** A value in that unit, not longer than a picture needs. */
  readonly of: (value: number) => number
}

const DIGITS = 5
/** Pixels. */
const LINE_HEIGHT = 15
const TIMES = [['s', 1000, 120_000], ['min', 60_000, 7_200_000], ['h', 3_600_000, Infinity]] as const
const SIZES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** For milliseconds up to `endMs`. */
export function timeScale (endMs: number): Scale {
  const [unit, unitMs] = TIMES.find(([, , until]) => endMs <= until) ?? TIMES[2]
  return { unit, of: ms => short(ms / unitMs) }
}

/** For bytes up to `most`; `perSecond`: for rates. */
export function byteScale (most: number, { perSecond = false } = {}): Scale {
  const power = Math.min(SIZES.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(most, 1)) / 3)))
  return { unit: `${SIZES[power]}${perSecond ? '/s' : ''}`, of: bytes => short(bytes / 1000 ** power) }
}

/** The axis at the foot, from 0 or `from` to `to`. */
export function timeAxis (scale: Scale, to: number, from = 0): object {
  return {
    type: 'value',
    min: scale.of(from),
    max: scale.of(to),
    axisLabel: { color: ink('muted'), hideOverlap: true, showMaxLabel: false, showMinLabel: from === 0, formatter: (value: number) => `${value.toLocaleString('en-US')} ${scale.unit}` },
    axisLine: { lineStyle: { color: ink('line') } },
    axisTick: { lineStyle: { color: ink('line') } },
    splitLine: { show: false }
  }
}

/** The axis at the left; its unit is above it. */
export function amountAxis (unit: string, more: object = {}): object {
  return {
    type: 'value',
    name: unit,
    nameTextStyle: { color: ink('muted'), align: 'left', padding: [0, 0, 0, -30] },
    axisLabel: { color: ink('muted'), formatter: (value: number) => value.toLocaleString('en-US') },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: ink('line') } },
    ...more
  }
}

/** Room for the axes, and above them for the unit and a line of names. */
export function grid (more: object = {}): object {
  return { left: 52, right: 16, top: 58, bottom: 28, ...more }
}

/** Names of lines, at the top. */
export function legend (names: ReadonlyArray<{ readonly name: string, readonly icon?: string }>): object {
  return {
    top: 0,
    left: 0,
    itemWidth: 16,
    itemHeight: 10,
    itemGap: 18,
    selectedMode: false,
    backgroundColor: ink('surface'),
    borderColor: ink('surface'),
    textStyle: { color: ink('ink'), fontSize: 12 },
    data: names.map(({ name, icon = 'roundRect' }) => ({ name, icon }))
  }
}

/** Where and how the line of a moment is drawn. */
export interface MomentPlace {
  /** The axis, in its unit. @default from 0 */
  readonly from?: number
  readonly to: number
  /** @default 'bound' */
  readonly colour?: 'bound' | 'ink' | 'muted'
  /** Lines of text between its label and the picture. @default 0 */
  readonly row?: number
}

/** An upright line at a moment. Far to the right its label is to its left. */
export function momentMark (at: number, label: string, { to, from = 0, colour = 'bound', row = 0 }: MomentPlace): object {
  return {
    xAxis: at,
    lineStyle: { color: ink(colour), type: 'dashed', width: 1.5 },
    label: { formatter: label, position: 'end', align: (at - from) / (to - from) > 0.6 ? 'right' : 'left', color: ink(colour), textBorderColor: 'transparent', fontSize: 12, distance: 4 + LINE_HEIGHT * row }
  }
}

function short (value: number): number {
  return Number(value.toPrecision(DIGITS))
}
