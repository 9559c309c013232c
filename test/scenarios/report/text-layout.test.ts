import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { textColumns, wrapped } from '../../../scenarios/report/text-layout.ts'

describe('columns of text', () => {
  it('stand numbers to the right, and wrap the last below itself', () => {
    const text = textColumns([{ title: 'NAME' }, { title: 'N', isNumber: true }, { title: 'WHY' }], [['a', '1', 'one two three four five six seven'], ['bcdef', '1000', 'x']], { width: 36 })
    expect(text).toBe([
      'NAME      N  WHY',
      'a         1  one two three four five',
      '             six seven',
      'bcdef  1000  x',
      ''
    ].join('\n'))
  })
})

it('wrapping loses no word, and breaks none', () => {
  fc.assert(fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }), fc.integer({ min: 5, max: 40 }), (words, width) => {
    const lines = wrapped(words.join(' '), width)
    expect(lines.join(' ')).toBe(words.join(' '))
    for (const line of lines) if (line.includes(' ')) expect(line.length).toBeLessThanOrEqual(width)
  }))
})
