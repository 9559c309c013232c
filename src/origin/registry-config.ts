import { canonicalRegistryHost, DOCKER_HUB, isRegistryHost } from '../oci/registry-host.ts'
import { OriginError } from './origin-error.ts'
import type { RealmRules } from './realm.ts'
import type { Reach } from './address-guard.ts'

/** What the configuration says of one registry. */
export interface RegistryConfig {
  /**
   * Base URL, http or https. A path stands in front of every name: `https://harbor.example/proxy-ghcr` asks
   * `/v2/proxy-ghcr/<name>/…`. @default https://HOST
   */
  readonly url?: string
  /** Token servers' hosts (with port or without) that may have the credentials besides those of the registry's domain. */
  readonly realms?: readonly string[]
  /** With `password`: used in place of those of the credential source. */
  readonly username?: string
  readonly password?: string
  /** PEM of a certificate authority to trust besides Node's. */
  readonly ca?: string
  /** PEM of a client certificate, with `key`. */
  readonly cert?: string
  readonly key?: string
  /** Whether its redirects and realms may lead to private networks. @default true, as the operator named this registry */
  readonly allowPrivate?: boolean
}

/** One registry as the client sees it. */
export interface RegistryEndpoint {
  /** As in a reference; for messages. */
  readonly registry: string
  /** Scheme, host and port; the path is in `prefix`. */
  readonly url: URL
  /** Path in front of every name, with its slash, or empty. */
  readonly prefix: string
  /** Key of its credentials. */
  readonly credentialHost: string
  readonly config: RegistryConfig
  /** Of the registry itself. */
  readonly ownReach: Reach
  /** Of hosts that it sends us to. */
  readonly foreignReach: Reach
  readonly realmRules: RealmRules
}

const DOCKER_HUB_URL = 'https://registry-1.docker.io'

/**
 * @param config undefined where the configuration does not name the registry: then it is the caller's mere word
 * @throws OriginError ORIGIN_FORBIDDEN where the host or URL cannot be one of a registry
 */
export function registryEndpoint (registry: string, config: RegistryConfig | undefined): RegistryEndpoint {
  if (!isRegistryHost(registry)) throw new OriginError('ORIGIN_FORBIDDEN', 'not a registry\'s host', { registry: registry.slice(0, 253) })
  const configured = config?.url
  const url = URL.parse(configured ?? (registry === DOCKER_HUB ? DOCKER_HUB_URL : `https://${registry}`))
  if (url === null || !/^https?:$/.test(url.protocol)) throw new OriginError('ORIGIN_FORBIDDEN', 'its URL is not one of http or https', { registry })
  if (url.username !== '' || url.search !== '' || url.hash !== '') throw new OriginError('ORIGIN_FORBIDDEN', 'its URL has more than scheme, host, port and path', { registry })
  const prefix = url.pathname.split('/').filter(part => part !== '').map(part => `${part}/`).join('')
  const base = new URL(url.origin)
  return {
    registry,
    url: base,
    prefix,
    // Not the registry's name: its password is not for whoever stands in for it.
    credentialHost: canonicalRegistryHost(base.host),
    config: config ?? {},
    ownReach: config === undefined ? 'public' : 'any',
    foreignReach: config === undefined || config.allowPrivate === false ? 'public' : 'private',
    realmRules: { registryUrl: base, isHttpConfigured: base.protocol === 'http:', allowedRealms: config?.realms ?? [] }
  }
}
