import type { Member } from './member.ts'

/** Those that are remembered, at the most. */
const MAX_REMEMBERED = 256

/** Members that said they were reading, gave nothing and left: when they come back they are not believed. */
export class PromiseBreakers {
  readonly #ids = new Set<string>()

  left ({ id, hasOnlyPromised }: Member): void {
    this.#ids.delete(id)
    if (!hasOnlyPromised) return
    this.#ids.add(id)
    const [oldest] = this.#ids
    if (this.#ids.size > MAX_REMEMBERED && oldest !== undefined) this.#ids.delete(oldest)
  }

  came (member: Member): void {
    if (this.#ids.has(member.id)) member.distrust()
  }
}
