import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import type { Provider, WatchableRouter } from '../../src/routing/router.ts'
import { until } from '../../scenarios/live/until.ts'

export interface RouterMember {
  /** Its peer id in text form. */
  readonly peer: string
  readonly router: WatchableRouter
}

/** A swarm in the making. */
export interface RouterSwarm {
  /** Another member; the first is alone. It need not be ready yet. */
  join (): Promise<RouterMember>
  stop (): Promise<void>
}

const DIGESTS = [digestOf(Buffer.from('one')), digestOf(Buffer.from('one'), 'sha512')]

/** What every router does. */
export function testRouter (name: string, makeSwarm: () => RouterSwarm): void {
  describe(`a router (${name})`, () => {
    let swarm: RouterSwarm

    beforeEach(() => { swarm = makeSwarm() })
    afterEach(async () => { await swarm.stop() })

    async function joinReady (count: number): Promise<RouterMember[]> {
      const members: RouterMember[] = []
      while (members.length < count) members.push(await swarm.join())
      await until(() => members.every(({ router }) => router.isReady()), { what: 'all are ready' })
      return members
    }

    it('is not ready alone: it announces nothing and finds nobody, at once', async () => {
      const { router } = await swarm.join()
      expect(router.isReady()).toBe(false)
      await expect(router.provide(digestOf(Buffer.from('x')))).rejects.toMatchObject({ code: 'ROUTER_NOT_READY', retryable: true })
      expect(await findAll(router, digestOf(Buffer.from('x')))).toEqual([])
    })

    it('says when it becomes ready', async () => {
      const first = await swarm.join()
      let times = 0
      const unsubscribe = first.router.onReady(() => { times++ })
      await joinReady(1)
      await until(() => first.router.isReady(), { what: 'the first is ready' })
      expect(times).toBe(1)
      unsubscribe()
    })

    it.each(DIGESTS)('finds who provides %s, each once and never itself', async digest => {
      const [a, b, c] = await joinReady(3) as [RouterMember, RouterMember, RouterMember]
      await a.router.provide(digest)
      await b.router.provide(digest)
      await b.router.provide(digest)
      expect(peersOf(await found(c.router, digest, 2))).toEqual([a.peer, b.peer].sort())
      expect(peersOf(await found(a.router, digest, 1))).toEqual([b.peer])
    })

    it('tells where a provider can be reached', async () => {
      const [a, b] = await joinReady(2) as [RouterMember, RouterMember]
      await a.router.provide(DIGESTS[0] as Digest)
      const [provider] = await found(b.router, DIGESTS[0] as Digest, 1)
      expect(provider?.addresses).toEqual([expect.stringMatching(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+/)])
    })

    it('finds nobody for what nobody provides', async () => {
      const [a] = await joinReady(2) as [RouterMember]
      expect(await findAll(a.router, digestOf(Buffer.from('nobody has it')))).toEqual([])
    })

    it('keeps apart digests of one content by different algorithms', async () => {
      const [a, b] = await joinReady(2) as [RouterMember, RouterMember]
      await a.router.provide(DIGESTS[0] as Digest)
      expect(await findAll(b.router, DIGESTS[1] as Digest)).toEqual([])
    })

    it('withdraws what it provided, and what it never did', async () => {
      const [a] = await joinReady(2) as [RouterMember]
      await a.router.provide(DIGESTS[0] as Digest)
      await a.router.withdraw(DIGESTS[0] as Digest)
      await a.router.withdraw(DIGESTS[1] as Digest)
    })

    it('ends a search when its signal aborts', async () => {
      const [a, b] = await joinReady(2) as [RouterMember, RouterMember]
      await a.router.provide(DIGESTS[0] as Digest)
      expect(await findAll(b.router, DIGESTS[0] as Digest, AbortSignal.abort())).toEqual([])
    })

    it('does not announce with a signal that has aborted', async () => {
      const [a] = await joinReady(2) as [RouterMember]
      await expect(a.router.provide(DIGESTS[0] as Digest, { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late')
    })
  })
}

async function findAll (router: WatchableRouter, digest: Digest, signal?: AbortSignal): Promise<Provider[]> {
  const providers: Provider[] = []
  for await (const provider of router.findProviders(digest, { signal })) providers.push(provider)
  return providers
}

/** What a search finds when it finds so many: an announcement is not acknowledged, so a peer may not have noted it yet. */
async function found (router: WatchableRouter, digest: Digest, count: number): Promise<Provider[]> {
  return until(async () => {
    const providers = await findAll(router, digest)
    return providers.length >= count && providers
  }, { what: `${count} providers` })
}

function peersOf (providers: readonly Provider[]): string[] {
  return providers.map(({ peer }) => peer).sort()
}
