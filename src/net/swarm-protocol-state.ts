import { MAX_OPEN_CHANNELS } from './swarm-limits.ts'
import { SwarmMessageError, type SwarmMessage } from './swarm-message.ts'

/**
 * What one side of a link may say next, whatever transport brings it: one of these for each link, told every message that
 * comes. It knows no blob: whether a piece exists, was asked for or fits is the session's to judge.
 */
export class SwarmProtocolState {
  readonly #channels = new Set<number>()
  #isGreeted = false
  #hasSwitched = false

  /** @throws SwarmMessageError when the message may not come now */
  receive (message: SwarmMessage): void {
    if (this.#isGreeted === (message.type === 'hello')) throw new SwarmMessageError(this.#isGreeted ? 'a second hello' : `${message.type} before hello`)
    switch (message.type) {
      case 'hello':
        this.#isGreeted = true
        break
      case 'join':
        if (this.#channels.has(message.channel)) throw new SwarmMessageError(`channel ${message.channel} is open already`)
        if (this.#channels.size === MAX_OPEN_CHANNELS) throw new SwarmMessageError(`more than ${MAX_OPEN_CHANNELS} channels`)
        this.#channels.add(message.channel)
        break
      case 'leave':
        this.#mustBeOpen(message.channel)
        this.#channels.delete(message.channel)
        break
      case 'have':
      case 'take':
      case 'release':
      case 'request':
      case 'cancel':
      case 'reject':
      case 'piece':
      case 'attest':
      case 'accuse':
      case 'origin':
        this.#mustBeOpen(message.channel)
        break
      case 'lane-switch':
        if (this.#hasSwitched) throw new SwarmMessageError('a second switch to another lane')
        this.#hasSwitched = true
        break
      // `of` names a channel of ours, which we may have left while the message was on its way.
      case 'missing':
      case 'members':
      case 'lane-offer':
      case 'lane-refused':
      case 'ping':
      case 'pong':
        break
      default:
        message satisfies never
    }
  }

  #mustBeOpen (channel: number): void {
    if (!this.#channels.has(channel)) throw new SwarmMessageError(`channel ${channel} is not open`)
  }
}
