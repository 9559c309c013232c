import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseSwarmKey } from '../../src/net/swarm-key.ts'

const HEX = randomBytes(32).toString('hex')
const FILE = `/key/swarm/psk/1.0.0/\n/base16/\n${HEX}\n`

describe('a swarm key', () => {
  it('is the same however its file ends its lines and writes its digits', () => {
    const { fingerprint } = parseSwarmKey(FILE)
    expect(fingerprint).toMatch(/^[0-9a-f]{16}$/)
    expect(parseSwarmKey(Buffer.from(FILE.replaceAll('\n', '\r\n'))).fingerprint).toBe(fingerprint)
    expect(parseSwarmKey(FILE.trim().toUpperCase().replace('/KEY/SWARM/PSK/1.0.0/', '/key/swarm/psk/1.0.0/').replace('/BASE16/', '/base16/')).fingerprint).toBe(fingerprint)
  })

  it('gives nothing of itself away by its fingerprint', () => {
    expect(HEX).not.toContain(parseSwarmKey(FILE).fingerprint)
  })

  it.each([
    ['is empty', '', 'first line'],
    ['has another version', FILE.replace('1.0.0', '2.0.0'), 'first line'],
    ['has another encoding', FILE.replace('base16', 'base64'), 'second line'],
    ['is too short', FILE.replace(HEX, HEX.slice(1)), '63 characters'],
    ['is not hexadecimal', FILE.replace(HEX, `g${HEX.slice(1)}`), '64 hexadecimal digits'],
    ['has more lines', `${FILE}more\n`, '4 lines']
  ])('is refused when it %s, without being quoted', (_, text, named) => {
    expect(() => parseSwarmKey(text)).toThrow(expect.objectContaining({ code: 'NET_SWARM_KEY', message: expect.stringContaining(named) as string }))
    try {
      parseSwarmKey(text)
    } catch (error) {
      expect(String(error)).not.toContain(HEX.slice(2, 20))
    }
  })
})
