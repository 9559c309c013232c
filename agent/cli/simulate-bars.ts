import { describeProgress, labelOf, partOf } from './simulate-view.ts'
import { terminalBars } from './terminal-bars.ts'
import type { RunProgress } from '../../scenarios/result.ts'
import type { RunPhase } from '../../scenarios/run.ts'
import type { SimulateView } from './simulate-view.ts'
import type { MultiBar, SingleBar } from 'cli-progress'

/** A bar counts in thousandths: bytes of a large rollout are more digits than a line has room for. */
const TOTAL = 1000

/** A bar for each run under way, which goes when it is over. For terminals. */
export class SimulateBars implements SimulateView {
  readonly #bars: MultiBar
  readonly #byName = new Map<string, SingleBar>()

  constructor ({ output }: { output: NodeJS.WritableStream }) {
    this.#bars = terminalBars(output, '{name}  [{bar}] {percentage}%  {time}  {hosts}  {bytes}, {origin}')
  }

  show (name: string, progress: RunProgress, phase: RunPhase): void {
    const value = Math.floor(TOTAL * partOf(progress))
    const payload = { name: labelOf(name, phase), ...describeProgress(progress) }
    const bar = this.#byName.get(name)
    if (bar !== undefined) bar.update(value, payload)
    else {
      this.#byName.set(name, this.#bars.create(TOTAL, value, payload))
      this.#bars.update()
    }
  }

  remove (name: string): void {
    const bar = this.#byName.get(name)
    if (bar === undefined) return
    bar.stop()
    this.#bars.remove(bar)
    this.#byName.delete(name)
  }

  close (): void {
    for (const name of [...this.#byName.keys()]) this.remove(name)
    this.#bars.stop()
  }
}
