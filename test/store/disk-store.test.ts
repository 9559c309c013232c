import type { ShoalEvent } from '../../src/events.ts'
import { DiskStore } from '../../src/store/disk-store.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'
import { describeStore, type StoreUnderTest } from './store-contract.ts'

async function onDisk (now: () => number, reopens: boolean): Promise<StoreUnderTest> {
  const directory = await makeTempDir('store')
  const events: ShoalEvent[] = []
  const init = { now, events: { emit: (event: ShoalEvent) => { events.push(event) } } }
  let store = await DiskStore.open(directory, init)
  return {
    get store () { return store },
    events,
    async reopen () {
      if (!reopens) return
      await store.close()
      store = await DiskStore.open(directory, init)
    },
    async close () {
      await store.close()
      await removeTempDir(directory)
    }
  }
}

describeStore('a store on disk', now => onDisk(now, false))
describeStore('a store on disk that is closed and opened again between steps', now => onDisk(now, true))
