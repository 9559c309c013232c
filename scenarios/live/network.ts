import type { OneWay } from './link-discipline.ts'

/** A link, both ways, as its host sees it. */
export interface Link {
  readonly up: OneWay
  readonly down: OneWay
}

/** Where a process runs, and by which addresses it is reached. */
export interface Place {
  /** Command in front of the process's own; may be empty. */
  readonly runner: readonly string[]
  /** Address for this process's own questions: never shaped, as a client on the same host would ask. */
  readonly controlHost: string
  /** Address for the other hosts. */
  readonly host: string
  /** From now on its link is so; undefined: as fast as it can. Does nothing where links cannot be shaped. */
  shape (link: Link | undefined): Promise<void>
}

/** Places for the registry and for hosts. */
export interface Network {
  readonly isShapeable: boolean
  readonly registry: Place
  /** Group by group. */
  readonly hosts: readonly Place[]
  close (): Promise<void>
}

/** What to spawn so that a script runs there, by the Node that runs us. */
export function scriptAt ({ runner }: Pick<Place, 'runner'>, script: string, args: readonly string[]): [command: string, args: string[]] {
  const [command = '', ...rest] = [...runner, process.execPath, script, ...args]
  return [command, rest]
}

/** All in one network, at the loopback address. */
export function loopbackNetwork (hosts: number): Network {
  const place: Place = { runner: [], controlHost: '127.0.0.1', host: '127.0.0.1', shape: async () => {} }
  return { isShapeable: false, registry: place, hosts: Array.from({ length: hosts }, () => place), close: async () => {} }
}

/** A link of one pace up and down, for TCP payload; undefined: as fast as it can. */
export function evenLink (bytesPerSecond: number | undefined): Link | undefined {
  return bytesPerSecond === undefined ? undefined : { up: { rate: bytesPerSecond }, down: { rate: bytesPerSecond } }
}
