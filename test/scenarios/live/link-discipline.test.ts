import { describe, expect, it } from 'vitest'
import { linkLines, mediumLines, sharedLinkLines } from '../../../scenarios/live/link-discipline.ts'

describe('a link', () => {
  it('without any limit has no queue at all', () => {
    expect(linkLines('eth0', { rate: Infinity })).toEqual(['tc qdisc replace dev eth0 root noqueue'])
  })

  it('with a rate is a token bucket', () => {
    expect(linkLines('eth0', { rate: 10e6 })).toEqual(['tc qdisc replace dev eth0 root tbf rate 10455801bps burst 131072 latency 50ms'])
  })

  it('with delay and loss holds packets back before the bucket', () => {
    expect(linkLines('eth0', { rate: 10e6, delayMs: 2.5, loss: 0.01 })).toEqual([
      'tc qdisc replace dev eth0 root handle 1: netem delay 2500us loss 1% limit 100000',
      'tc qdisc replace dev eth0 parent 1:1 handle 10: tbf rate 10455801bps burst 131072 latency 50ms'
    ])
  })

  it('with delay alone has no bucket', () => {
    expect(linkLines('eth0', { rate: Infinity, delayMs: 1 })).toEqual(['tc qdisc replace dev eth0 root handle 1: netem delay 1000us limit 100000'])
  })
})

describe('a shared link', () => {
  it('holds all to its rate and what goes to some addresses to less', () => {
    const lines = sharedLinkLines('up1', 'dst', { rate: 8e6 }, [{ addresses: '10.213.0.2/32', rate: 2e6 }])
    expect(lines).toContain('tc class replace dev up1 parent 1: classid 1:1 htb rate 8364641bps burst 131072 cburst 131072 quantum 65536')
    expect(lines).toContain('tc class replace dev up1 parent 1:1 classid 1:3 htb rate 1kbps ceil 2091160bps burst 131072 cburst 131072 quantum 65536')
    expect(lines).toContain('tc filter replace dev up1 parent 1: protocol ip prio 1 u32 match ip dst 10.213.0.2/32 flowid 1:3')
  })

  it('gives no share more than the whole has', () => {
    const lines = sharedLinkLines('up1', 'src', { rate: 1e6 }, [{ addresses: '10.213.2.0/24', rate: Infinity }])
    expect(lines.find(line => line.includes('classid 1:3'))).toContain('ceil 1045580bps')
  })

  it('counts its classes in hexadecimal, as tc reads them', () => {
    const shares = Array.from({ length: 10 }, (_, group) => ({ addresses: `10.213.${group}.0/24`, rate: 1e6 }))
    expect(sharedLinkLines('up1', 'dst', { rate: 1e6 }, shares).filter(line => line.startsWith('tc class')).map(line => /classid (\S+)/.exec(line)?.[1]))
      .toEqual(['1:1', '1:2', '1:3', '1:4', '1:5', '1:6', '1:7', '1:8', '1:9', '1:a', '1:b', '1:c'])
  })

  it('delays a share by its own way and that of all', () => {
    const lines = sharedLinkLines('up1', 'dst', { rate: Infinity, delayMs: 3 }, [{ addresses: '10.213.0.2/32', rate: Infinity, delayMs: 4 }])
    expect(lines.find(line => line.includes('parent 1:2'))).toContain('netem delay 3000us')
    expect(lines.find(line => line.includes('parent 1:3'))).toContain('netem delay 7000us')
  })
})

it('a shared medium takes what its ports send and what they receive', () => {
  const lines = mediumLines('air0', 6e6, ['data1', 'data2'])
  expect(lines.filter(line => line.includes('redirect dev air0')).map(line => line.split(' protocol')[0])).toEqual([
    'tc filter replace dev data1 ingress', 'tc filter replace dev data1 egress', 'tc filter replace dev data2 ingress', 'tc filter replace dev data2 egress'
  ])
  expect(lines).toContain('tc qdisc replace dev air0 root tbf rate 6273481bps burst 131072 latency 50ms')
})
