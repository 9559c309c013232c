import { once } from 'node:events'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { runAgentCommand } from '../../../agent/cli/agent-command.ts'
import { CliHarness, temporaryDirectory } from './cli-harness.ts'
import type { Config } from '../../../agent/config/schema.ts'

let cli: CliHarness
let options: string[]
const events = new EventTarget()

beforeEach(async () => {
  cli = new CliHarness()
  options = ['--data', join(await temporaryDirectory(), 'data'), '--log-level', 'silent']
})

/** An agent that tells when it was started, and stops when told. */
function stubAgent (stop: () => Promise<void> = async () => {}): { started: Promise<unknown>, config: () => Config | undefined } {
  let seen: Config | undefined
  const started = once(events, 'started')
  cli.startAgent = async config => {
    seen = config
    setImmediate(() => events.dispatchEvent(new Event('started')))
    return { addresses: () => ({ http: 'http://127.0.0.1:5009', p2p: ['/ip4/192.0.2.1/tcp/5001'] }), stop }
  }
  return { started, config: () => seen }
}

it('--print-config prints what is in force and starts nothing', async () => {
  expect(await cli.run('agent', ...options, '--print-config', '--no-mdns')).toBe(0)
  expect(cli.stdout.text).toContain('mdns: false # --no-mdns\n')
  expect(await cli.run('agent', ...options, '--print-config', '--json')).toBe(0)
})

it('flags reach the agent as configuration', async () => {
  const { started, config } = stubAgent()
  const running = cli.run('agent', ...options, '--http', '127.0.0.1:0', '--bootstrap', '/ip4/192.0.2.1/tcp/1', '/ip4/192.0.2.2/tcp/1', '--bootstrap', '/ip4/192.0.2.3/tcp/1', '--origin', 'docker.io=http://127.0.0.1:5009', '--timeouts-manifest', '7s')
  await started
  cli.signal('SIGTERM')
  expect(await running).toBe(0)
  expect(config()).toMatchObject({
    http: { host: '127.0.0.1', port: 0 },
    bootstrap: ['/ip4/192.0.2.1/tcp/1', '/ip4/192.0.2.2/tcp/1', '/ip4/192.0.2.3/tcp/1'],
    origins: { 'docker.io': { url: 'http://127.0.0.1:5009' } },
    timeouts: { manifest: 7000 }
  })
})

describe.each(['SIGINT', 'SIGTERM'] as const)('%s', name => {
  it('stops the agent, ends with 0 and listens for no more signals', async () => {
    let stops = 0
    const { started } = stubAgent(async () => { stops++ })
    const running = cli.run('agent', ...options)
    await started
    cli.signal(name)
    expect(await running).toBe(0)
    expect([stops, cli.exits, cli.listenerCount]).toEqual([1, [], 0])
  })

  it('a second time ends the process at once', async () => {
    const stopped = Promise.withResolvers<undefined>()
    const { started } = stubAgent(async () => { await stopped.promise })
    const running = cli.run('agent', ...options)
    await started
    cli.signal(name)
    expect(cli.exits).toEqual([])
    cli.signal(name)
    expect(cli.exits).toEqual([1])
    stopped.resolve(undefined)
    await running
  })
})

it('a signal during the start stops what has been started', async () => {
  const start = Promise.withResolvers<undefined>()
  let stops = 0
  cli.startAgent = async () => {
    setImmediate(() => {
      cli.signal('SIGTERM')
      start.resolve(undefined)
    })
    await start.promise
    return { addresses: () => ({ http: '', p2p: [] }), stop: async () => { stops++ } }
  }
  expect(await cli.run('agent', ...options)).toBe(0)
  expect(stops).toBe(1)
})

it('a stop that does not end is given up at its deadline', async () => {
  const { started } = stubAgent(async () => { await new Promise(() => {}) })
  const running = runAgentCommand({ data: options[1], logLevel: 'silent' }, cli.context, { stopDeadlineMs: 20 })
  await started
  cli.signal('SIGTERM')
  await expect(running).rejects.toMatchObject({ code: 'STOP_LATE', message: 'the agent did not stop within 20 ms and was ended' })
})

it('a failure to start ends with 1 and one line', async () => {
  cli.startAgent = async () => { throw Object.assign(new Error('listen EADDRINUSE'), { code: 'X' }) }
  expect(await cli.run('agent', ...options)).toBe(1)
  expect(cli.stderr.text).toBe('shoal: can\'t start: Error: listen EADDRINUSE\n')
  expect(cli.listenerCount).toBe(0)
})

it('a terminal is told where it listens and what to try, a pipe is not', async () => {
  for (const isTTY of [true, false]) {
    cli.stderr.isTTY = isTTY
    cli.stderr.text = ''
    const { started } = stubAgent()
    const running = cli.run('agent', ...options)
    await started
    cli.signal('SIGINT')
    await running
    expect(cli.stderr.text.includes('docker pull 127.0.0.1:5009/docker.io/library/alpine')).toBe(isTTY)
    expect(cli.stderr.text.includes('/ip4/192.0.2.1/tcp/5001')).toBe(isTTY)
  }
})
