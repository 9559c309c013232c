import { MemoryNetwork, MemoryRouter } from '../../src/routing/memory.ts'
import { testRouter } from './router-contract.ts'

testRouter('memory', () => {
  const network = new MemoryNetwork()
  const routers: MemoryRouter[] = []
  return {
    join: async () => {
      const peer = `peer-${routers.length}`
      const router = new MemoryRouter({ network }, { peer, addresses: [`/ip4/127.0.0.1/tcp/${routers.length + 1}`] })
      routers.push(router)
      router.start()
      return { peer, router }
    },
    stop: async () => { for (const router of routers) router.stop() }
  }
})
