import { canonicalRegistryHost } from '../oci/registry-host.ts'
import type { Credential, CredentialTarget } from './credentials.ts'

/** What a Docker `config.json` or podman `auth.json` says of credentials. */
export interface DockerConfig {
  /** By host (`docker.io`, `registry.example:5000`) or host and path (`ghcr.io/team`). */
  readonly credentials: ReadonlyMap<string, Credential>
  /** Helper by host. */
  readonly helpers: ReadonlyMap<string, string>
  /** Helper for every other host. */
  readonly store: string | undefined
}

export type DockerConfigAnswer =
  | { readonly type: 'credential', readonly credential: Credential }
  | { readonly type: 'helper', readonly helper: string }
  | undefined

/** @throws Error in plain words; never with a part of the text, which holds secrets */
export function readDockerConfig (text: string): DockerConfig {
  const document = objectOf(parse(text))
  if (document === undefined) throw new Error('not a JSON object')
  const credentials = new Map<string, Credential>()
  for (const [key, entry] of Object.entries(objectOf(document['auths']) ?? {})) {
    const credential = credentialOf(objectOf(entry) ?? {})
    if (credential !== undefined) credentials.set(normalizeKey(key), credential)
  }
  const helpers = new Map<string, string>()
  for (const [key, helper] of Object.entries(objectOf(document['credHelpers']) ?? {})) {
    if (isNonEmpty(helper)) helpers.set(normalizeKey(key), helper)
  }
  return { credentials, helpers, store: isNonEmpty(document['credsStore']) ? document['credsStore'] : undefined }
}

/** The longest key that leads to the repository wins; helpers know whole hosts only. */
export function searchDockerConfig (config: DockerConfig, { host, path }: CredentialTarget): DockerConfigAnswer {
  const components = path.split('/')
  for (let length = components.length; length > 0; length--) {
    const scoped = config.credentials.get(`${host}/${components.slice(0, length).join('/')}`)
    if (scoped !== undefined) return { type: 'credential', credential: scoped }
  }
  const helper = config.helpers.get(host)
  if (helper !== undefined) return { type: 'helper', helper }
  const credential = config.credentials.get(host)
  if (credential !== undefined) return { type: 'credential', credential }
  return config.store === undefined ? undefined : { type: 'helper', helper: config.store }
}

/** Keys were URLs once (`https://index.docker.io/v1/`); hosts have one spelling here. */
function normalizeKey (key: string): string {
  const bare = key.replace(/^https?:\/\//i, '').replace(/\/+$/, '').replace(/\/v[12]$/, '')
  const slash = bare.indexOf('/')
  return slash === -1 ? canonicalRegistryHost(bare) : `${canonicalRegistryHost(bare.slice(0, slash))}${bare.slice(slash)}`
}

function credentialOf (entry: Readonly<Record<string, unknown>>): Credential | undefined {
  const { identitytoken: identityToken, username, password, auth } = entry
  if (isNonEmpty(identityToken)) return { type: 'identity-token', token: identityToken }
  if (isNonEmpty(username) && isNonEmpty(password)) return { type: 'password', username, password }
  if (!isNonEmpty(auth)) return undefined
  const decoded = Buffer.from(auth, 'base64').toString().replace(/\0+$/, '')
  const colon = decoded.indexOf(':')
  return colon < 1 ? undefined : { type: 'password', username: decoded.slice(0, colon), password: decoded.slice(colon + 1) }
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own words quote the text.
    throw new Error('not JSON')
  }
}

function objectOf (value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : undefined
}

function isNonEmpty (value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
