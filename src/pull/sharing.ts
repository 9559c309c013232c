import type { Access } from '../store/store.ts'

/** What decides, besides the content's own access, whether other agents may have it. */
export interface SharingPolicy {
  /** The swarm has a key: every member was let in on purpose. */
  readonly isKeyed: boolean
  /** The configuration allows content got with credentials to be shared inside a swarm with a key. */
  readonly sharePrivate: boolean
}

/**
 * The sharing rule: whether content may be provided to and served to other agents. Both ask here and nowhere else.
 * What an origin gives to anybody, or a person seeded, may be shared everywhere; what was got with credentials
 * only inside a swarm with a key, and only if the configuration says so.
 */
export function mayShare (access: Access, policy: SharingPolicy): boolean {
  switch (access) {
    case 'public':
    case 'seeded':
      return true
    case 'restricted':
      return policy.isKeyed && policy.sharePrivate
  }
}
