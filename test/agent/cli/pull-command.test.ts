import { describe, expect, it } from 'vitest'
import { AgentApi } from '../../../agent/cli/agent-api.ts'
import { BarsView } from '../../../agent/cli/pull-bars.ts'
import { CliHarness, screenAfter, serve, TextSink } from './cli-harness.ts'
import type { PullEvent } from '../../../agent/api-types.ts'

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`
const LAYER = `sha256:${'fedcba9876543210'.repeat(4)}`
const SOURCES = { fromPeers: 3_000_000, fromOrigin: 420_000, fromStore: 0 }
const EVENTS: readonly PullEvent[] = [
  { type: 'manifest', reference: 'docker.io/library/alpine:3', digest: DIGEST, mediaType: 'm', stale: true },
  { type: 'layer', digest: LAYER, size: 3_420_000, mediaType: 'l' },
  { type: 'progress', digest: LAYER, received: 1_000_000, size: 3_420_000, fromPeers: 1_000_000, fromOrigin: 0, fromStore: 0 },
  { type: 'layer-done', digest: LAYER, size: 3_420_000, ...SOURCES, durationMs: 1200 },
  { type: 'done', digest: DIGEST, size: 3_420_000, ...SOURCES, durationMs: 1300 }
]

/** An agent that answers a pull with these events, in chunks that fall where they may. */
async function agentWith (events: readonly PullEvent[], { requests = [] as unknown[] } = {}): Promise<string> {
  return serve((request, response, body) => {
    requests.push([request.method, request.url, JSON.parse(body)])
    const text = events.map(event => `${JSON.stringify(event)}\n`).join('')
    const middle = Math.floor(text.length / 2)
    response.setHeader('content-type', 'application/x-ndjson')
    response.write(text.slice(0, middle), () => response.end(text.slice(middle)))
  })
}

describe('shoal pull', () => {
  it('tells each blob and its sources in lines when there is no terminal, and sums up on stdout', async () => {
    const cli = new CliHarness()
    expect(await cli.run('pull', 'alpine:3', '--http', await agentWith(EVENTS))).toBe(0)
    expect(cli.stderr.text).toBe([
      '0123456789ab  manifest of docker.io/library/alpine:3 (as last seen: its registry can\'t be reached)',
      'fedcba987654  3.42 MB in 1.2 s: 3.00 MB from peers, 420 kB from origin',
      ''
    ].join('\n'))
    expect(cli.stdout.text).toBe(`alpine:3  ${DIGEST}  3.42 MB in 1.3 s: 3.00 MB from peers, 420 kB from origin\n`)
  })

  it('leaves a terminal with the same lines and its cursor', async () => {
    const cli = new CliHarness()
    cli.stderr.isTTY = true
    expect(await cli.run('pull', 'alpine:3', '--http', await agentWith(EVENTS))).toBe(0)
    expect(screenAfter(cli.stderr.text)).toEqual([
      '0123456789ab  manifest of docker.io/library/alpine:3 (as last seen: its registry can\'t be reached)',
      'fedcba987654  3.42 MB in 1.2 s: 3.00 MB from peers, 420 kB from origin',
      ''
    ])
    expect(cli.stderr.text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(cli.stderr.text.lastIndexOf('\u001b[?25l'))
  })

  it('--json prints the events unchanged, --quiet the digest alone', async () => {
    const url = await agentWith(EVENTS)
    const [json, quiet] = [new CliHarness(), new CliHarness()]
    expect(await json.run('pull', 'alpine:3', '--http', url, '--json')).toBe(0)
    expect(json.stdout.text).toBe(EVENTS.map(event => `${JSON.stringify(event)}\n`).join(''))
    expect(await quiet.run('pull', 'alpine:3', '--http', url, '-q')).toBe(0)
    expect(quiet.stdout.text).toBe(`${DIGEST}\n`)
    expect(json.stderr.text + quiet.stderr.text).toBe('')
  })

  it('leaves the platform to the agent, or asks for the one named or all', async () => {
    const requests: unknown[] = []
    const url = await agentWith(EVENTS, { requests })
    for (const args of [[], ['--platform', 'linux/arm/v7'], ['--all-platforms']]) await new CliHarness().run('pull', 'a', '--http', url, ...args)
    expect(requests).toEqual([
      ['POST', '/api/v1/pull', { reference: 'a' }],
      ['POST', '/api/v1/pull', { reference: 'a', platform: 'linux/arm/v7' }],
      ['POST', '/api/v1/pull', { reference: 'a', platform: 'all' }]
    ])
  })

  it('ends with 1 and the reason when the agent says so, prints the event with --json too', async () => {
    const url = await agentWith([{ type: 'error', code: 'MANIFEST_UNKNOWN', message: 'no such tag\u001b[2J' }])
    const cli = new CliHarness()
    expect(await cli.run('pull', 'alpine:9', '--http', url)).toBe(1)
    expect(cli.stderr.text).toBe('shoal: can\'t pull alpine:9: no such tag (MANIFEST_UNKNOWN)\n')
    const json = new CliHarness()
    expect(await json.run('pull', 'alpine:9', '--http', url, '--json')).toBe(1)
    expect(json.stdout.text).toContain('"code":"MANIFEST_UNKNOWN"')
  })

  it('ends with 1 when the answer ends half-way, is cut, is refused or is no agent\'s', async () => {
    const urls = [
      await agentWith(EVENTS.slice(0, 3)),
      await serve((_, response) => { response.write(`${JSON.stringify(EVENTS[0])}\n`, () => response.destroy()) }),
      await serve((_, response) => { response.writeHead(400).end('{"errors":[{"code":"NAME_INVALID","message":"bad name"}]}') }),
      await serve((_, response) => { response.end('<html>\n') })
    ]
    const told = []
    for (const url of urls) {
      const cli = new CliHarness()
      expect(await cli.run('pull', 'alpine', '--http', url)).toBe(1)
      told.push(cli.stderr.text.trimEnd().split('\n').at(-1))
    }
    expect(told).toEqual([
      expect.stringMatching(/ended its answer half-way$/),
      expect.stringMatching(/it went away in the middle/),
      expect.stringMatching(/answers 400: bad name$/),
      expect.stringMatching(/is no shoal agent: <html>$/)
    ])
  })

  it('Ctrl-C ends the request', async () => {
    const closed = Promise.withResolvers<undefined>()
    const cli = new CliHarness()
    const url = await serve((_, response) => {
      response.on('close', () => { closed.resolve(undefined) })
      response.write(`${JSON.stringify(EVENTS[0])}\n`, () => { cli.signal('SIGINT') })
    })
    expect(await cli.run('pull', 'alpine', '--http', url)).toBe(1)
    expect(cli.stderr.text).toContain('stopped; what came so far is kept')
    expect(cli.listenerCount).toBe(0)
    await closed.promise
  })

  it('says how to go on when no agent answers', async () => {
    const cli = new CliHarness()
    expect(await cli.run('pull', 'alpine', '--http', 'http://127.0.0.1:1')).toBe(1)
    expect(cli.stderr.text).toMatch(/^shoal: no agent answers at http:\/\/127\.0\.0\.1:1 \(.*\): start one with "shoal agent"/)
  })
})

describe('bars on a terminal', () => {
  const other = `sha256:${'a'.repeat(64)}`
  const progress = (digest: string, received: number): PullEvent => ({ type: 'progress', digest, received, size: 2000, fromPeers: received, fromOrigin: 0, fromStore: 0 })
  const done = (digest: string): PullEvent => ({ type: 'layer-done', digest, size: 2000, fromPeers: 2000, fromOrigin: 0, fromStore: 0, durationMs: 5 })

  it('are one a blob under way, below the lines of those that are done', () => {
    const output = new TextSink()
    output.isTTY = true
    const view = new BarsView({ output })
    const screens = [progress(LAYER, 500), progress(other, 1000), done(LAYER), done(other)].map(event => {
      view.show(event)
      return screenAfter(output.text)
    })
    view.close()
    const bar = (name: string, filled: number, amount: string) => `${name}  [${'='.repeat(filled).padEnd(24)}]  ${filled * 100 / 24}%  ${amount} of 2.00 kB  ${amount} from peers`
    const line = (name: string) => `${name}  2.00 kB in 5 ms: 2.00 kB from peers`
    expect(screens[0]).toEqual([bar('fedcba987654', 6, '500 B')])
    expect(screens[1]).toEqual([bar('fedcba987654', 6, '500 B'), bar('aaaaaaaaaaaa', 12, '1.00 kB')])
    expect(screens[2]?.filter(text => text !== '')).toEqual([line('fedcba987654'), bar('aaaaaaaaaaaa', 12, '1.00 kB')])
    expect(screenAfter(output.text).filter(text => text !== '')).toEqual([line('fedcba987654'), line('aaaaaaaaaaaa')])
  })

  it('are never more than a small terminal holds', () => {
    const output = new TextSink()
    output.isTTY = true
    const view = new BarsView({ output })
    for (let i = 0; i < 40; i++) view.show(progress(`sha256:${String(i).padStart(64, '0')}${i}`, 1))
    expect(screenAfter(output.text)).toHaveLength(12)
    view.close()
    expect(screenAfter(output.text)).toEqual([''])
  })
})

describe('an agent that falls silent', () => {
  const waiting = async (url: string) => {
    const lines = []
    for await (const line of new AgentApi({ url }, { silenceTimeoutMs: 30, answerTimeoutMs: 30 }).post('/api/v1/pull', {})) lines.push(line)
    return lines
  }

  it('before or amid its answer is left at the deadline', async () => {
    const silent = await serve(() => {})
    await expect(waiting(silent)).rejects.toMatchObject({ code: 'DEADLINE', timeoutMs: 30 })
    await expect(new AgentApi({ url: silent }, { answerTimeoutMs: 30 }).get('/api/v1/status')).rejects.toMatchObject({ code: 'DEADLINE' })
    await expect(waiting(await serve((_, response) => { response.write('{}\n') }))).rejects.toMatchObject({ code: 'DEADLINE' })
  })

  it('or never ends a line is left too', async () => {
    const url = await serve((_, response) => { response.write('x'.repeat(1_100_000)) })
    await expect(new AgentApi({ url }).post('/api/v1/pull', {}).next()).rejects.toMatchObject({ code: 'AGENT_ANSWER' })
  })
})
