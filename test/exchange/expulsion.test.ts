import { expect, it } from 'vitest'
import { EventHub, type ShoalEvent } from '../../src/events.ts'
import { Expulsion } from '../../src/exchange/expulsion.ts'
import type { SwarmLink } from '../../src/net/swarm-link.ts'
import { PeerScore } from '../../src/swarm/peer-score.ts'

function scene (): { expulsion: Expulsion, score: PeerScore, log: ShoalEvent[], ended: string[], linkOf: (name: string) => SwarmLink } {
  const events = new EventHub(() => 0)
  const log: ShoalEvent[] = []
  events.subscribe(event => { log.push(event) })
  const ended: string[] = []
  const linkOf = (name: string): SwarmLink => ({ peer: 'liar', abort: ({ message }: Error) => { ended.push(`${name}: ${message}`) } }) as unknown as SwarmLink
  const score = new PeerScore()
  const expulsion = new Expulsion({ links: { of: peer => peer === 'liar' ? linkOf('present') : undefined }, score, events, now: () => 0 })
  return { expulsion, score, log, ended, linkOf }
}

it('who is banned again is told of once', () => {
  const { expulsion, score, log, ended } = scene()
  expulsion.ban('liar', 'lied')
  expulsion.ban('liar', 'lied again')
  expect(score.isBanned('liar', 0)).toBe(true)
  expect(log.map(event => event.type === 'peer:banned' ? event.reason : event.type)).toEqual(['lied'])
  expect(ended).toEqual([])
})

it('who is expelled loses the link by which it broke the rules, or the one there is', () => {
  const { expulsion, ended, linkOf } = scene()
  expulsion.expel('liar', 'floods', linkOf('earlier'))
  expulsion.expel('liar', 'lied')
  expulsion.expel('stranger', 'lied')
  expect(ended).toEqual(['earlier: floods', 'present: lied'])
})
