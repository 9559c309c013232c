import { styleText } from 'node:util'

export interface TextInit {
  /** Letters in a line. @default 80 */
  readonly width?: number
  /** Whether the terminal shows colours. @default false */
  readonly colour?: boolean
}

/** Letters in a line, where nothing else is said. */
export const DEFAULT_WIDTH = 80
/** Letters that the last column has at least, however narrow the terminal is. */
const MIN_LAST = 20
const GAP = '  '

type Style = 'bold' | 'green' | 'red'

export interface TextColumn {
  readonly title: string
  readonly isNumber?: boolean
  /** How its cells look, by their text. */
  readonly style?: (cell: string) => Style | undefined
}

/** A function that gives text a style, or leaves it as it is. */
export function painter (colour: boolean): (text: string, style: Style) => string {
  return (text, style) => colour ? styleText(style, text, { validateStream: false }) : text
}

/** Columns as wide as their widest cell; the last is wrapped where the line ends. */
export function textColumns (columns: readonly TextColumn[], rows: ReadonlyArray<readonly string[]>, { width = DEFAULT_WIDTH, colour = false }: TextInit): string {
  const paint = painter(colour)
  const widths = columns.map(({ title }, index) => Math.max(title.length, ...rows.map(row => row[index]?.length ?? 0)))
  const before = widths.slice(0, -1).reduce((sum, cell) => sum + cell + GAP.length, 0)
  const lastWidth = Math.max(MIN_LAST, width - before)
  const line = (cells: readonly string[], style: (column: TextColumn, cell: string) => Style | undefined): string => {
    const [last = '', ...rest] = columns.at(-1)?.isNumber === true ? [cells.at(-1)?.padStart(widths.at(-1) ?? 0) ?? ''] : wrapped(cells.at(-1) ?? '', lastWidth)
    const padded = [...columns.slice(0, -1).map(({ isNumber = false }, index) => {
      const cell = cells[index] ?? ''
      return isNumber ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0)
    }), last]
    const styled = padded.map((cell, index) => {
      const column = columns[index]
      const look = column === undefined ? undefined : style(column, cells[index] ?? '')
      return look === undefined ? cell : paint(cell, look)
    })
    return [styled.join(GAP).trimEnd(), ...rest.map(more => ' '.repeat(before) + more)].map(text => `${text}\n`).join('')
  }
  return line(columns.map(({ title }) => title), () => 'bold') + rows.map(row => line(row, ({ style }, cell) => style?.(cell))).join('')
}

/** Words in lines of `width` letters; a word that is longer has a line of its own. */
export function wrapped (text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
