import type { Role } from './scenario.ts'

const WIDTH = 960
const PANEL_HEIGHT = 410
const MARGIN = { top: 60, right: 24, bottom: 64, left: 56 }
/** Between lines of small text. */
const LINE_HEIGHT = 15
const LEGEND_COLUMNS = 4
/** Of a vertical line's label, at the most. */
const LABEL_WIDTH = 80
/** Distances of the marks on the axis of time that people read easily, in seconds. */
const TIME_STEPS = [0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300]
const MOST_TIME_MARKS = 12
const COLOURS: Readonly<Record<Role, string>> = { healthy: '#2a6fbb', slow: '#d98200', killed: '#c02f2f', stalling: '#7a7a7a', lying: '#8e44ad' }

type Curve = ReadonlyArray<readonly [ms: number, bytes: number]>

/** One rollout as a picture. */
export interface ChartPanel {
  readonly title: string
  readonly imageBytes: number
  readonly hosts: ReadonlyArray<{ readonly role: Role, readonly doneMs?: number, readonly curve: Curve }>
  /** What the registry has sent. */
  readonly origin: Curve
  /** T*, a line; and the bar, another. */
  readonly boundMs?: number
  readonly barMs?: number
  readonly endMs: number
}

/** A self-contained SVG, one panel below the other: the share of the image that each host has, how many are done, what the registry has sent. */
export function drawRollout (panels: readonly ChartPanel[]): string {
  const height = panels.length * PANEL_HEIGHT
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...panels.flatMap((panel, index) => [`<g transform="translate(0 ${index * PANEL_HEIGHT})">`, ...drawPanel(panel), '</g>']),
    '</svg>',
    ''
  ].join('\n')
}

function drawPanel (panel: ChartPanel): string[] {
  const { imageBytes, hosts, origin, boundMs, barMs, title } = panel
  const endMs = Math.max(panel.endMs, boundMs ?? 0, barMs ?? 0) * 1.02
  // The registry may send the image many times over; its line ends at the top of the picture rather than to press all others down.
  const topShare = Math.min(2, Math.max(1, ...origin.map(([, bytes]) => bytes / imageBytes)) * 1.05)
  const x = (ms: number): number => MARGIN.left + ms / endMs * (WIDTH - MARGIN.left - MARGIN.right)
  const y = (share: number): number => PANEL_HEIGHT - MARGIN.bottom - Math.min(share, topShare) / topShare * (PANEL_HEIGHT - MARGIN.top - MARGIN.bottom)
  const line = (points: Curve, whole: number, style: string): string =>
    `<polyline fill="none" ${style} points="${points.map(([ms, value]) => `${x(ms).toFixed(1)},${y(value / whole).toFixed(1)}`).join(' ')}"/>`
  // Each in a row of its own: lines may be close to each other.
  const vertical = (ms: number | undefined, row: number, label: string, style: string): string[] => ms === undefined
    ? []
    : [
        `<line x1="${x(ms).toFixed(1)}" x2="${x(ms).toFixed(1)}" y1="${y(topShare) - row * LINE_HEIGHT}" y2="${y(0)}" ${style}/>`,
        `<text x="${Math.min(x(ms), WIDTH - LABEL_WIDTH).toFixed(1)}" y="${y(topShare) - row * LINE_HEIGHT - 4}" dx="4">${label} ${(ms / 1000).toFixed(2)} s</text>`
      ]
  return [
    `<text x="${MARGIN.left}" y="20" font-size="14">${escape(title)}</text>`,
    ...grid(x, y, endMs, topShare),
    ...hosts.map(({ role, curve }) => line(curve, imageBytes, `stroke="${COLOURS[role]}" stroke-width="1" stroke-opacity="0.6"`)),
    ...(origin.length === 0 ? [] : [line(origin, imageBytes, 'stroke="#000" stroke-width="1.5" stroke-dasharray="6 3"')]),
    line(doneCurve(hosts, endMs), hosts.length, 'stroke="#1d8a4b" stroke-width="2.5"'),
    ...vertical(boundMs, 1, 'T*', 'stroke="#000"'),
    ...vertical(barMs, 0, 'bar', 'stroke="#c02f2f" stroke-dasharray="3 3"'),
    ...legend(hosts)
  ]
}

function grid (x: (ms: number) => number, y: (share: number) => number, endMs: number, topShare: number): string[] {
  const lines: string[] = []
  const stepMs = 1000 * (TIME_STEPS.find(seconds => endMs / 1000 / seconds <= MOST_TIME_MARKS) ?? 600)
  for (let ms = 0; ms <= endMs; ms += stepMs) {
    lines.push(`<text x="${x(ms).toFixed(1)}" y="${y(0) + 16}" text-anchor="middle" fill="#555">${Number((ms / 1000).toFixed(1))} s</text>`)
  }
  for (let share = 0; share <= topShare; share += 0.25) {
    lines.push(`<line x1="${x(0)}" x2="${x(endMs)}" y1="${y(share).toFixed(1)}" y2="${y(share).toFixed(1)}" stroke="#ddd"/>`)
    lines.push(`<text x="${x(0) - 6}" y="${(y(share) + 4).toFixed(1)}" text-anchor="end" fill="#555">${share * 100} %</text>`)
  }
  return lines
}

/** How many hosts are done, as steps. */
function doneCurve (hosts: ChartPanel['hosts'], endMs: number): Curve {
  const times = hosts.flatMap(({ doneMs }) => doneMs === undefined ? [] : [doneMs]).sort((a, b) => a - b)
  const steps = times.flatMap((ms, count): Curve => [[ms, count], [ms, count + 1]])
  return [[0, 0], ...steps, [endMs, times.length]]
}

function legend (hosts: ChartPanel['hosts']): string[] {
  const roles = [...new Set(hosts.map(({ role }) => role))]
  const entries = [
    ...roles.map(role => ({ text: `bytes of a host (${role})`, style: `stroke="${COLOURS[role]}"` })),
    { text: 'hosts done', style: 'stroke="#1d8a4b" stroke-width="2.5"' },
    { text: 'sent by the registry', style: 'stroke="#000" stroke-dasharray="6 3"' }
  ]
  const width = (WIDTH - MARGIN.left - MARGIN.right) / LEGEND_COLUMNS
  return entries.flatMap(({ text, style }, index) => {
    const left = MARGIN.left + index % LEGEND_COLUMNS * width
    const bottom = PANEL_HEIGHT - MARGIN.bottom + (2 + Math.floor(index / LEGEND_COLUMNS)) * LINE_HEIGHT + 6
    return [
      `<line x1="${left.toFixed(0)}" x2="${(left + 18).toFixed(0)}" y1="${bottom - 4}" y2="${bottom - 4}" ${style}/>`,
      `<text x="${(left + 22).toFixed(0)}" y="${bottom}" font-size="11">${text}</text>`
    ]
  })
}

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
