import { expect, it } from 'vitest'
import { parseScenario } from '../../../scenarios/file/load.ts'

const TEXT = `
groups:
  site: { repeat: 3, count: 2, up: 1MB/s, down: 1MB/s, zone: shop, uplink: { down: 5MB/s } }
  desk: { count: 4, up: 1MB/s, down: 1MB/s, zone: desk }
paths:
  - { from: site, to: desk, latency: 1ms }
origin: { up: 1MB/s }
images:
  base: [{ name: os, size: 1MB }, 2MB]
  app: { repeat: 2, from: base, layers: 2 x 1MB }
pulls:
  - { groups: [site], images: [app], arrival: { type: waves, hosts: 50%, every: 1s } }
  - { groups: [desk], images: [app-2], arrival: { type: rolling, maxUnavailable: 20% } }
faults:
  - { type: kill, groups: [site-2], hosts: 1, at: [1s, 2s] }
  - { type: partition, groups: [site], at: 3s, for: 1s }
expect:
  - group.site-3.completion.p99 <= 3m
`

it('a repeated group is so many groups, with numbers in their names and zones, and their own uplinks', () => {
  const { groups, paths } = parseScenario('x', TEXT)
  expect(groups.map(({ name, count, zone }) => `${name} ${count} ${zone ?? ''}`)).toEqual(['site-1 2 shop-1', 'site-2 2 shop-2', 'site-3 2 shop-3', 'desk 4 desk'])
  expect(paths.map(({ from, to = 'all', up, down, latencyMs }) => `${from} ${to} ${up} ${down} ${latencyMs}`)).toEqual([
    'site-1 all Infinity 5000000 0', 'site-2 all Infinity 5000000 0', 'site-3 all Infinity 5000000 0',
    'site-1 desk Infinity Infinity 1', 'site-2 desk Infinity Infinity 1', 'site-3 desk Infinity Infinity 1'
  ])
})

it('a repeated image has the base in common and layers of its own', () => {
  const { images } = parseScenario('x', TEXT)
  expect(images.map(({ name, layers }) => `${name}: ${layers.map(layer => layer.name).join(' ')}`)).toEqual([
    'base: os base/2', 'app-1: os base/2 app-1/1 app-1/2', 'app-2: os base/2 app-2/1 app-2/2'
  ])
})

it('the name of a repeated thing means all of them, with a number one', () => {
  const { pulls, faults } = parseScenario('x', TEXT)
  expect(pulls.map(({ groups, images }) => [groups, images])).toEqual([[['site-1', 'site-2', 'site-3'], ['app-1', 'app-2']], [['desk'], ['app-2']]])
  expect(faults).toEqual([
    { type: 'kill', groups: ['site-2'], hosts: 1, fromMs: 1000, untilMs: 2000, forMs: Infinity, factor: 1 },
    { type: 'partition', groups: ['site-1', 'site-2', 'site-3'], hosts: 6, fromMs: 3000, untilMs: 3000, forMs: 1000, factor: 1 }
  ])
})

it('shares are of the hosts that there are, and one host at least', () => {
  const arrivals = (hosts: string) => parseScenario('x', TEXT, { set: [['hosts', hosts]] }).pulls.map(({ arrival }) => arrival)
  expect(arrivals('10')).toEqual([{ type: 'waves', fromMs: 0, hosts: 3, everyMs: 1000 }, { type: 'rolling', fromMs: 0, maxUnavailable: 1 }])
  expect(arrivals('100')).toEqual([{ type: 'waves', fromMs: 0, hosts: 30, everyMs: 1000 }, { type: 'rolling', fromMs: 0, maxUnavailable: 8 }])
})

it('faults without groups may hit all hosts; each type has what it needs', () => {
  const faults = (text: string) => parseScenario('x', TEXT.replace(/faults:[^]*expect:[^]*/, `faults: [${text}]`)).faults.map(({ groups, ...fault }) => ({ groups: groups.length, ...fault }))
  expect(faults('{ type: lie, hosts: 50% }')).toEqual([{ type: 'lie', groups: 4, hosts: 5, fromMs: 0, untilMs: 0, forMs: Infinity, factor: 1 }])
  expect(faults('{ type: slow, hosts: 1, to: 5% }')).toEqual([{ type: 'slow', groups: 4, hosts: 1, fromMs: 0, untilMs: 0, forMs: Infinity, factor: 0.05 }])
  expect(faults('{ type: dht-loss, at: 1s, for: 2s, share: 0.5 }')).toEqual([{ type: 'dht-loss', groups: 4, hosts: 10, fromMs: 1000, untilMs: 1000, forMs: 2000, factor: 0.5 }])
  expect(faults('{ type: restart, hosts: 2, at: 0, for: 5s }, { type: stall, hosts: 1, at: 1s }')).toEqual([
    { type: 'restart', groups: 4, hosts: 2, fromMs: 0, untilMs: 0, forMs: 5000, factor: 1 },
    { type: 'stall', groups: 4, hosts: 1, fromMs: 1000, untilMs: 1000, forMs: Infinity, factor: 1 }
  ])
})
