import { humanBytes, humanDigest } from '../../src/values/human.ts'
import { describePullEvent, describeSources } from './pull-view.ts'
import { terminalBars } from './terminal-bars.ts'
import type { PullEvent } from '../api-types.ts'
import type { PullView } from './pull-view.ts'
import type { MultiBar, SingleBar } from 'cli-progress'

/** More bars than a small terminal has lines would scroll it; the others show when one of these is done. */
const MAX_BARS = 12

/** A bar for each blob under way, which becomes a line above the bars when it is done. For terminals. */
export class BarsView implements PullView {
  readonly #bars: MultiBar
  readonly #byDigest = new Map<string, SingleBar>()

  constructor ({ output }: { output: NodeJS.WritableStream }) {
    this.#bars = terminalBars(output, '{name}  [{bar}] {percentage}%  {amount}  {sources}')
  }

  show (event: PullEvent): void {
    if (event.type === 'progress') this.#progress(event)
    if (event.type === 'layer-done') this.#remove(event.digest)
    const line = describePullEvent(event)
    if (line !== undefined) this.#log(line)
  }

  close (): void {
    for (const digest of this.#byDigest.keys()) this.#remove(digest)
    this.#bars.stop()
  }

  #progress (event: Extract<PullEvent, { type: 'progress' }>): void {
    const payload = { name: humanDigest(event.digest), amount: `${humanBytes(event.received)} of ${humanBytes(event.size)}`, sources: describeSources(event) }
    const bar = this.#byDigest.get(event.digest)
    if (bar !== undefined) {
      bar.setTotal(event.size)
      bar.update(event.received, payload)
    } else if (this.#byDigest.size < MAX_BARS) {
      this.#byDigest.set(event.digest, this.#bars.create(event.size, event.received, payload))
      this.#bars.update()
    }
  }

  #remove (digest: string): void {
    const bar = this.#byDigest.get(digest)
    if (bar === undefined) return
    bar.stop()
    this.#bars.remove(bar)
    this.#byDigest.delete(digest)
  }

  #log (line: string): void {
    this.#bars.log(`${line}\n`)
    this.#bars.update()
  }
}
