/** What stands where a secret was. */
export const REDACTED = '[redacted]'

const SECRET_NAME = /password|passwd|passphrase|secret|token|authorization|signature|credential|api[-_]?key|private[-_]?key|swarm[-_]?key|cookie|auth$|^sig$|^pwd$|^psk$/i
/** A name of ours that only sounds secret, or a name whose value is a place. */
const HARMLESS_NAME = /File$|^tokens?(Count|Ms)$/

const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g
const SWARM_KEY = /(\/key\/swarm\/psk\/1\.0\.0\/(?:\s|\\[nr])*\/(?:base16|base64|bin)\/(?:\s|\\[nr])*)[\w+/=]+/g
const URL_WITH_SECRETS = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)([^\s"'<>\\]+)/gi
const QUERY = /\?[\w%.~-]+=[^\s"'<>\\]*/g
const HEADER = /\b((?:proxy-)?authorization|(?:set-)?cookie|x-registry-auth)(\\*["']?\s*[:=,]\s*\\*["']?)[^\r\n"'\\]+/gi
const SCHEME = /\b(Basic|Bearer|Negotiate|NTLM|AWS4-HMAC-SHA256)(\s+)(?!\w+=\\?")[^\s"',;\\]+/gi
/** The value ends at a quote escaped as often as its first one, or at the end of the text. */
const NAMED = /([\w-]{0,40}(?:password|passwd|passphrase|secret|token|signature|credential|api[-_]?key)[\w-]{0,40}|[\w-]{0,40}auth|\bsig|\bpwd|\bpsk)(\\*["']?\s*[:=]\s*)((\\*)"[\s\S]*?(?:(?<!\\)\4"|$)|'[^']*'?|[^\s"',;&}\]]+)/gi
const JSON_WEB_TOKEN = /\beyJ[\w-]{4,}\.[\w-]+(?:\.[\w-]*)?/g
const ISSUED_TOKEN = /\b(?:gh[pousr]_|github_pat_|glpat-|dckr_[po]at_|hf_)[\w-]{8,}/g

/** Whether a field, header or parameter of this name holds a secret. */
export function isSecretName (name: string): boolean {
  return SECRET_NAME.test(name) && !HARMLESS_NAME.test(name)
}

/**
 * Text without credentials: no userinfo or query of a URL, no value of a header, field or parameter with a secret name,
 * no token that can be told by its shape, no key. Rather too much than too little: `Basic authentication` loses a word.
 */
export function redactText (text: string): string {
  return text
    .replace(PRIVATE_KEY, REDACTED)
    .replace(SWARM_KEY, `$1${REDACTED}`)
    .replace(URL_WITH_SECRETS, (_, scheme: string, rest: string) => scheme + redactUrlRest(rest))
    .replace(QUERY, `?${REDACTED}`)
    .replace(HEADER, `$1$2${REDACTED}`)
    .replace(SCHEME, `$1$2${REDACTED}`)
    .replace(NAMED, (whole, name: string, separator: string, value: string) =>
      HARMLESS_NAME.test(name) ? whole : `${name}${separator}${requote(value)}`)
    .replace(JSON_WEB_TOKEN, REDACTED)
    .replace(ISSUED_TOKEN, REDACTED)
}

/** Without userinfo, query and fragment. A password may hold an unescaped `/` or `@`. */
function redactUrlRest (rest: string): string {
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? ''
  const at = authority.includes('@') || !/:(?!\d*$)/.test(authority) ? authority.lastIndexOf('@') : rest.lastIndexOf('@')
  const bare = at < 0 ? rest : `${REDACTED}@${rest.slice(at + 1)}`
  const end = bare.search(/[?#]/)
  return end < 0 ? bare : `${bare.slice(0, end)}?${REDACTED}`
}

/** Keeps the quotes, so that JSON stays JSON. */
function requote (value: string): string {
  const quotes = /^\\*["']/.exec(value)?.[0] ?? ''
  return `${quotes}${REDACTED}${quotes}`
}
