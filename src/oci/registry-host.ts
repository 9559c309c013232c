const MAX_HOST_LENGTH = 253
const MAX_PORT = 65535
const HOST = /^([^:[\]]+|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?$/i
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

/** Docker Hub's registry as references write it. */
export const DOCKER_HUB = 'docker.io'
const DOCKER_HUB_ALIASES = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

/**
 * A registry as references write it: a DNS name, an IPv4 address or an IPv6 address in brackets, and a port if any.
 * Says nothing about whether that host may be asked.
 */
export function isRegistryHost (text: string): boolean {
  if (text.length > MAX_HOST_LENGTH + 6) return false
  const [, host, port] = HOST.exec(text) ?? []
  if (host === undefined || host.length > MAX_HOST_LENGTH) return false
  if (port !== undefined && (Number(port) < 1 || Number(port) > MAX_PORT)) return false
  return host.startsWith('[') ? URL.canParse(`http://${host}`) : host.split('.').every(label => LABEL.test(label))
}

/** Whether the first of several path components names a registry rather than a part of a repository. */
export function looksLikeRegistryHost (component: string): boolean {
  return component === 'localhost' || /[.:]/.test(component)
}

/** One spelling per registry: lower case, and Docker Hub's other names as `docker.io`. */
export function canonicalRegistryHost (host: string): string {
  const lower = host.toLowerCase()
  return DOCKER_HUB_ALIASES.has(lower) ? DOCKER_HUB : lower
}

/** Docker Hub keeps names of one component under `library/`. */
export function canonicalName (registry: string, name: string): string {
  return registry === DOCKER_HUB && !name.includes('/') ? `library/${name}` : name
}
