import { expect, test } from 'vitest'
import { RedirectMemory, type RedirectTarget } from '../../src/origin/redirect-memory.ts'

const target = (name: string): RedirectTarget => ({ url: new URL(`https://${name}.example/`), reach: 'public', isOwn: false })

test('keeps the 200 latest targets', () => {
  const memory = new RedirectMemory(() => 0)
  for (let index = 0; index <= 200; index++) memory.keep(`path ${index}`, target(`n${index}`))
  expect(memory.get('path 0')).toBeUndefined()
  expect(memory.get('path 1')?.url.hostname).toBe('n1.example')
  expect(memory.get('path 200')?.url.hostname).toBe('n200.example')
})

test('forgets a target, but not the one that has taken its place', () => {
  const memory = new RedirectMemory(() => 0)
  const [first, second] = [target('first'), target('second')]
  memory.keep('path', first)
  memory.keep('path', second)
  memory.forget('path', first)
  expect(memory.get('path')).toBe(second)
  memory.forget('path', second)
  expect(memory.get('path')).toBeUndefined()
})
