import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { request } from 'undici'
import type { PullEvent } from '../../agent/api-types.ts'

export interface AgentPullInit {
  /** Told each line of the agent's answer. */
  readonly onEvent?: (event: PullEvent) => void
  readonly signal?: AbortSignal
}

/** `shoal pull` without the CLI: resolves when the whole image is committed. @throws Error with the agent's reason */
export async function pullByAgent (url: string, reference: string, { onEvent = () => {}, signal }: AgentPullInit = {}): Promise<PullEvent> {
  const { statusCode, body } = await request(`${url}/api/v1/pull`, {
    method: 'POST',
    body: JSON.stringify({ reference }),
    headers: { 'content-type': 'application/json' },
    headersTimeout: 60_000,
    bodyTimeout: 120_000,
    signal
  })
  if (statusCode !== 200) throw new Error(`pull of ${reference}: ${statusCode} ${await body.text()}`)
  let last: PullEvent | undefined
  for await (const line of createInterface({ input: Readable.from(body) })) {
    last = JSON.parse(line) as PullEvent
    onEvent(last)
  }
  if (last?.type !== 'done') throw new Error(`pull of ${reference} ended with ${JSON.stringify(last)}`)
  return last
}
