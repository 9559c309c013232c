import { expect, test } from 'vitest'
import { abortable, SharedWork } from '../src/shared-work.ts'

/** Work that ends when told, and counts. */
function makeWork () {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const started: AbortSignal[] = []
  return {
    started,
    resolve,
    reject,
    work: async (signal: AbortSignal): Promise<string> => {
      started.push(signal)
      return promise
    }
  }
}

test('callers of one key share one run and its result', async () => {
  const shared = new SharedWork<string>()
  const { work, started, resolve } = makeWork()
  const callers = [shared.join('a', work), shared.join('a', work), shared.join('a', work)]
  resolve('done')
  expect(await Promise.all(callers)).toEqual(['done', 'done', 'done'])
  expect(started).toHaveLength(1)
  expect(started[0]?.aborted).toBe(false)
})

test('callers of other keys do not', async () => {
  const shared = new SharedWork<string>()
  const { work, started, resolve } = makeWork()
  resolve('done')
  await Promise.all([shared.join('a', work), shared.join('b', work)])
  expect(started).toHaveLength(2)
})

test('a result is not kept', async () => {
  const shared = new SharedWork<string>()
  const { work, started, resolve } = makeWork()
  resolve('done')
  await shared.join('a', work)
  await shared.join('a', work)
  expect(started).toHaveLength(2)
  expect(shared.size).toBe(0)
})

test('a failure reaches every caller, and the next one starts anew', async () => {
  const shared = new SharedWork<string>()
  const { work, reject } = makeWork()
  const callers = [shared.join('a', work), shared.join('a', work)]
  reject(new Error('failed'))
  for (const caller of callers) await expect(caller).rejects.toThrow('failed')
  expect(await shared.join('a', async () => 'again')).toBe('again')
})

test('a caller that leaves is let go and the work goes on for the others', async () => {
  const shared = new SharedWork<string>()
  const { work, started, resolve } = makeWork()
  const left = new AbortController()
  const leaving = shared.join('a', work, { signal: left.signal })
  const staying = shared.join('a', work)
  left.abort(new Error('gone'))
  await expect(leaving).rejects.toThrow('gone')
  expect(started[0]?.aborted).toBe(false)
  resolve('done')
  expect(await staying).toBe('done')
})

test('the work is aborted when the last caller has left, and who comes then starts anew', async () => {
  const shared = new SharedWork<string>()
  const first = makeWork()
  const left = new AbortController()
  const leaving = shared.join('a', first.work, { signal: left.signal })
  left.abort(new Error('gone'))
  await expect(leaving).rejects.toThrow('gone')
  expect(first.started[0]?.aborted).toBe(true)
  expect(await shared.join('a', async () => 'again')).toBe('again')
  first.reject(new Error('aborted, late'))
})

test('a caller that had left before begins nothing', async () => {
  const shared = new SharedWork<string>()
  const { work, started } = makeWork()
  await expect(shared.join('a', work, { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone')
  expect(started).toHaveLength(0)
})

test('waiting ends with the signal, and a promise that fails later is nobody\'s unhandled rejection', async () => {
  const { promise, reject } = Promise.withResolvers<string>()
  const left = new AbortController()
  const waiting = abortable(promise, left.signal)
  left.abort(new Error('gone'))
  await expect(waiting).rejects.toThrow('gone')
  reject(new Error('late'))
  await expect(promise).rejects.toThrow('late')
})
