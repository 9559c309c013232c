import type { RunObserver } from '../result.ts'

/** One call of an observer: its name, and what goes in. */
export type ObserverCall = { [Name in keyof RunObserver]: readonly [Name, ...Parameters<RunObserver[Name]>] }[keyof RunObserver]

/** Puts what is heard of many processes, each a little late, into the order in which it happened. */
export class Chronicle {
  readonly #notes: Array<{ readonly atMs: number, readonly call: ObserverCall }> = []
  #toldMs = 0

  note (atMs: number, call: ObserverCall): void {
    this.#notes.push({ atMs, call })
  }

  /** What has happened until then and was not taken; what is heard of too late is told as if it had just happened. */
  take (untilMs: number): ObserverCall[] {
    const due = this.#notes.filter(({ atMs }) => atMs <= untilMs).sort((one, other) => one.atMs - other.atMs)
    const rest = this.#notes.filter(({ atMs }) => atMs > untilMs)
    this.#notes.splice(0, this.#notes.length, ...rest)
    return due.map(({ atMs, call }) => {
      this.#toldMs = Math.max(this.#toldMs, atMs)
      return dated(call, this.#toldMs)
    })
  }
}

/** The call with that time, where it has one. */
function dated (call: ObserverCall, atMs: number): ObserverCall {
  switch (call[0]) {
    case 'crossedBorder':
    case 'waited':
      return call
    case 'event':
      return ['event', { ...call[1], atMs }]
    default:
      return [...call.slice(0, -1), atMs] as unknown as ObserverCall
  }
}

/** Makes the calls. */
export function tellAll (observer: RunObserver, calls: readonly ObserverCall[]): void {
  for (const [name, ...facts] of calls) (observer[name] as (...facts: unknown[]) => void)(...facts)
}
