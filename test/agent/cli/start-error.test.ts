import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { isExpected, startError } from '../../../agent/cli/start-error.ts'
import { loadConfig } from '../../../agent/config/load.ts'
import { ListenError, SwarmKeyError } from '../../../src/net/node-error.ts'
import { StoreFullError, StoreInUseError, StoreUnwritableError } from '../../../src/store/store-errors.ts'

const { config } = await loadConfig({ env: {}, home: '/home/a', isTerminal: false, systemFile: '/nonexistent', flags: { data: '/srv/shoal', swarmKey: '/srv/key' } })

it.each([
  [new StoreInUseError('/srv/shoal'), /in use by another agent.*--data/],
  [new StoreUnwritableError('/srv/shoal/db', { cause: Object.assign(new Error('no'), { code: 'EACCES' }) }), /cannot write \/srv\/shoal\/db.*--data DIR/],
  [new StoreFullError('/srv/shoal'), /no space left.*make room.*--data DIR/],
  [new ListenError('/ip4/0.0.0.0/tcp/5001', 'in use'), /\/ip4\/0\.0\.0\.0\/tcp\/5001.*--p2p MULTIADDR/],
  [new SwarmKeyError('two lines'), /invalid swarm key: two lines.*--swarm-key/]
])('%s becomes one line that says what to do', (error, line) => {
  const { message } = startError(error, config)
  expect(message).toMatch(line)
  expect(message).not.toContain('\n')
  expect(isExpected(error)).toBe(true)
})

it('a key file that can\'t be read is named with its flag', async () => {
  const error: unknown = await readFile('/srv/key').catch((reason: unknown) => reason)
  expect(startError(error, config).message).toBe('can\'t start: /srv/key (--swarm-key) does not exist')
})

it('a data directory that can\'t be had is named with its flag, whatever the system says', () => {
  const error = Object.assign(new Error('EROFS: read-only'), { code: 'EROFS', syscall: 'mkdir', path: '/srv/shoal/db' })
  expect(startError(error, config).message).toBe('can\'t start: data directory /srv/shoal can\'t be used (EROFS at /srv/shoal/db); choose another with --data DIR')
  expect(isExpected(error)).toBe(true)
})

it('what nobody expected keeps its name and message, on one line', () => {
  const error = new TypeError('a\n  b')
  expect(startError(error, config).message).toBe('can\'t start: TypeError: a b')
  expect(isExpected(error)).toBe(false)
})
