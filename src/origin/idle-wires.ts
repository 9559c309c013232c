import type { Wire } from './wire.ts'

/** Below what servers usually grant: Node's own closes after 5 s. */
const IDLE_MS = 4000
const MAX_IDLE_PER_HOST = 8

/** Connections that wait for another request. Owns them: those that end, time out or speak unasked are dropped. */
export class IdleWires {
  readonly #byHost = new Map<string, Map<Wire, () => void>>()
  #isClosed = false

  /** A connection to the host; the caller owns it from now on. */
  take (host: string): Wire | undefined {
    const wires = this.#byHost.get(host)
    // the one used last: most likely still open
    const [wire, leave] = [...wires ?? []].at(-1) ?? []
    leave?.()
    return wire
  }

  put (host: string, wire: Wire): void {
    const wires = this.#byHost.get(host) ?? new Map<Wire, () => void>()
    const { socket } = wire
    if (this.#isClosed || socket.destroyed || wires.size >= MAX_IDLE_PER_HOST) {
      socket.destroy()
      return
    }
    const drop = (): void => {
      leave()
      socket.destroy()
    }
    const timer = setTimeout(drop, IDLE_MS).unref()
    const leave = (): void => {
      clearTimeout(timer)
      socket.off('end', drop).off('close', drop).off('error', drop)
      socket.ref()
      wires.delete(wire)
      if (wires.size === 0) this.#byHost.delete(host)
    }
    wire.receiveBy(undefined)
    socket.on('end', drop).on('close', drop).on('error', drop)
    socket.unref()
    wires.set(wire, leave)
    this.#byHost.set(host, wires)
  }

  close (): void {
    this.#isClosed = true
    for (const wires of [...this.#byHost.values()]) {
      for (const [wire, leave] of [...wires]) {
        leave()
        wire.socket.destroy()
      }
    }
  }
}
