import { repositoryKey, type Repository } from '../oci/repository.ts'
import type { OriginAccess } from '../origin/origin.ts'

/** Repositories remembered; the one longest not heard of goes first. */
const MAX_REPOSITORIES = 1_000

/** How an origin has answered for a repository. */
export interface OriginAnswer {
  readonly access: OriginAccess
  readonly tookMs: number
}

/** How origins have answered lately, by repository: whether they wanted credentials, and how long they took. */
export class OriginRecord {
  readonly #answers = new Map<string, OriginAnswer>()

  answered (repository: Repository, answer: OriginAnswer): void {
    const key = repositoryKey(repository)
    this.#answers.delete(key)
    this.#answers.set(key, answer)
    const [oldest] = this.#answers.keys()
    if (this.#answers.size > MAX_REPOSITORIES && oldest !== undefined) this.#answers.delete(oldest)
  }

  /** The latest answer. */
  of (repository: Repository): OriginAnswer | undefined {
    return this.#answers.get(repositoryKey(repository))
  }
}
