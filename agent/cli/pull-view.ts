import { humanBytes, humanDigest, humanDuration } from '../../src/values/human.ts'
import { printable } from '../../src/values/printable.ts'
import type { TextOutput } from './cli-context.ts'
import type { BytesBySource, PullEvent } from '../api-types.ts'

/** Shows a pull as it goes. */
export interface PullView {
  show (event: PullEvent): void
  /** Leaves the terminal as it was; called once, whatever the end. */
  close (): void
}

/** One line for what begins and what ends, for files and pipes. */
export class LinesView implements PullView {
  readonly #output: TextOutput

  constructor ({ output }: { output: TextOutput }) {
    this.#output = output
  }

  show (event: PullEvent): void {
    const line = describePullEvent(event)
    if (line !== undefined) this.#output.write(`${line}\n`)
  }

  close (): void {}
}

/** Undefined for what needs no line of its own. */
export function describePullEvent (event: PullEvent): string | undefined {
  switch (event.type) {
    case 'manifest': return `${humanDigest(event.digest)}  manifest of ${printable(event.reference)}${event.stale === true ? ' (as last seen: its registry can\'t be reached)' : ''}`
    case 'layer-done': return `${humanDigest(event.digest)}  ${humanBytes(event.size)} in ${humanDuration(event.durationMs)}: ${describeSources(event)}`
    case 'layer':
    case 'progress':
    case 'done':
    case 'error':
      return undefined
  }
}

/** `1.20 MB from peers, 3 kB from origin`; sources that gave nothing are left out. */
export function describeSources ({ fromPeers, fromOrigin, fromStore }: BytesBySource): string {
  const parts = [['peers', fromPeers], ['origin', fromOrigin], ['store', fromStore]] as const
  return parts.filter(([, bytes]) => bytes > 0).map(([name, bytes]) => `${humanBytes(bytes)} from ${name}`).join(', ') || 'nothing to fetch'
}
