import type { Libp2p, PeerId, Stream } from '@libp2p/interface'

/**
 * A stream to a peer, dialling it if need be. When the other side ends the muxer but not the socket, libp2p goes on listing the
 * connection, and answers each new stream by an error, until its next ping: such a connection is freed here, and another made.
 * @throws what libp2p throws
 */
export async function openFreshStream (libp2p: Pick<Libp2p, 'dialProtocol' | 'getConnections'>, peer: PeerId, protocol: string, options: { signal: AbortSignal }): Promise<Stream> {
  try {
    return await libp2p.dialProtocol(peer, protocol, options)
  } catch (error) {
    if (!isConnectionClosed(error)) throw error
  }
  for (const connection of libp2p.getConnections(peer)) {
    try {
      return await connection.newStream(protocol, options)
    } catch (error) {
      if (!isConnectionClosed(error)) throw error
      connection.abort(error)
    }
  }
  return libp2p.dialProtocol(peer, protocol, options)
}

function isConnectionClosed (error: unknown): error is Error {
  return error instanceof Error && error.name === 'ConnectionClosedError'
}
