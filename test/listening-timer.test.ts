import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { ListeningTimer } from '../src/listening-timer.ts'

const DELAY_MS = 80

/** Calls when it is over. */
function listen (delayMs: number, onOver: () => void): ListeningTimer {
  return new ListeningTimer(delayMs, onOver)
}

/** Keeps the process from its event loop. */
function block (ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until) { /* busy */ }
}

test('is over when its time is', async () => {
  const startedAt = performance.now()
  await new Promise<void>(resolve => listen(DELAY_MS, resolve))
  // timers may fire a moment early
  expect(performance.now() - startedAt).toBeGreaterThan(DELAY_MS * 0.9)
})

test('counts no more than a part of the time in which the process was busy', async () => {
  const over = new Promise<void>(resolve => listen(DELAY_MS, resolve))
  block(3 * DELAY_MS)
  const freeSince = performance.now()
  await over
  expect(performance.now() - freeSince).toBeGreaterThan(DELAY_MS / 2)
})

test('is over only after what came in its last part was looked at', async () => {
  const server = createServer(socket => { socket.on('error', () => {}).resume() }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const sockets: Socket[] = []
  let connected = 0
  // in the same turn of the event loop as the end of each part, and before it
  const busy = setInterval(() => {
    sockets.push(connect(port, '127.0.0.1', () => { connected++ }))
    block(20)
  }, 1)
  const [wanted, seen] = await new Promise<[number, number]>(resolve => listen(8, () => { resolve([sockets.length, connected]) }))
  clearInterval(busy)
  for (const socket of sockets) socket.destroy()
  server.close()
  expect(wanted).toBeGreaterThan(1)
  expect(seen).toBe(wanted)
})

test('that was stopped is never over', async () => {
  let isOver = false
  const timer = listen(1, () => { isOver = true })
  timer.stop()
  await new Promise<void>(resolve => listen(DELAY_MS, resolve))
  expect(isOver).toBe(false)
})
