/** libp2p's TCP transport puts the system's code on errors of the socket; what fails later fails in the handshake. */
const SOCKET_CODES = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'ECONNABORTED', 'EACCES', 'EINVAL']

export interface ConnectFailure {
  /** In a few words, for people. */
  readonly reason: string
  /** The address turned out to lead to ourselves. */
  readonly isSelf: boolean
}

/** Tells why a dial failed, as well as it can be told from outside. A wrong swarm key looks like noise: nothing in a protocol says so. */
export function explainConnectFailure (error: unknown, { hasSwarmKey }: { hasSwarmKey: boolean }): ConnectFailure {
  const errors = flatten(error)
  if (errors.some(({ name, message }) => name === 'InvalidPeerIdError' || message === 'Tried to dial self')) return { reason: 'it is our own address', isSelf: true }
  const socketError = errors.find(candidate => SOCKET_CODES.includes(codeOf(candidate)))
  if (socketError !== undefined) return { reason: socketError.message, isSelf: false }
  const unexpected = errors.find(({ name }) => name === 'UnexpectedPeerError')
  if (unexpected !== undefined) return { reason: 'another peer than the expected one answers there', isSelf: false }
  if (errors.some(({ name }) => name === 'NoValidAddressesError')) return { reason: 'no address to dial', isSelf: false }
  const first = errors[0]?.message ?? String(error)
  return {
    reason: `something answers there, but the handshake failed (${first}): perhaps a different swarm key${hasSwarmKey ? '' : ', where we have none'}`,
    isSelf: false
  }
}

function flatten (error: unknown): Error[] {
  if (error instanceof AggregateError) return error.errors.flatMap(flatten)
  if (!(error instanceof Error)) return []
  return [error, ...flatten(error.cause)]
}

function codeOf (error: Error): string {
  return 'code' in error ? String(error.code) : ''
}
