import type { Socket } from 'node:net'
import { platform } from 'node:os'

/** Of tcp(7) and, on macOS, of <netinet/tcp.h>. */
const IPPROTO_TCP = 6
const TCP_NOTSENT_LOWAT: Partial<Record<NodeJS.Platform, number>> = { linux: 25, android: 25, darwin: 0x201 }
const OPTION_BYTES = 4

type SetSocketOption = (descriptor: number, level: number, option: number, value: number[], length: number) => number

const setSocketOption = await loadSetSocketOption()

/**
 * Lets the kernel hold no more than about so many bytes of a TCP socket that it may not send yet; by itself it takes up to
 * megabytes. On a slow link all that is said later waits behind them, in seconds. What has been sent and not acknowledged is
 * not counted, so a fast or long way is filled as before.
 *
 * @param socket connected, or a TLS socket on one that is
 * @returns false where the system, or this build of it, has no such option, or the socket has closed
 */
export function limitUnsent (socket: Socket, bytes: number): boolean {
  const option = TCP_NOTSENT_LOWAT[platform()]
  const descriptor = descriptorOf(socket)
  if (option === undefined || descriptor === undefined) return false
  return setSocketOption?.(descriptor, IPPROTO_TCP, option, [bytes], OPTION_BYTES) === 0
}

/** Node tells no socket's descriptor by its documented interface; TLS sockets have that of the socket below. */
function descriptorOf (socket: Socket): number | undefined {
  const { fd } = (socket as { readonly _handle?: { readonly fd?: number } | null })._handle ?? {}
  return fd !== undefined && fd >= 0 ? fd : undefined
}

/** Node sets few options of sockets, and not this one: the C library does. */
async function loadSetSocketOption (): Promise<SetSocketOption | undefined> {
  try {
    const { default: koffi } = await import('koffi')
    return koffi.load(null).func('int setsockopt(int descriptor, int level, int option, const uint32_t *value, uint32_t length)') as SetSocketOption
  } catch {
    // no binary of koffi for this platform
    return undefined
  }
}
