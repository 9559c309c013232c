import { AgentAnswerError } from './cli-error.ts'

/** Longer than any event. */
const MAX_LINE_LENGTH = 1024 * 1024

/** One text a line of newline-delimited JSON, as it was sent. @throws AgentAnswerError for an endless line */
export async function * readLines (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield * lines.filter(line => line.trim() !== '')
    if (rest.length > MAX_LINE_LENGTH) throw new AgentAnswerError('the agent sent a line without end')
  }
  if (rest.trim() !== '') yield rest
}
