import { formatListenAddress, parseListenAddress, type ListenAddress } from './listen-address.ts'

const OFF = 'off'

/** Where the direct lane listens, if it does. */
export type DirectAddress = ListenAddress | typeof OFF

/** `HOST:PORT`, `[IPV6]:PORT` or `off`; undefined for anything else. */
export function parseDirectAddress (text: string): DirectAddress | undefined {
  return text === OFF ? OFF : parseListenAddress(text)
}

export function formatDirectAddress (address: DirectAddress): string {
  return address === OFF ? OFF : formatListenAddress(address)
}
