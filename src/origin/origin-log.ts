/** What the origin does, for the log. URLs are without query and userinfo; nothing here is a secret. */
export type OriginLogEvent =
  | { readonly type: 'origin:request', readonly registry: string, readonly method: string, readonly url: string, readonly status: number, readonly durationMs: number }
  | { readonly type: 'origin:retry', readonly registry: string, readonly method: string, readonly url: string, readonly reason: string, readonly delayMs: number }
  | { readonly type: 'origin:rate-limited', readonly registry: string, readonly retryAfterMs: number }
  | { readonly type: 'origin:down', readonly registry: string, readonly reason: string, readonly forMs: number }
  | { readonly type: 'origin:resumed', readonly registry: string, readonly digest: string, readonly at: number, readonly reason: string }
  | { readonly type: 'origin:realm-refused', readonly registry: string, readonly realm: string, readonly reason: string }
  | { readonly type: 'origin:credentials-failed', readonly source: string, readonly reason: string }

/** Must not throw. */
export type OriginLog = (event: OriginLogEvent) => void

export const noLog: OriginLog = () => {}
