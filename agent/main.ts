#!/usr/bin/env -S node --max-semi-space-size=8
// Named imports of newer functions would end an old Node with a syntax error before it can be told what is missing.
import module from 'node:module'
import process from 'node:process'
import v8 from 'node:v8'

// The first line, and the script `start`, hold the young generation at half of what V8 would let it grow to: memory that is used
// once and not again, 60 MB or more of it in a rollout. It cannot be set later.

const OLDEST_NODE = 24
/** After the command is done: for what is still being written. */
const EXIT_GRACE_MS = 500

if (Number.parseInt(process.versions.node) < OLDEST_NODE) {
  process.stderr.write(`shoal: needs Node.js ${OLDEST_NODE} or newer, and this is ${process.version}; "npx shoal" in the project uses the one that npm ci installed\n`)
  process.exitCode = 1
} else {
  // By itself V8 lets a heap of 40 MB grow by 9 before it marks it anew, less than the young generation may hold, so it marks
  // all the time: 1.8 instead of 1.4 CPU s for a host that takes and gives 64 MB of a rollout.
  v8.setFlagsFromString('--heap-growing-percent=100')
  // And it forgets the code of what has not run for some collections: a rollout after a pause would begin with code that is slow again.
  v8.setFlagsFromString('--no-flush-bytecode')
  const { directory } = module.enableCompileCache()
  // Threads know of it by this alone: without it a start takes 170 ms of the processor in place of 70, and 30 MB more.
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE = directory
  // A reader that has seen enough (`shoal pull --json | head`) is no failure; a full disk behind a redirection is one.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.stderr.write(`shoal: cannot write to standard output: ${error.message}\n`)
    process.exit(error.code === 'EPIPE' ? 0 : 1)
  })
  process.stderr.on('error', () => {})
  const { runCli } = await import('./cli/run.ts')
  process.exitCode = await runCli(process.argv.slice(2))
  // Timers that libraries leave behind would hold the process for up to a second.
  process.stdout.write('', () => { process.stderr.write('', () => { process.exit() }) })
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref()
}
