/** Members remembered that name another size. */
const MAX_CLAIMS = 64

export interface SizeClaim {
  readonly member: string
  /** Bytes. */
  readonly size: number
  /** It says that it holds the whole in this size. */
  readonly isHolder: boolean
}

/** Members that say the blob has another size than we were told. Which is right nobody knows until a whole matches its digest. */
export class SizeClaims {
  readonly #claims = new Map<string, SizeClaim>()

  add (claim: SizeClaim): void {
    if (this.#claims.size < MAX_CLAIMS) this.#claims.set(claim.member, claim)
  }

  /** Somebody's, if anybody has made one. */
  get first (): SizeClaim | undefined {
    const [claim] = this.#claims.values()
    return claim
  }

  /** Who said that it holds the whole: it should know. */
  get holders (): string[] {
    return [...this.#claims.values()].flatMap(({ member, isHolder }) => isHolder ? [member] : [])
  }
}
