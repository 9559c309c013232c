import { LineCounter, isMap, isNode, isPair, isScalar, parseDocument } from 'yaml'
import { YamlError } from './yaml-error.ts'
import type { Document, Node } from 'yaml'

/** A YAML file that is a mapping, and where in it a key stands. */
export class YamlFile {
  readonly file: string
  /** The mapping at its root; empty for an empty file. */
  readonly content: Readonly<Record<string, unknown>>
  readonly #document: Document
  readonly #lines: LineCounter

  private constructor (file: string, document: Document, lines: LineCounter) {
    this.file = file
    this.#document = document
    this.#lines = lines
    this.content = (document.toJS() ?? {}) as Record<string, unknown>
  }

  /** @param file - its name for messages. @throws YamlError */
  static parse (file: string, text: string): YamlFile {
    const lines = new LineCounter()
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
    if (document.errors.length > 0) {
      throw new YamlError(document.errors.map(({ pos, message }) => ({ place: place(file, lines, pos[0]), reason: `not valid YAML: ${message}` })))
    }
    if (document.contents !== null && !isMap(document.contents) && !(isScalar(document.contents) && document.contents.value === null)) {
      throw new YamlError([{ place: `${file}:1:1`, reason: 'expected a mapping of keys to values' }])
    }
    try {
      return new YamlFile(file, document, lines)
    } catch (error) {
      throw new YamlError([{ place: file, reason: `not valid YAML: ${String((error as Error).message)}` }], { cause: error })
    }
  }

  /** `file:line:column` of the value at `path` (of the key itself with `ofKey`), or of the nearest thing around it. */
  locate (path: readonly PropertyKey[], { ofKey = false }: { ofKey?: boolean } = {}): string {
    let found: Node | undefined = this.#document.contents ?? undefined
    let offset = found?.range?.[0] ?? 0
    for (const [depth, name] of path.entries()) {
      const pair: unknown = isMap(found) ? found.items.find(item => isPair(item) && isNode(item.key) && isScalar(item.key) && String(item.key.value).toLowerCase() === String(name).toLowerCase()) : undefined
      const { key, value }: { key?: unknown, value?: unknown } = isPair(pair) ? pair : { value: this.#item(found, name) }
      const wanted = ofKey && depth === path.length - 1 ? key : value ?? key
      if (!isNode(wanted)) break
      offset = wanted.range?.[0] ?? offset
      found = isNode(value) ? value : undefined
    }
    return place(this.file, this.#lines, offset)
  }

  #item (node: Node | undefined, name: PropertyKey): unknown {
    return node !== undefined && 'items' in node && typeof name === 'number' ? (node.items as unknown[])[name] : undefined
  }
}

function place (file: string, lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset)
  return `${file}:${line}:${col}`
}
