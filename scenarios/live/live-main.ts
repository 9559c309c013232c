import type { LiveReply, LiveRequest } from './live-messages.ts'
import { rehearse } from './rehearsal.ts'

/*
 * The process of a live run. All that it starts ends with it, its network goes with it, and it ends with the process that
 * started it: nothing can be left behind.
 */

const aborted = new AbortController()

process.on('message', (request: LiveRequest) => {
  if (request.type === 'stop') aborted.abort()
  else run(request).then(() => { process.exit() }, () => { process.exit(1) })
})
process.on('disconnect', () => { process.exit() })

async function run ({ type: _, ...init }: Extract<LiveRequest, { type: 'run' }>): Promise<void> {
  try {
    const end = await rehearse({
      ...init,
      signal: aborted.signal,
      onCalls: calls => { process.send?.({ type: 'calls', calls } satisfies LiveReply) },
      onNote: note => { process.send?.({ type: 'note', note } satisfies LiveReply) },
      onProgress: progress => { process.send?.({ type: 'progress', progress } satisfies LiveReply) }
    })
    await tell({ type: 'ended', ...end })
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    await tell({ type: 'failed', message, stack })
  }
}

async function tell (reply: LiveReply): Promise<void> {
  await new Promise<void>(resolve => { process.send?.(reply, () => { resolve() }) })
}
