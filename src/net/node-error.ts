import { ShoalError } from '../errors.ts'

/** An address to listen on cannot be had: in use, not ours, or not allowed. */
export class ListenError extends ShoalError {
  override readonly code = 'NET_LISTEN'
  readonly address: string

  constructor (address: string, reason: string, options?: ErrorOptions) {
    super(`cannot listen on ${address}: ${reason}`, options)
    this.address = address
  }
}

/** The text is not an address this agent can use. */
export class AddressError extends ShoalError {
  override readonly code = 'NET_ADDRESS'
  readonly address: string

  constructor (address: string, reason: string, options?: ErrorOptions) {
    super(`invalid address ${JSON.stringify(address)}: ${reason}`, options)
    this.address = address
  }
}

/** The text is no swarm key. */
export class SwarmKeyError extends ShoalError {
  override readonly code = 'NET_SWARM_KEY'

  constructor (reason: string) {
    super(`invalid swarm key: ${reason}; expected three lines: /key/swarm/psk/1.0.0/, /base16/, and 64 hexadecimal digits`)
  }
}

/** The file with this agent's private key cannot be used. */
export class IdentityError extends ShoalError {
  override readonly code = 'NET_IDENTITY'
  readonly path: string

  constructor (path: string, reason: string, options?: ErrorOptions) {
    super(`cannot use the identity in ${path}: ${reason}`, options)
    this.path = path
  }
}

/** What the agent knows of the network cannot be opened. */
export class NetDatastoreError extends ShoalError {
  override readonly code = 'NET_DATASTORE'
  readonly path: string

  constructor (path: string, reason: string, options?: ErrorOptions) {
    super(`cannot open ${path}: ${reason}`, options)
    this.path = path
  }
}

/** Asked of a node that is not running. */
export class NodeNotStartedError extends ShoalError {
  override readonly code = 'NET_NOT_STARTED'
  override readonly retryable = true

  constructor () {
    super('the network node is not running')
  }
}

/** A peer could not be connected to. */
export class ConnectError extends ShoalError {
  override readonly code = 'NET_CONNECT'
  override readonly retryable = true
  readonly address: string

  constructor (address: string, reason: string, options?: ErrorOptions) {
    super(`cannot connect to ${address}: ${reason}`, options)
    this.address = address
  }
}
