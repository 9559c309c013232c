import { describe, expect, it } from 'vitest'
import { simRun } from './sim-run.ts'
import type { WaitCause } from '../../../scenarios/result.ts'

/** What the first host waited for, the longest first. */
async function waitsOf (yaml: string): Promise<WaitCause[]> {
  const { result } = await simRun(yaml)
  expect(result.hosts[0]?.outcome).toBe('done')
  return Object.entries(result.hosts[0]?.waits ?? {}).sort(([, one], [, other]) => other - one).map(([cause]) => cause as WaitCause)
}

describe('what a host waits for', () => {
  it('is its own link where that is full', async () => {
    expect((await waitsOf('{ groups: { rack: { count: 1, up: 10MB/s, down: 1MB/s } }, origin: { up: 100MB/s }, images: { app: [10MB] } }'))[0]).toBe('own-link')
  })

  it('is the origin where only that has the rest, and is slow', async () => {
    expect((await waitsOf('{ groups: { rack: { count: 1, up: 10MB/s, down: 10MB/s } }, origin: { up: 1MB/s }, images: { app: [10MB] } }'))[0]).toBe('origin')
  })

  it('is the members where they are slow', async () => {
    expect((await waitsOf(`
groups:
  rack: { count: 1, up: 10MB/s, down: 10MB/s }
  desk: { count: 1, up: 1MB/s, down: 1MB/s, holds: [app] }
images: { app: [10MB] }
pulls: [{ groups: [rack] }]
`))[0]).toBe('members')
  })

  it('is to find them where nobody is known', async () => {
    expect((await waitsOf(`
groups:
  rack: { count: 1, up: 100MB/s, down: 100MB/s }
  desk: { count: 1, up: 100MB/s, down: 100MB/s, holds: [app] }
images: { app: [1MB] }
pulls: [{ groups: [rack] }]
discovery: { neighbours: 0, dhtHops: 3, hop: 200ms }
`))[0]).toBe('discovery')
  })

  it('is itself while it stalls', async () => {
    expect((await waitsOf('{ groups: { rack: { count: 1, up: 10MB/s, down: 10MB/s } }, origin: { up: 10MB/s }, images: { app: [10MB] }, faults: [{ type: stall, hosts: 1, at: 500ms, for: 10s }] }'))[0]).toBe('down')
  })
})
