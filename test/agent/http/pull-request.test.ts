import { describe, expect, it } from 'vitest'
import { ownPlatform, readPullRequest } from '../../../agent/http/pull-request.ts'

const INIT = { defaultRegistry: 'docker.io' }

describe('ownPlatform', () => {
  it.each([['x64', 'amd64'], ['arm64', 'arm64'], ['arm', 'arm'], ['ia32', '386'], ['ppc64', 'ppc64le'], ['s390x', 's390x'], ['riscv64', 'riscv64'], ['loong64', 'loong64']] as const)('calls %s what images call it, %s', (node, go) => {
    expect(ownPlatform(node)).toEqual({ os: 'linux', architecture: go })
  })

  it('is Linux, whatever this machine runs', () => {
    expect(ownPlatform().os).toBe('linux')
  })
})

describe('readPullRequest', () => {
  it('takes the own platform where none is named', () => {
    for (const body of [{ reference: 'alpine' }, { reference: 'alpine', platform: null }]) {
      expect(readPullRequest(body, INIT)).toEqual({ reference: { registry: 'docker.io', repository: 'library/alpine', tag: 'latest' }, platform: ownPlatform() })
    }
  })

  it('takes every platform for "all"', () => {
    expect(readPullRequest({ reference: 'alpine', platform: 'all' }, INIT).platform).toBeUndefined()
  })

  it.each([
    ['linux/amd64', { os: 'linux', architecture: 'amd64' }],
    ['linux/arm/v7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ['windows/amd64', { os: 'windows', architecture: 'amd64' }]
  ])('takes %s apart', (platform, expected) => {
    expect(readPullRequest({ reference: 'alpine', platform }, INIT).platform).toEqual(expected)
  })

  it.each(['', 'linux', 'linux/', '/amd64', 'linux/arm/v7/x', 'LINUX/amd64', 'linux /amd64', {}, 1, true])('refuses the platform %j', platform => {
    expect(() => readPullRequest({ reference: 'alpine', platform }, INIT)).toThrow(expect.objectContaining({ code: 'NAME_INVALID', status: 400 }) as Error)
  })
})
