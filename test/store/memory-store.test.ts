import { type ShoalEvent } from '../../src/events.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import { describeStore } from './store-contract.ts'

describeStore('a store in memory', async now => {
  const events: ShoalEvent[] = []
  const store = new MemoryStore({ now, events: { emit: event => { events.push(event) } } })
  return { store, events, reopen: async () => {}, close: () => store.close() }
})
