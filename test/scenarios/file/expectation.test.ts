import { describe, expect, it } from 'vitest'
import { parseExpectation } from '../../../scenarios/file/expectation.ts'
import { FIGURES } from '../../../scenarios/result.ts'

describe('an expectation', () => {
  it.each([
    ['completion.p99 <= 1.2 x bound', 'completion.p99', '<=', 1.2, 'bound'],
    ['completion.p99<=bound', 'completion.p99', '<=', 1, 'bound'],
    ['completion.max <= 1.5 × clean', 'completion.max', '<=', 1.5, 'clean'],
    ['origin.bytes <= 1.05*image', 'origin.bytes', '<=', 1.05, 'image'],
    ['wrong.bytes == 0', 'wrong.bytes', '==', 0, undefined],
    ['members.bytes > 3GB', 'members.bytes', '>', 3e9, undefined],
    ['completion.max <= 90s', 'completion.max', '<=', 90_000, undefined],
    ['done.share == 100%', 'done.share', '==', 1, undefined],
    ['done.share >= 0.999', 'done.share', '>=', 0.999, undefined],
    ['failed.hosts < 3', 'failed.hosts', '<', 3, undefined],
    ['origin.peak <= 100MB/s', 'origin.peak', '<=', 1e8, undefined],
    ['group.laptops.completion.p99 <= 3m', 'group.laptops.completion.p99', '<=', 180_000, undefined],
    ['completion.p99.9 <= 22s', 'completion.p99.9', '<=', 22_000, undefined]
  ])('%s', (text, figure, comparison, value, of) => {
    expect(parseExpectation(text)).toEqual({ text, figure, comparison, value, of })
  })

  it.each([
    ['', 'FIGURE <= VALUE'],
    ['done.share', 'FIGURE <= VALUE'],
    ['done.share = 1', 'FIGURE <= VALUE'],
    ['done.share == ', 'FIGURE <= VALUE'],
    ['<= 3s', 'FIGURE <= VALUE'],
    ['origin.byts <= 3GB', 'a figure that there is: did you mean origin.bytes?'],
    ['group.a.completion.mxa <= 3s', 'a figure that there is: did you mean group.a.completion.max?'],
    ['toString <= 3s', 'a figure that there is: '],
    ['completion.p99 <= 3GB', 'a time such as 90s, or a multiple of bound or clean, as completion.p99 is a time'],
    ['completion.p99 <= 3', 'a time such as 90s'],
    ['completion.p99 <= 1.2 x image', 'a time such as 90s'],
    ['origin.bytes <= 2 x bound', 'a size such as 3GB, 0, or a multiple of image or clean, as origin.bytes is a number of bytes'],
    ['origin.bytes <= 5', 'a size such as 3GB'],
    ['origin.peak <= 5MB', 'a rate such as 300MB/s'],
    ['done.share >= 101%', 'a share such as 99.9% or 0.999'],
    ['done.share >= 1 x bound', 'a share such as 99.9% or 0.999'],
    ['failed.hosts <= 5%', 'a number, or a multiple of clean'],
    ['wrong.bytes == -1B', 'a size such as 3GB']
  ])('%j is none', (text, expected) => {
    expect(parseExpectation(text)).toEqual({ expected: expect.stringContaining(expected) as string })
  })

  it('may be of every figure that there is', () => {
    const limits = { ms: '1s', bytes: '1MB', 'bytes/s': '1MB/s', count: '1', share: '1%' }
    for (const [name, { unit }] of Object.entries(FIGURES)) {
      const figure = name.replace('<group>', 'rack-a')
      expect(parseExpectation(`${figure} <= ${limits[unit]}`)).toMatchObject({ figure })
      expect(parseExpectation(`${figure} <= 2 x clean`)).toMatchObject({ of: 'clean', value: 2 })
    }
  })
})
