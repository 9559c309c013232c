import { ociError } from './oci-error.ts'
import { isRepositoryName } from './reference.ts'
import { canonicalName, canonicalRegistryHost, DOCKER_HUB, isRegistryHost, looksLikeRegistryHost } from './registry-host.ts'

const HOST_WITH_PORT = /^([a-z0-9.-]+)(?:_([0-9]{1,5})_|:([0-9]{1,5}))$/

/** A repository at its registry: `{ registry: 'docker.io', name: 'library/alpine' }`. */
export interface Repository {
  /** Host, with port if any; lower case. */
  readonly registry: string
  /** Path of the repository there. */
  readonly name: string
}

export interface ResolveRepositoryInit {
  /** Registry of names that carry none. @default 'docker.io' */
  readonly defaultRegistry?: string
}

/**
 * Whose repository a request means. `ns` (containerd's query parameter) wins; else the first of several components
 * with a `.` or a port, or `localhost`, is the registry; else the default registry. A port is written `host_5000_`
 * where clients' name grammar has no room for a colon.
 * @param name the `<name>` of the request's path
 * @throws OciError NAME_INVALID
 */
export function resolveRepository (name: string, ns?: string, { defaultRegistry = DOCKER_HUB }: ResolveRepositoryInit = {}): Repository {
  if (ns !== undefined) return repositoryAt(ns, name)
  const slash = name.indexOf('/')
  const host = slash === -1 ? undefined : registryOfComponent(name.slice(0, slash))
  return host === undefined ? repositoryAt(defaultRegistry, name) : repositoryAt(host, name.slice(slash + 1))
}

/** One string per repository, as in the store's links: `docker.io/library/alpine`. */
export function repositoryKey ({ registry, name }: Repository): string {
  return `${registry}/${name}`
}

/** The repository of such a string. */
export function repositoryOfKey (key: string): Repository {
  const slash = key.indexOf('/')
  return { registry: key.slice(0, slash), name: key.slice(slash + 1) }
}

/**
 * `<name>` as a request's path may carry it: the OCI grammar, where the first of several components may also be
 * a host with its port (`host_5000_` or `host:5000`).
 */
export function isRequestName (text: string): boolean {
  if (isRepositoryName(text)) return true
  const slash = text.indexOf('/')
  return slash !== -1 && HOST_WITH_PORT.test(text.slice(0, slash)) && isRepositoryName(text.slice(slash + 1))
}

function registryOfComponent (component: string): string | undefined {
  const [, host, pathPort, port = pathPort] = HOST_WITH_PORT.exec(component) ?? []
  if (host !== undefined && port !== undefined) return `${host}:${port}`
  return looksLikeRegistryHost(component) ? component : undefined
}

function repositoryAt (host: string, name: string): Repository {
  if (!isRegistryHost(host)) throw ociError('NAME_INVALID', { message: `invalid registry ${JSON.stringify(host.slice(0, 200))}`, detail: { registry: host.slice(0, 200) } })
  const registry = canonicalRegistryHost(host)
  if (!isRepositoryName(name)) throw ociError('NAME_INVALID', { message: `invalid repository name ${JSON.stringify(name.slice(0, 300))}`, detail: { name: name.slice(0, 300) } })
  return { registry, name: canonicalName(registry, name) }
}
