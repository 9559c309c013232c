import { describe, expect, it } from 'vitest'
import { Key } from 'interface-datastore'
import { forgetOwnRecords, openNetDatastore } from '../../src/net/net-datastore.ts'
import { makeTempDir } from '../../scenarios/live/temp-dir.ts'

describe('what a node remembers of the network', () => {
  it('forgets its own provider records and keeps the others', async () => {
    const datastore = await openNetDatastore(await makeTempDir('net'))
    for (const key of ['/dht/provider/a/us', '/dht/provider/a/them', '/dht/provider/b/us', '/peers/us']) await datastore.put(new Key(key), Uint8Array.of(1))
    await forgetOwnRecords(datastore, '/dht/provider', 'us')
    const kept: string[] = []
    for await (const key of datastore.queryKeys({})) kept.push(key.toString())
    expect(kept.sort()).toEqual(['/dht/provider/a/them', '/peers/us'])
    await datastore.close()
  })
})
