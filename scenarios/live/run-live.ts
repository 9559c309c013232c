import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { extname, join } from 'node:path'
import process from 'node:process'
import type { Engine } from '../result.ts'
import { tellAll } from './chronicle.ts'
import { boundCommand } from './child-process.ts'
import type { LiveReply, LiveRequest } from './live-messages.ts'
import { LiveRunError } from './live-run-error.ts'
import { thisMachine } from './machine.ts'
import { judgeMachine } from './requirements.ts'

const LIVE_MAIN = join(import.meta.dirname, `live-main${extname(import.meta.filename)}`)
/** Time to take all away after a stop; then the kernel does it. */
const STOP_TIMEOUT_MS = 10_000

/**
 * Runs a scenario with real agents and a real registry, in a process of its own, as root in a network of its own.
 * @throws LiveRunError when this machine cannot run it
 */
export const runLive: Engine = async (scenario, observer, { signal, onProgress, onNote } = {}) => {
  const machine = await thisMachine()
  const { obstacles, notes } = judgeMachine(scenario, machine)
  if (obstacles.length > 0) throw new LiveRunError(`${scenario.name} cannot be run live here:\n${obstacles.join('\n')}`)
  for (const note of notes) onNote?.(note)
  if (signal?.aborted === true) return { durationMs: 0, isPartial: true }
  const { hasDelay, faultyMain } = machine
  const isPrivate = machine.noLinks === undefined
  const child = start(isPrivate)
  const exited = once(child, 'exit')
  const outcome = Promise.withResolvers<Extract<LiveReply, { type: 'ended' | 'failed' }>>()
  let lastMs = 0
  child.on('message', (reply: LiveReply) => {
    switch (reply.type) {
      case 'calls': tellAll(observer, reply.calls); break
      case 'note': onNote?.(reply.note); break
      case 'progress':
        lastMs = reply.progress.atMs
        onProgress?.(reply.progress)
        break
      case 'ended':
      case 'failed': outcome.resolve(reply); break
      default: reply satisfies never
    }
  })
  exited.then(() => {
    outcome.resolve(signal?.aborted === true ? { type: 'ended', durationMs: lastMs, isPartial: true } : { type: 'failed', message: 'the process of the live run has ended by itself', stack: undefined })
  }, outcome.reject)
  const stop = (): void => { stopSoon(child) }
  signal?.addEventListener('abort', stop, { once: true })
  child.send({ type: 'run', scenario, isPrivate, hasDelay, faultyMain } satisfies LiveRequest)
  try {
    const end = await outcome.promise
    await exited
    if (end.type === 'ended') return { durationMs: end.durationMs, isPartial: end.isPartial }
    throw new LiveRunError(`${scenario.name}: the live run has failed: ${end.message}`, { cause: end.stack })
  } finally {
    signal?.removeEventListener('abort', stop)
    child.kill('SIGKILL')
  }
}

/** Away from the terminal, or Ctrl-C would reach all agents at once, before the run has said what happened. */
function start (isPrivate: boolean): ChildProcess {
  const command = [...isPrivate ? ['unshare', '--net', '--'] : [], process.execPath, LIVE_MAIN]
  const [first = '', ...args] = command
  return spawn(...boundCommand(first, args), { detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' })
}

function stopSoon (child: ChildProcess): void {
  if (child.connected) child.send({ type: 'stop' } satisfies LiveRequest, () => {})
  const timer = setTimeout(() => { child.kill('SIGKILL') }, STOP_TIMEOUT_MS)
  child.once('exit', () => { clearTimeout(timer) })
}
