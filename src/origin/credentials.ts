import { createHash } from 'node:crypto'

/** A user and password for Basic or for a token server; or Docker's identity token (an OAuth2 refresh token). */
export type Credential =
  | { readonly type: 'password', readonly username: string, readonly password: string }
  | { readonly type: 'identity-token', readonly token: string }

/** Where a credential is wanted. */
export interface CredentialTarget {
  /** Host that will be asked, with port if any; `docker.io` for Docker Hub. */
  readonly host: string
  /** Path of the repository at that host: keys of files may be scoped to a part of it. */
  readonly path: string
}

/** Where credentials come from: files, helpers, the configuration. */
export interface CredentialSource {
  /** undefined where there is none. Never throws for a file or helper that is missing or broken: that is logged. */
  find (target: CredentialTarget, options?: { signal?: AbortSignal }): Promise<Credential | undefined>
}

/** For those who have none. */
export const noCredentials: CredentialSource = {
  find: () => Promise.resolve(undefined)
}

/** Names a credential in caches without being one. */
export function credentialId (credential: Credential): string {
  const parts = credential.type === 'password' ? [credential.type, credential.username, credential.password] : [credential.type, credential.token]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

/** Value of an `Authorization` header: RFC 7617. */
export function basicAuthorization (username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
