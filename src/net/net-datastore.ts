import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { LevelDatastore } from 'datastore-level'
import { NetDatastoreError } from './node-error.ts'
import { PeersInMemory } from './peers-in-memory.ts'

const LOCKED = 'LEVEL_LOCKED'

/**
 * Opens what the agent remembers of the network: `<directory>/db/net`. It is a memory, not a truth: when it is damaged
 * it is put aside as `db/net.damaged` and begun anew.
 * @throws NetDatastoreError when another process has it open, or the directory cannot be used
 */
export async function openNetDatastore (directory: string): Promise<PeersInMemory> {
  const path = join(directory, 'db', 'net')
  try {
    await mkdir(dirname(path), { recursive: true })
    return await openLevel(path)
  } catch (error) {
    if (causedBy(error, LOCKED)) throw new NetDatastoreError(path, 'another agent uses it', { cause: error })
    try {
      await rename(path, `${path}.damaged-${Date.now()}`)
      return await openLevel(path)
    } catch (again) {
      throw new NetDatastoreError(path, again instanceof Error ? again.message : String(again), { cause: error })
    }
  }
}

/**
 * Drops the records that say we provide something. kad-dht would announce them again for ever, also for what was removed
 * while we were not running; what is here now is announced anew.
 */
export async function forgetOwnRecords (datastore: PeersInMemory, recordPrefix: string, peer: string): Promise<void> {
  for await (const key of datastore.queryKeys({ prefix: recordPrefix })) {
    if (key.toString().endsWith(`/${peer}`)) await datastore.delete(key)
  }
}

async function openLevel (path: string): Promise<PeersInMemory> {
  const [{ LevelDatastore }, { ClassicLevel }] = await Promise.all([import('datastore-level'), import('classic-level')])
  const level = new ClassicLevel<string, Uint8Array>(path, { keyEncoding: 'utf8', valueEncoding: 'view' })
  // Opened here, because the datastore's own open drops the error's code.
  await level.open()
  const datastore: LevelDatastore = new LevelDatastore(level as never)
  await datastore.open()
  return PeersInMemory.open(datastore)
}

function causedBy (error: unknown, code: string): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && error.code === code) || causedBy(error.cause, code)
}
