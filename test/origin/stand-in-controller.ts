import type { Dispatcher } from 'undici'

/** undici's side of one answer, without a socket. */
export class StandInController implements Dispatcher.DispatchController {
  paused = false
  aborted = false
  reason: Error | null = null

  pause (): void {
    this.paused = true
  }

  resume (): void {
    this.paused = false
  }

  abort (reason: Error): void {
    this.aborted = true
    this.reason = reason
  }
}
