import { getDomain } from 'tldts'

export interface RealmRules {
  /** Base URL of the registry as configured or by default. */
  readonly registryUrl: URL
  /** The URL stands in the configuration: if it is http, so may the realm be. */
  readonly isHttpConfigured: boolean
  /** Hosts, with port or without, that may have the registry's credentials besides its own domain. */
  readonly allowedRealms: readonly string[]
}

/**
 * - `trusted`: may be sent the registry's credentials;
 * - `anonymous`: may be asked for an anonymous token, as a stranger's word would be;
 * - `forbidden`: not asked at all.
 */
export type RealmVerdict = 'trusted' | 'anonymous' | 'forbidden'

/**
 * Whether a token server that a registry names is that registry's own: the same registrable domain by the public
 * suffix list, private suffixes included (two tenants of one hoster are strangers to each other), or allow-listed.
 */
export function judgeRealm (realm: URL, { registryUrl, isHttpConfigured, allowedRealms }: RealmRules): RealmVerdict {
  const isAllowed = allowedRealms.includes(realm.host) || allowedRealms.includes(realm.hostname)
  if (realm.protocol === 'http:') {
    return isHttpConfigured && (isAllowed || realm.hostname === registryUrl.hostname) ? 'trusted' : 'forbidden'
  }
  if (realm.protocol !== 'https:') return 'forbidden'
  return isAllowed || isSameDomain(realm.hostname, registryUrl.hostname) ? 'trusted' : 'anonymous'
}

function isSameDomain (one: string, other: string): boolean {
  if (one === other) return true
  const domain = getDomain(one, { allowPrivateDomains: true })
  return domain !== null && domain === getDomain(other, { allowPrivateDomains: true })
}
