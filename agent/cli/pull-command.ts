import { printable } from '../../src/values/printable.ts'
import { AgentApi } from './agent-api.ts'
import { agentUrl } from './agent-url.ts'
import { AgentAnswerError, UsageError } from './cli-error.ts'
import { humanBytes, humanDuration } from '../../src/values/human.ts'
import { LinesView, describeSources } from './pull-view.ts'
import type { PullEvent, PullRequest } from '../api-types.ts'
import type { CliContext } from './cli-context.ts'
import type { PullView } from './pull-view.ts'

const PLATFORM = /^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9.]+)?$/

/** `shoal pull REF`. Progress goes to stderr, what is to be kept to stdout. @throws UsageError, AgentUnreachableError, AgentAnswerError, DeadlineError */
export async function runPullCommand (reference: string, options: Readonly<Record<string, unknown>>, context: CliContext): Promise<void> {
  const request = pullRequest(reference, options)
  const api = new AgentApi({ url: await agentUrl(options.http, context) })
  const aborted = new AbortController()
  const unsubscribe = context.onSignal(() => { aborted.abort(new AgentAnswerError('stopped; what came so far is kept')) })
  const asJson = options.json === true
  const isQuiet = options.quiet === true
  const view = await createView(asJson || isQuiet, context)
  let last: PullEvent | undefined
  try {
    for await (const line of api.post('/api/v1/pull', request, { signal: aborted.signal })) {
      last = parseEvent(line, api.url)
      if (asJson) context.stdout.write(`${line}\n`)
      view?.show(last)
    }
  } finally {
    unsubscribe()
    view?.close()
  }
  if (last?.type === 'error') throw new AgentAnswerError(`can't pull ${reference}: ${printable(last.message)} (${printable(last.code)})`)
  if (last?.type !== 'done') throw new AgentAnswerError(`the agent at ${api.url} ended its answer half-way`)
  if (isQuiet) context.stdout.write(`${printable(last.digest)}\n`)
  else if (!asJson) context.stdout.write(`${reference}  ${printable(last.digest)}  ${humanBytes(last.size)} in ${humanDuration(last.durationMs)}: ${describeSources(last)}\n`)
}

function pullRequest (reference: string, { platform, allPlatforms, json, quiet }: Readonly<Record<string, unknown>>): PullRequest {
  if (json === true && quiet === true) throw new UsageError('--json and --quiet exclude each other')
  if (allPlatforms === true) {
    if (platform !== undefined) throw new UsageError('--platform and --all-platforms exclude each other')
    return { reference, platform: 'all' }
  }
  if (typeof platform !== 'string') return { reference }
  if (!PLATFORM.test(platform)) throw new UsageError(`--platform: ${JSON.stringify(platform)} is not allowed; expected os/arch or os/arch/variant, such as linux/amd64 or linux/arm/v7`)
  return { reference, platform }
}

async function createView (isSilent: boolean, { stderr }: CliContext): Promise<PullView | undefined> {
  if (isSilent) return undefined
  if (stderr.isTTY !== true) return new LinesView({ output: stderr })
  const { BarsView } = await import('./pull-bars.ts')
  return new BarsView({ output: stderr })
}

function parseEvent (line: string, url: string): PullEvent {
  try {
    return JSON.parse(line) as PullEvent
  } catch (error) {
    throw new AgentAnswerError(`what answers at ${url} is no shoal agent: ${printable(line.slice(0, 100))}`, { cause: error })
  }
}
