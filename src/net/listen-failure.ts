import { createServer } from 'node:net'
import { parseListenAddress } from './addresses.ts'
import { ListenError } from './node-error.ts'

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EADDRNOTAVAIL: 'this host does not have the address',
  EACCES: 'not allowed'
}

/** libp2p says only that some address failed, in prose: try each to name it. Other errors are returned as they are. */
export async function explainListenFailure (error: unknown, listen: readonly string[]): Promise<unknown> {
  if (!(error instanceof Error) || error.name !== 'UnsupportedListenAddressesError') return error
  for (const address of listen) {
    const code = await tryListening(address)
    if (code !== undefined) return new ListenError(address, REASONS[code] ?? code, { cause: error })
  }
  return new ListenError(listen.join(', '), 'none of the addresses can be had', { cause: error })
}

/** @returns the system's error code, or undefined when it can be listened on */
async function tryListening (address: string): Promise<string | undefined> {
  const [host, port] = parseListenAddress(address).getComponents()
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  server.once('error', error => { resolve('code' in error ? String(error.code) : error.message) })
  server.listen({ host: host?.value, port: Number(port?.value) }, () => { server.close(() => { resolve(undefined) }) })
  return promise
}
