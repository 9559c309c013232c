import { randomBytes } from 'node:crypto'
import { link, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { IdentityError } from './node-error.ts'

const FILE = 'identity.key'
/** Only its owner may read a private key. */
const MODE = 0o600

/**
 * The agent's key pair: that in `<directory>/identity.key` (libp2p's protobuf form), or a new one kept there. Without a
 * directory a new one each time. Peers know an agent by it, so it must outlive restarts.
 * @throws IdentityError
 */
export async function loadIdentity (directory: string | undefined): Promise<Ed25519PrivateKey> {
  const { generateKeyPair } = await import('@libp2p/crypto/keys')
  if (directory === undefined) return generateKeyPair('Ed25519')
  const path = join(directory, FILE)
  return await readIdentity(path) ?? await createIdentity(path)
}

async function readIdentity (path: string): Promise<Ed25519PrivateKey | undefined> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw new IdentityError(path, messageOf(error), { cause: error })
  }
  const { privateKeyFromProtobuf } = await import('@libp2p/crypto/keys')
  let key
  try {
    key = privateKeyFromProtobuf(bytes)
  } catch (error) {
    throw new IdentityError(path, 'it holds no private key; restore it, or remove it to become a new peer', { cause: error })
  }
  if (key.type !== 'Ed25519') throw new IdentityError(path, `an Ed25519 key is needed, this is ${key.type}`)
  return key
}

/** Written beside and linked into place, so that nobody ever sees half a key and the first of two writers wins. */
async function createIdentity (path: string): Promise<Ed25519PrivateKey> {
  const { generateKeyPair, privateKeyToProtobuf } = await import('@libp2p/crypto/keys')
  const key = await generateKeyPair('Ed25519')
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  try {
    const file = await open(temporary, 'wx', MODE)
    try {
      await file.writeFile(privateKeyToProtobuf(key))
      await file.sync()
    } finally {
      await file.close()
    }
    await link(temporary, path)
    return key
  } catch (error) {
    const other = isErrno(error, 'EEXIST') ? await readIdentity(path) : undefined
    if (other !== undefined) return other
    throw new IdentityError(path, messageOf(error), { cause: error })
  } finally {
    await rm(temporary, { force: true })
  }
}

function isErrno (error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
