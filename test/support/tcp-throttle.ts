import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import type { AgentProcess } from '../../scenarios/live/agent-process.ts'

export interface TcpThrottleInit {
  /** Where it leads to, on the loopback interface. */
  readonly port: number
  /** For each direction of each connection. */
  readonly bytesPerSecond: number
}

/** A slow road to a port. */
export class TcpThrottle {
  readonly #init: TcpThrottleInit
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer(socket => { this.#join(socket) })

  private constructor (init: TcpThrottleInit) {
    this.#init = init
  }

  static async start (init: TcpThrottleInit): Promise<TcpThrottle> {
    const throttle = new TcpThrottle(init)
    throttle.#server.listen(0, '127.0.0.1')
    await once(throttle.#server, 'listening')
    return throttle
  }

  /** The agent behind it, by way of it. */
  multiaddrOf (agent: AgentProcess): string {
    return `/ip4/127.0.0.1/tcp/${(this.#server.address() as AddressInfo).port}/p2p/${agent.peerId}`
  }

  async stop (): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #join (near: Socket): void {
    const far = connect(this.#init.port, '127.0.0.1')
    for (const [from, to] of [[near, far], [far, near]] as const) {
      this.#sockets.add(from)
      from.on('error', () => { to.destroy() })
      from.once('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.pipe(this.#pace()).pipe(to)
    }
  }

  #pace (): Transform {
    const { bytesPerSecond } = this.#init
    let freeAtMs = 0
    return new Transform({
      transform (chunk: Buffer, _encoding, done) {
        const nowMs = performance.now()
        freeAtMs = Math.max(nowMs, freeAtMs) + chunk.length / bytesPerSecond * 1000
        setTimeout(() => { done(null, chunk) }, freeAtMs - nowMs)
      }
    })
  }
}
