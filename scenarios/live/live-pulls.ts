import type { Plan } from '../plan.ts'
import { inTurns } from './in-turns.ts'
import { PullRefusedError, pullImages } from './image-pull.ts'
import { IMAGE_NAME, wantedBy, type LiveContent } from './live-content.ts'
import { isLiar, type LiveHost } from './live-host.ts'
import type { RunFacts } from './run-facts.ts'
import { reached, type RunTime } from './run-time.ts'

/** As a kubelet does that could not pull: again after so long, twice as long each time, and in all so often. Milliseconds. */
const RETRY_MS = 10_000
const MAX_TRIES = 6

export interface LivePullsInit {
  readonly plan: Pick<Plan, 'rolling'>
  readonly hosts: readonly LiveHost[]
  readonly content: LiveContent
  readonly facts: RunFacts
  readonly time: RunTime
}

/** The pulls of a run: each begins when its plan says so, or when it is its turn. */
export class LivePulls {
  readonly #init: LivePullsInit
  /** Of hosts that have gone for good. */
  readonly #gone = new Map<LiveHost, AbortController>()
  readonly #done = new Set<LiveHost>()

  constructor (init: LivePullsInit) {
    this.#init = init
    for (const host of init.hosts) this.#gone.set(host, new AbortController())
  }

  /** Resolves when nothing more is expected of any host, or the run has ended. */
  async run (): Promise<void> {
    const { plan, hosts } = this.#init
    const pulling = hosts.filter(({ planned }) => planned.pull !== undefined && !isLiar(planned))
    const byName = new Map(pulling.map(host => [host.planned.name, host]))
    await Promise.all([
      ...pulling.map(async host => this.#atItsTime(host)),
      ...plan.rolling.map(async ({ hosts, fromMs, maxUnavailable }) => this.#roll(hosts.flatMap(name => byName.get(name) ?? []), fromMs, maxUnavailable))
    ])
  }

  isDone (host: LiveHost): boolean {
    return this.#done.has(host)
  }

  /** Nothing more is expected of it. */
  gone (host: LiveHost): void {
    this.#gone.get(host)?.abort()
  }

  async #atItsTime (host: LiveHost): Promise<void> {
    const startMs = host.planned.pull?.startMs
    if (startMs !== undefined && await reached(this.#init.time, startMs)) await this.#pull(host)
  }

  async #roll (hosts: readonly LiveHost[], fromMs: number, maxUnavailable: number): Promise<void> {
    if (await reached(this.#init.time, fromMs)) await inTurns(hosts, maxUnavailable, async host => this.#pull(host))
  }

  async #pull (host: LiveHost): Promise<void> {
    const { content, facts, time } = this.#init
    const gone = this.#gone.get(host)?.signal ?? time.end
    const signal = AbortSignal.any([time.end, gone])
    if (signal.aborted) return
    facts.started(host)
    for (let tries = 1; ; tries++) {
      try {
        await pullImages({
          agentUrl: host.agent.url,
          name: IMAGE_NAME,
          ...wantedBy(host.planned, content),
          parallelLayers: host.planned.pull?.parallelLayers ?? 1,
          onWrong: bytes => { facts.wrong(host, bytes) },
          signal
        })
        this.#done.add(host)
        facts.done(host)
        return
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof PullRefusedError) || tries === MAX_TRIES) {
          facts.failed(host, error instanceof Error ? error.message : String(error))
          return
        }
      }
      if (!await reached({ ...time, end: signal }, time.nowMs() + RETRY_MS * 2 ** (tries - 1))) return
    }
  }
}
