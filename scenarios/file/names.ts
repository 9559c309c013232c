import { shownValue } from '../../src/values/shown-value.ts'
import { nearestOf } from './problem.ts'
import type { Problem } from './problem.ts'

/**
 * Names of one kind of thing that other parts of a file refer to. The name of a repeated thing means all that it became.
 * What is not known is noted among the problems.
 */
export class Names {
  readonly #kind: string
  readonly #problems: Problem[]
  readonly #meanings = new Map<string, readonly string[]>()

  /** @param kind - "group" */
  constructor (kind: string, problems: Problem[]) {
    this.#kind = kind
    this.#problems = problems
  }

  /** Makes a thing known under its name, or under NAME-1, NAME-2 and so on. @returns these */
  add (name: string, repeat: number | undefined, path: readonly PropertyKey[]): readonly string[] {
    const names = repeat === undefined ? [name] : Array.from({ length: repeat }, (_, index) => `${name}-${index + 1}`)
    for (const own of new Set([name, ...names])) {
      if (this.#meanings.has(own)) this.#problems.push({ path, ofKey: true, text: `there are two ${this.#kind}s of the name ${own}; rename one` })
      this.#meanings.set(own, own === name ? names : [own])
    }
    return names
  }

  /** What a name means; nothing when it is not known. */
  meaning (name: string, path: readonly PropertyKey[]): readonly string[] {
    const names = this.#meanings.get(name)
    if (names === undefined) this.#problems.push({ path, text: `there is no ${this.#kind} ${shownValue(name)}; ${nearestOf(name, [...this.#meanings.keys()])}` })
    return names ?? []
  }

  /** What several mean, each once; without any, all. */
  meanings (names: readonly string[] | undefined, path: readonly PropertyKey[]): string[] {
    if (names === undefined) return [...new Set([...this.#meanings.values()].flat())]
    return [...new Set(names.flatMap((name, index) => this.meaning(name, [...path, index])))]
  }
}
