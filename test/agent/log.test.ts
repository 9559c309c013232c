import { describe, expect, it } from 'vitest'
import { logEvents } from '../../agent/log-events.ts'
import { formatLogLine } from '../../agent/log-line.ts'
import { createLogger } from '../../agent/log.ts'
import { EventHub } from '../../src/events.ts'
import { digestOf } from '../../src/oci/digest.ts'
import type { LoggerInit } from '../../agent/log.ts'

const SECRET = 'hunter2SECRETvalue'
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

function collect (init: LoggerInit = {}) {
  const lines: string[] = []
  const log = createLogger({ level: 'trace', write: line => lines.push(line), ...init })
  return { log, lines, entries: () => lines.map(line => JSON.parse(line) as Record<string, unknown>) }
}

function failure (): Error {
  const cause = new Error(`GET https://me:${SECRET}@r.example/x?sig=${SECRET} failed`)
  return Object.assign(new Error(`token: ${SECRET}`, { cause: new AggregateError([cause], `Bearer ${SECRET}`, { cause }) }), {
    headers: { authorization: `Basic ${SECRET}` },
    body: JSON.stringify({ access_token: SECRET })
  })
}

describe.each(['json', 'text'] as const)('a %s log', format => {
  it.each(LEVELS)('holds no secret at level %s, in any place a logger takes things from', level => {
    const { log, lines } = collect({ format })
    log[level](failure())
    log[level](failure(), `password=${SECRET}`)
    log[level]({ err: failure(), error: failure(), reason: failure(), nested: { err: failure() } }, 'failed')
    log[level]({ headers: { authorization: `Bearer ${SECRET}`, cookie: SECRET }, url: `/v2/?token=${SECRET}` }, 'request %s %o', `https://a:${SECRET}@b/`, { password: SECRET })
    log[level](`Authorization: Basic ${SECRET}`)
    log.child({ password: SECRET, url: `https://x/?X-Amz-Signature=${SECRET}` }).child({ token: SECRET })[level]({ config: { registry: { auth: SECRET } } }, 'child')
    log.child({}, { serializers: { req: () => ({ authorization: SECRET, url: `https://u:${SECRET}@x` }) }, msgPrefix: `token=${SECRET} ` })[level]({ req: {} }, 'serialised')
    expect(lines).toHaveLength(7)
    expect(lines.join('')).not.toContain(SECRET)
  })

  it('puts each event on one line, whatever is in it', () => {
    const { log, lines } = collect({ format })
    log.info({ value: 'a\nb\r\u2028' }, 'x\ny')
    log.info('done')
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(line.trimEnd()).not.toMatch(/[\r\n]/)
  })
})

describe('a log', () => {
  it('writes level, time, message and fields', () => {
    const { log, entries } = collect()
    log.warn({ bytes: 3, digest: digestOf(new Uint8Array()) }, 'told')
    expect(entries()).toEqual([{ level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/) as string, bytes: 3, digest: 'e3b0c44298fc', msg: 'told' }])
  })

  it('keeps code, message, stack and cause of an error', () => {
    const { log, entries } = collect()
    log.error({ err: Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'X' }) }, 'failed')
    expect(entries()[0]?.err).toMatchObject({ message: 'outer', code: 'X', stack: expect.stringContaining('log.test.ts') as string, cause: { message: 'inner' } })
  })

  it('leaves out what is below its level', () => {
    const { log, lines } = collect({ level: 'warn' })
    log.info('no')
    log.warn('yes')
    expect(lines).toHaveLength(1)
    const silent = collect({ level: 'silent' })
    silent.log.fatal('no')
    expect(silent.lines).toEqual([])
  })
})

describe('a line of text', () => {
  const entry = { time: '2026-01-02T03:04:05.678Z', level: 'warn', msg: 'fetch:failed', code: 'DEADLINE', reason: 'took too long', bytes: 3, ok: false, spans: [1] }

  it('is short and has every field', () => {
    expect(formatLogLine(entry)).toBe('03:04:05.678 WARN  fetch:failed code=DEADLINE reason="took too long" bytes=3 ok=false spans=[1]\n')
  })

  it('shows an error in one line, with its stack only at error and above', () => {
    const err = { type: 'DeadlineError', message: 'no end', code: 'DEADLINE', stack: 'DeadlineError: no end\n    at a (b.ts:1:2)' }
    expect(formatLogLine({ time: entry.time, level: 'warn', msg: 'm', err })).toBe('03:04:05.678 WARN  m err="DeadlineError: no end" code=DEADLINE\n')
    expect(formatLogLine({ time: entry.time, level: 'error', msg: 'm', err })).toBe('03:04:05.678 ERROR m err="DeadlineError: no end" code=DEADLINE\n    at a (b.ts:1:2)\n')
  })

  it('lets nothing through that would change the terminal', () => {
    const line = formatLogLine({ ...entry, msg: 'a\u001b[2Jb\u009b2J\u202e', 'k\u0007': '\u001b]0;x\u0007' })
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(line.trimEnd()).not.toMatch(/[\u0000-\u001f\u0080-\u009f\u202e]/)
  })

  it('is coloured only when asked', () => {
    expect(formatLogLine(entry, { color: true })).toContain('\u001b[33mWARN \u001b[0m')
  })
})

describe('events', () => {
  it('become one line each, of the level that fits, with their fields', () => {
    const { log, entries } = collect()
    const events = new EventHub()
    const end = logEvents(events, log)
    const digest = digestOf(new Uint8Array())
    events.emit({ type: 'fetch:received', digest, source: 'peer:a', bytes: 5 })
    events.emit({ type: 'fetch:failed', digest, code: 'X', reason: `https://a:${SECRET}@b` })
    events.emit({ type: 'tag:resolved', repository: 'docker.io/library/alpine', tag: '3', digest, stale: true })
    for (const repeated of [false, true]) events.emit({ type: 'peer:accused', peer: 'a', by: 'b', digest, pieces: [0], repeated })
    events.emit({ type: 'blob:committed', record: { digest, size: 1, kind: 'blob', access: 'public', committedAt: 2 } })
    end()
    events.emit({ type: 'peer:connected', peer: 'a' })
    expect(entries().map(({ time: _, ...entry }) => entry)).toEqual([
      { level: 'trace', msg: 'fetch:received', digest: 'e3b0c44298fc', source: 'peer:a', bytes: 5 },
      { level: 'warn', msg: 'fetch:failed', digest: 'e3b0c44298fc', code: 'X', reason: 'https://[redacted]@b' },
      { level: 'info', msg: 'tag:resolved', repository: 'docker.io/library/alpine', tag: '3', digest: 'e3b0c44298fc', stale: true },
      { level: 'info', msg: 'peer:accused', peer: 'a', by: 'b', digest: 'e3b0c44298fc', pieces: [0], repeated: false },
      { level: 'debug', msg: 'peer:accused', peer: 'a', by: 'b', digest: 'e3b0c44298fc', pieces: [0], repeated: true },
      { level: 'debug', msg: 'blob:committed', digest: 'e3b0c44298fc', size: 1, kind: 'blob', access: 'public', committedAt: 2 }
    ])
  })
})
