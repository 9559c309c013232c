import { expect, test } from 'vitest'
import { TokenCache, type Token } from '../../src/origin/token-cache.ts'

const token = (value: string, expiresAtMs: number) => async (): Promise<Token> => ({ value, expiresAtMs })

test('a token is kept until a fifth of its life or ten seconds before its end', async () => {
  let now = 0
  const cache = new TokenCache(() => now)
  await cache.get('short', token('a', 20_000))
  await cache.get('long', token('a', 1_000_000))
  now = 15_999
  expect(await cache.get('short', token('b', 40_000))).toMatchObject({ value: 'a' })
  now = 16_000
  expect(await cache.get('short', token('b', 40_000))).toMatchObject({ value: 'b' })
  now = 989_999
  expect(cache.has('long')).toBe(true)
  now = 990_000
  expect(cache.has('long')).toBe(false)
})

test('a failure is told to all who wait, and not kept', async () => {
  const cache = new TokenCache(() => 0)
  const failing = (): Promise<Token> => Promise.reject(new Error('no'))
  const waiting = [cache.get('x', failing), cache.get('x', token('not asked', 1))]
  for (const one of waiting) await expect(one).rejects.toThrow('no')
  expect(await cache.get('x', token('a', 60_000))).toMatchObject({ value: 'a' })
})

test('a forgotten token is fetched anew', async () => {
  const cache = new TokenCache(() => 0)
  await cache.get('x', token('a', 60_000))
  cache.forget('x')
  expect(await cache.get('x', token('b', 60_000))).toMatchObject({ value: 'b' })
})

test('a thousand tokens are kept: the oldest goes first', async () => {
  const cache = new TokenCache(() => 0)
  for (let i = 0; i <= 1000; i++) await cache.get(String(i), token('a', 60_000))
  expect(cache.has('0')).toBe(false)
  expect(cache.has('1')).toBe(true)
  expect(cache.has('1000')).toBe(true)
})
