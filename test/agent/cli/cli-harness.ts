import { createServer } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { onTestFinished } from 'vitest'
import { runCli } from '../../../agent/cli/run.ts'
import type { CliContext } from '../../../agent/cli/cli-context.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A stream that keeps what is written to it. */
export class TextSink extends Writable {
  text = ''
  isTTY = false
  columns = 120
  readonly #waiting = new Map<RegExp, () => void>()

  override _write (chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    for (const [pattern, resolve] of this.#waiting) if (pattern.test(this.text)) resolve()
    done()
  }

  /** Until such a text has been written. */
  async until (pattern: RegExp): Promise<void> {
    if (!pattern.test(this.text)) await new Promise<void>(resolve => { this.#waiting.set(pattern, resolve) })
  }
}

/** What a terminal shows after this was written to it: one text a line. Knows the few sequences progress bars use. */
export function screenAfter (text: string): string[] {
  const lines: string[] = ['']
  let [row, column] = [0, 0]
  // eslint-disable-next-line no-control-regex -- terminal sequences begin with one
  for (const [token, count, command] of text.matchAll(/\u001b\[\??(\d*)([A-Za-z])|\n|[^\n\u001b]+/g)) {
    const line = lines[row] ?? ''
    if (token === '\n') [row, column] = [row + 1, 0]
    else if (command === 'A') row -= Number(count)
    else if (command === 'B') row += Number(count)
    else if (command === 'G') column = Number(count) - 1
    else if (command === 'K') lines[row] = count === '2' ? '' : line.slice(0, column)
    else if (command === 'J') lines.splice(row, Infinity, line.slice(0, column))
    else if (command === undefined) {
      lines[row] = line.slice(0, column).padEnd(column) + token + line.slice(column + token.length)
      column += token.length
    }
  }
  return Array.from(lines, line => (line ?? '').trimEnd())
}

/** The command line in this process, with the world around it in the test's hands. */
export class CliHarness {
  readonly stdout = new TextSink()
  readonly stderr = new TextSink()
  readonly env: Record<string, string> = {}
  readonly exits: number[] = []
  startAgent: CliContext['startAgent'] = async () => { throw new Error('no agent in this test') }
  readonly #listeners = new Set<(name: NodeJS.Signals) => void>()

  get context (): CliContext {
    return {
      stdout: this.stdout,
      stderr: this.stderr,
      env: this.env,
      onSignal: listener => {
        this.#listeners.add(listener)
        return () => { this.#listeners.delete(listener) }
      },
      exitNow: code => { this.exits.push(code) },
      startAgent: async (config, components) => this.startAgent(config, components)
    }
  }

  async run (...args: string[]): Promise<number> {
    return runCli(args, this.context)
  }

  signal (name: NodeJS.Signals): void {
    for (const listener of this.#listeners) listener(name)
  }

  get listenerCount (): number {
    return this.#listeners.size
  }
}

/** A directory that goes with the test. */
export async function temporaryDirectory (): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-cli-'))
  onTestFinished(async () => { await rm(directory, { recursive: true, force: true }) })
  return directory
}

/** An HTTP server in place of the agent's. @returns its URL */
export async function serve (answer: (request: IncomingMessage, response: ServerResponse, body: string) => void): Promise<string> {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => { body += chunk }).on('end', () => { answer(request, response, body) })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise(resolve => { server.close(resolve) })
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
