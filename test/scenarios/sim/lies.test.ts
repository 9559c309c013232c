import { describe, expect, it } from 'vitest'
import { simRun, timesOf, toldOf } from './sim-run.ts'
import type { SimRun } from './sim-run.ts'

/** Every other host lies; who is who is known by its number: those with an even one sign other bytes, the rest change what they pass on. */
function poisoned (more = '', { hosts = 20, liars = 4 } = {}): string {
  return `
limit: 10m
groups: { rack: { count: ${hosts}, up: 10MB/s, down: 10MB/s } }
origin: { up: 10MB/s }
images: { app: [30MB] }
faults: [{ type: lie, hosts: ${liars} }]
${more}`
}

function isSigner (name: string): boolean {
  return Number(name.split('-')[1]) % 2 === 0
}

/** Liars of the one kind or the other that have lied to somebody. */
function liarsOf (run: SimRun, kind: (name: string) => boolean): Set<string> {
  return new Set(toldOf(run, 'lied').map(([liar]) => liar).filter(kind))
}

async function runsOf (seeds: readonly number[], more = ''): Promise<SimRun[]> {
  return Promise.all(seeds.map(async seed => simRun(poisoned(`seed: ${seed}\n${more}`))))
}

const SEEDS = [1, 2, 3, 4, 5, 6]
/** The same for all that is asked of them. */
const runs = runsOf(SEEDS)

describe('hosts that send wrong bytes', () => {
  it('give no client of an open swarm a single one, and all sound hosts are done', async () => {
    for (const { result } of await runs) {
      expect(result.figures).toMatchObject({ 'wrong.bytes': 0, 'done.share': 1 })
      expect(result.hosts.filter(({ fault }) => fault === null).map(({ outcome }) => outcome)).toEqual(Array(16).fill('done'))
    }
  })

  it('are banned by everybody to whom they have lied', async () => {
    let lies = 0
    for (const run of await runs) {
      const bans = new Set(toldOf(run, 'banned').map(([liar, by]) => `${liar} by ${by}`))
      const sound = new Set(run.result.hosts.filter(({ fault }) => fault === null).map(({ name }) => name))
      for (const [liar, to] of toldOf(run, 'lied')) {
        if (!sound.has(to)) continue
        lies++
        expect(bans).toContain(`${liar} by ${to}`)
      }
      expect(run.result.figures['liars.banned.share']).toBe(1)
    }
    expect(lies).toBeGreaterThan(0)
  })

  it('are the only ones who are banned', async () => {
    for (const run of await runs) {
      const liars = new Set(run.result.hosts.filter(({ fault }) => fault === 'lie').map(({ name }) => name))
      for (const [name] of toldOf(run, 'banned')) expect(liars).toContain(name)
    }
  })

  it('are of both kinds: who changes what it passes on is found out by the first piece, who signs it by the whole', async () => {
    const kinds = { changer: 0, signer: 0 }
    for (const run of await runs) {
      for (const liar of liarsOf(run, name => !isSigner(name))) {
        kinds.changer++
        const lied = toldOf(run, 'lied').filter(([name]) => name === liar)
        const banned = toldOf(run, 'banned').filter(([name]) => name === liar)
        // more may have been on its way
        for (const to of new Set(lied.map(([, to]) => to))) expect(banned.find(([, by]) => by === to)?.[2]).toBe(lied.find(([, other]) => other === to)?.[2])
      }
      for (const liar of liarsOf(run, isSigner)) {
        kinds.signer++
        const firstLie = Math.min(...toldOf(run, 'lied').filter(([name]) => name === liar).map(([,, atMs]) => atMs))
        const firstBan = Math.min(...toldOf(run, 'banned').filter(([name]) => name === liar).map(([,, atMs]) => atMs))
        expect(firstBan).toBeGreaterThan(firstLie)
      }
    }
    expect(kinds.changer).toBeGreaterThan(0)
    expect(kinds.signer).toBeGreaterThan(0)
  })

  it('cost what they sent, which is fetched again', async () => {
    const [run] = await runs as [SimRun]
    const received = new Map<string, number>()
    for (const [host,, bytes] of toldOf(run, 'received')) received.set(host, (received.get(host) ?? 0) + bytes)
    for (const { name, fault } of run.result.hosts) if (fault === null) expect(received.get(name)).toBeGreaterThanOrEqual(30e6 + 8192)
    expect(run.result.figures['vain.bytes']).toBeGreaterThan(0)
  })

  it('reach clients of a swarm whose members are all trusted, when one of them signs them', async () => {
    const wrong = (await runsOf([1, 2, 3], 'agent: { keyed: true }')).map(({ result }) => result.figures['wrong.bytes'] ?? 0)
    expect(Math.max(...wrong)).toBeGreaterThan(0)
  })

  it('are nobody where no fault says so', async () => {
    const run = await simRun(poisoned().replace(/faults.*/, ''))
    expect([toldOf(run, 'lied'), toldOf(run, 'banned'), timesOf(run, 'lied')]).toEqual([[], [], []])
  })
})
