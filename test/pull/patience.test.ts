import { describe, expect, it } from 'vitest'
import { Patience, type Hope } from '../../src/pull/patience.ts'

const SEARCH_MS = 800
const STALL_MS = 30_000

function hope (init: Partial<Hope> = {}): Hope {
  return { isHelped: false, maySearch: false, hurry: () => false, ...init }
}

/** @returns a patience that began at 1000 */
function begun (): Patience {
  const patience = new Patience()
  patience.start(1000)
  return patience
}

describe('the patience of a download', () => {
  it('is over at once where nobody helps and nobody may be found', () => {
    expect(begun().isOver(1000, hope())).toBe(true)
  })

  it('lasts while somebody helps, but not for ever without a byte', () => {
    const patience = begun()
    expect(patience.isOver(1000 + STALL_MS - 1, hope({ isHelped: true }))).toBe(false)
    expect(patience.isOver(1000 + STALL_MS, hope({ isHelped: true }))).toBe(true)
    patience.progressed(1000 + STALL_MS)
    expect(patience.isOver(1000 + STALL_MS, hope({ isHelped: true }))).toBe(false)
  })

  it('lasts while others may be found, for a while after the last answer', () => {
    const patience = begun()
    expect(patience.isOver(1000 + SEARCH_MS - 1, hope({ maySearch: true }))).toBe(false)
    expect(patience.isOver(1000 + SEARCH_MS, hope({ maySearch: true }))).toBe(true)
    patience.answered(1500)
    expect(patience.isOver(1000 + SEARCH_MS, hope({ maySearch: true }))).toBe(false)
  })

  it('hurries others only when there is no other hope', () => {
    const patience = begun()
    let asked = 0
    const hurry = (): boolean => ++asked < 2
    patience.isOver(1000, hope({ isHelped: true, hurry }))
    patience.isOver(1000, hope({ maySearch: true, hurry }))
    expect(asked).toBe(0)
    expect(patience.isOver(1000, hope({ hurry }))).toBe(false)
    expect(patience.isOver(1000, hope({ hurry }))).toBe(true)
  })
})
