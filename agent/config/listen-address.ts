import { isIP, isIPv6 } from 'node:net'

/** Where a server listens. */
export interface ListenAddress {
  /** IP address without brackets, or a host name. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i
const PORT = /^\d{1,5}$/
const MAX_PORT = 65_535

export function isHostName (text: string): boolean {
  return HOST_NAME.test(text)
}

/** `HOST:PORT` or `[IPV6]:PORT`; undefined for anything else. */
export function parseListenAddress (text: string): ListenAddress | undefined {
  const colon = text.lastIndexOf(':')
  const hostText = text.slice(0, Math.max(colon, 0))
  const port = parsePort(text.slice(colon + 1))
  const host = hostText.startsWith('[') && hostText.endsWith(']') ? hostText.slice(1, -1) : hostText
  if (port === undefined || (host === hostText ? !isHostOrIPv4(host) : !isIPv6(host))) return undefined
  return { host, port }
}

export function formatListenAddress ({ host, port }: ListenAddress): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

/** A port in decimal, 0 to 65535. */
export function parsePort (text: string): number | undefined {
  const port = Number(text)
  return PORT.test(text) && port <= MAX_PORT ? port : undefined
}

/** A dotted number that is no address (`300.1.1.1`) is a slip, not a name. */
function isHostOrIPv4 (text: string): boolean {
  return isIP(text) === 4 || (isHostName(text) && !/^[\d.]+$/.test(text))
}
