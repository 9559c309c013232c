import { RecentSet } from '../recent.ts'
import type { Member } from './member.ts'

/** Those that are remembered, at the most. */
const MAX_REMEMBERED = 256

/** Members that said they were reading, gave nothing and left: when they come back they are not believed. */
export class PromiseBreakers {
  readonly #ids = new RecentSet<string>(MAX_REMEMBERED)

  left ({ id, hasOnlyPromised }: Member): void {
    if (hasOnlyPromised) this.#ids.add(id)
    else this.#ids.delete(id)
  }

  came (member: Member): void {
    if (this.#ids.has(member.id)) member.distrust()
  }
}
