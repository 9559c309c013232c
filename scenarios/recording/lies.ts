const DECEIVED = 1
const BANNED = 2

/** Which liar sent whom a wrong piece, and who banned it; a byte for each liar and host. */
export class Lies {
  readonly #hosts: number
  readonly #byLiar = new Map<number, { readonly marks: Uint8Array, seen: number }>()

  constructor (hosts: number) {
    this.#hosts = hosts
  }

  /** @returns whether it is the first lie of that liar */
  lied (liar: number, to: number): boolean {
    return this.#mark(liar, to, DECEIVED)
  }

  /** @returns whether it is the first ban of that liar */
  banned (liar: number, by: number): boolean {
    return this.#mark(liar, by, BANNED)
  }

  /** Of the liars from which somebody had a wrong piece, those that were banned by all who had; null: nobody had. */
  bannedShare (): number | null {
    const active = [...this.#byLiar.values()].filter(({ seen }) => (seen & DECEIVED) !== 0)
    if (active.length === 0) return null
    return active.filter(({ marks }) => marks.every(mark => mark !== DECEIVED)).length / active.length
  }

  #mark (liar: number, host: number, bit: number): boolean {
    const known = this.#byLiar.get(liar) ?? { marks: new Uint8Array(this.#hosts), seen: 0 }
    this.#byLiar.set(liar, known)
    const isFirst = (known.seen & bit) === 0
    known.marks[host] = (known.marks[host] ?? 0) | bit
    known.seen |= bit
    return isFirst
  }
}
