import { LevelDatastore } from 'datastore-level'
import { Key } from 'interface-datastore'
import { expect, it } from 'vitest'
import { PeersInMemory } from '../../src/net/peers-in-memory.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'

async function openIn (directory: string): Promise<{ level: LevelDatastore, peers: PeersInMemory }> {
  const level = new LevelDatastore(directory)
  await level.open()
  return { level, peers: await PeersInMemory.open(level) }
}

async function keysOf (datastore: { queryKeys (query: { prefix?: string }): AsyncIterable<Key> }, prefix?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const key of datastore.queryKeys({ ...prefix === undefined ? {} : { prefix } })) keys.push(key.toString())
  return keys.sort()
}

it('keeps peers in memory, the rest in the database, and all beyond a restart', async () => {
  const directory = await makeTempDir('peers')
  try {
    const { level, peers } = await openIn(directory)
    for (const name of ['/peers/a', '/peers/b', '/dht/x']) await peers.put(new Key(name), Buffer.from(name))
    expect(await level.has(new Key('/peers/a'))).toBe(false)
    expect(await level.has(new Key('/dht/x'))).toBe(true)
    await peers.delete(new Key('/peers/b'))
    expect(await peers.has(new Key('/peers/b'))).toBe(false)
    expect(await keysOf(peers)).toEqual(['/dht/x', '/peers/a'])
    expect(await keysOf(peers, '/peers')).toEqual(['/peers/a'])
    await peers.close()
    const again = (await openIn(directory)).peers
    expect(Buffer.from(await again.get(new Key('/peers/a'))).toString()).toBe('/peers/a')
    await again.delete(new Key('/peers/a'))
    await again.close()
    const last = (await openIn(directory)).peers
    expect(await keysOf(last)).toEqual(['/dht/x'])
    await last.close()
  } finally {
    await removeTempDir(directory)
  }
})
