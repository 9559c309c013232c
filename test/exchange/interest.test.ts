import { expect, it } from 'vitest'
import { Interest } from '../../src/exchange/interest.ts'
import type { Channel } from '../../src/exchange/link-channels.ts'
import type { SwarmLink } from '../../src/net/swarm-link.ts'

function linkTo (peer: string, isOpen = true): SwarmLink {
  return { peer, isOpen } as unknown as SwarmLink
}

let nowMs = 0

function channel (number: number, key = 'blob a'): Channel {
  return { number, key, participation: undefined }
}

it('who wants a blob is remembered for that blob, while its link is open', () => {
  const interest = new Interest(() => nowMs)
  const [one, other, closed] = [linkTo('one'), linkTo('other'), linkTo('closed', false)]
  interest.note(one, channel(1))
  interest.note(closed, channel(1))
  interest.note(other, channel(1, 'blob b'))
  expect(interest.in('blob a')).toEqual([one])
  expect(interest.in('blob b')).toEqual([other])
  expect(interest.in('blob c')).toEqual([])
})

it('who has left is forgotten, but not for a channel that it has given up before', () => {
  const interest = new Interest(() => nowMs)
  const one = linkTo('one')
  const [first, second] = [channel(1), channel(2)]
  interest.note(one, first)
  interest.note(one, second)
  interest.forget(one, first)
  expect(interest.in('blob a')).toEqual([one])
  interest.forget(one, second)
  interest.forget(one, second)
  expect(interest.in('blob a')).toEqual([])
})

it('knows for how long somebody has wanted a blob', () => {
  const interest = new Interest(() => nowMs)
  const [one, other] = [linkTo('one'), linkTo('other')]
  nowMs = 1000
  interest.note(one, channel(1))
  nowMs = 1300
  expect([interest.ageMs('blob a', one), interest.ageMs('blob a', other), interest.ageMs('blob b', one)]).toEqual([300, undefined, undefined])
})
