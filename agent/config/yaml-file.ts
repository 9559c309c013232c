import { readFile } from 'node:fs/promises'
import { LineCounter, isMap, isNode, isPair, isScalar, parseDocument } from 'yaml'
import { redactText } from '../redact.ts'
import { ConfigError } from './config-error.ts'
import type { Document, Node } from 'yaml'

/** A configuration file, and where in it a key stands. */
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

  /** Undefined when there is no such file. @throws ConfigError when it can't be read or is no YAML mapping */
  static async read (file: string): Promise<YamlFile | undefined> {
    let text
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw new ConfigError([`${file}: can't be read (${code ?? String(error)}); expected a readable YAML file`], { cause: error })
    }
    return YamlFile.parse(file, text)
  }

  /** @throws ConfigError */
  static parse (file: string, text: string): YamlFile {
    const lines = new LineCounter()
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
    if (document.errors.length > 0) {
      throw new ConfigError(document.errors.map(({ pos, message }) => `${place(file, lines, pos[0])}: not valid YAML: ${redactText(message)}`))
    }
    if (document.contents !== null && !isMap(document.contents) && !(isScalar(document.contents) && document.contents.value === null)) {
      throw new ConfigError([`${file}:1:1: expected a mapping of keys to values`])
    }
    try {
      return new YamlFile(file, document, lines)
    } catch (error) {
      throw new ConfigError([`${file}: not valid YAML: ${redactText(String((error as Error).message))}`], { cause: error })
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
