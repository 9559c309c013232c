import { expect, it } from 'vitest'
import { shownValue } from '../../src/values/shown-value.ts'

it.each([['text', '"text"'], ['two\nlines', '"two\\nlines"'], [5, '5'], [null, 'null'], [undefined, 'undefined'], [[1], 'a list'], [{ a: 1 }, 'a mapping']])('%j is shown as %s', (value, text) => {
  expect(shownValue(value)).toBe(text)
})

it('a long text is cut', () => {
  expect(shownValue('x'.repeat(500))).toBe(`"${'x'.repeat(79)}…`)
})
