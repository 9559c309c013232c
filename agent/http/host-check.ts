import { isIP } from 'node:net'

const PORT = /:\d{1,5}$/

/**
 * Whether a Host header may address this agent: IP addresses, localhost, and the names given. A page of a stranger whose
 * name was made to resolve to our address (DNS rebinding) comes with its own name and is refused.
 * @param allowedNames in lower case
 */
export function isAllowedHost (header: string | undefined, allowedNames: ReadonlySet<string>): boolean {
  if (header === undefined) return false
  const host = header.replace(PORT, '').replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '').toLowerCase()
  return isIP(host) !== 0 || host === 'localhost' || host.endsWith('.localhost') || allowedNames.has(host)
}
