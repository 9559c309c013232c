import { spawn } from 'node:child_process'
import type { Credential } from './credentials.ts'

const MAX_OUTPUT_BYTES = 64 * 1024
const HELPER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/
/** How Docker's helpers say that they have nothing for a server. */
const NOT_FOUND = /credentials not found/i
/** A user of this name means that the secret is an identity token. */
const IDENTITY_TOKEN_USER = '<token>'

export interface CredentialHelperInit {
  readonly timeoutMs: number
  /** The helper's environment: it looks for its own files there. @default this process's */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

/**
 * Asks `docker-credential-NAME get` by the protocol of docker/docker-credential-helpers: the server on standard
 * input, JSON on standard output.
 * @returns undefined where the helper has nothing for the server
 * @throws Error in plain words; never with the helper's output
 */
export async function askCredentialHelper (name: string, server: string, { timeoutMs, environment }: CredentialHelperInit): Promise<Credential | undefined> {
  if (!HELPER_NAME.test(name)) throw new Error('not the name of a credential helper')
  const output = await run(`docker-credential-${name}`, server, timeoutMs, environment)
  if (output === undefined) return undefined
  const { Username: username, Secret: secret } = parse(output)
  if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined
  return username === IDENTITY_TOKEN_USER ? { type: 'identity-token', token: secret } : { type: 'password', username, password: secret }
}

function run (command: string, input: string, timeoutMs: number, environment: CredentialHelperInit['environment']): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], env: environment })
    const chunks: Buffer[] = []
    let length = 0
    let problem: string | undefined
    const stop = (reason: string): void => {
      problem ??= reason
      child.kill('SIGKILL')
      // A grandchild that holds the pipe must not hold us.
      child.stdout.destroy()
    }
    const timer = setTimeout(() => { stop(`no answer within ${timeoutMs} ms`) }, timeoutMs)
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > MAX_OUTPUT_BYTES) stop(`more than ${MAX_OUTPUT_BYTES} bytes of answer`)
      else chunks.push(chunk)
    })
    // It may end without having read: that shows in its answer.
    child.stdin.on('error', () => {})
    child.stdin.end(`${input}\n`)
    child.once('error', error => {
      clearTimeout(timer)
      reject(new Error('code' in error && error.code === 'ENOENT' ? `${command} is not installed` : `${command} cannot be run`))
    })
    child.once('close', status => {
      clearTimeout(timer)
      const output = Buffer.concat(chunks).toString()
      if (problem !== undefined) reject(new Error(`${command}: ${problem}`))
      else if (status === 0) resolve(output)
      else if (NOT_FOUND.test(output)) resolve(undefined)
      else reject(new Error(`${command} ended with ${status}`))
    })
  })
}

function parse (output: string): Readonly<Record<string, unknown>> {
  try {
    const document: unknown = JSON.parse(output)
    if (typeof document === 'object' && document !== null) return document as Record<string, unknown>
  } catch {}
  throw new Error('the credential helper\'s answer is not a JSON object')
}
