import { repositoryKey, type Repository } from '../oci/repository.ts'
import type { OriginAccess } from '../origin/origin.ts'
import { RecentMap } from '../recent.ts'

/** Repositories remembered; the one longest not heard of goes first. */
const MAX_REPOSITORIES = 1_000

/** How an origin has answered for a repository. */
export interface OriginAnswer {
  readonly access: OriginAccess
  readonly tookMs: number
}

/** How origins have answered lately, by repository: whether they wanted credentials, and how long they took. */
export class OriginRecord {
  readonly #answers = new RecentMap<string, OriginAnswer>(MAX_REPOSITORIES)

  answered (repository: Repository, answer: OriginAnswer): void {
    this.#answers.set(repositoryKey(repository), answer)
  }

  /** The latest answer. */
  of (repository: Repository): OriginAnswer | undefined {
    return this.#answers.get(repositoryKey(repository))
  }
}
