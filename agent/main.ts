#!/usr/bin/env node
// Named imports of newer functions would end an old Node with a syntax error before it can be told what is missing.
import module from 'node:module'
import process from 'node:process'

const OLDEST_NODE = 24
/** After the command is done: for what is still being written. */
const EXIT_GRACE_MS = 500

if (Number.parseInt(process.versions.node) < OLDEST_NODE) {
  process.stderr.write(`shoal: needs Node.js ${OLDEST_NODE} or newer, and this is ${process.version}; "npx shoal" in the project uses the one that npm ci installed\n`)
  process.exitCode = 1
} else {
  module.enableCompileCache()
  const { runCli } = await import('./cli/run.ts')
  process.exitCode = await runCli(process.argv.slice(2))
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref()
}
