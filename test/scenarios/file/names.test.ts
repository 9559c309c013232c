import { describe, expect, it } from 'vitest'
import { problemsIn } from './scenario-text.ts'

const GROUP = 'count: 2, up: 1MB/s, down: 1MB/s'
const REST = `
origin: { up: 1MB/s }
images: { app: [1MB] }
`

describe('what refers to nothing is refused:', () => {
  it.each([
    [`groups: { rack-a: { ${GROUP} } }\npulls: [{ groups: [rack-b] }]`, 'x.yaml:2:20: pulls.0.groups.0: there is no group "rack-b"; did you mean rack-a?'],
    [`groups: { rack-a: { ${GROUP} } }\npulls: [{ images: [ap] }]`, 'x.yaml:2:20: pulls.0.images.0: there is no image "ap"; did you mean app?'],
    [`groups: { rack-a: { ${GROUP}, medium: wifi } }`, 'x.yaml:1:63: groups.rack-a.medium: there is no medium "wifi"; none is defined'],
    [`groups: { rack-a: { ${GROUP}, medium: wif } }\nmedia: { wifi: { rate: 1MB/s } }`, 'groups.rack-a.medium: there is no medium "wif"; did you mean wifi?'],
    [`groups: { rack-a: { ${GROUP}, holds: [other] } }`, 'x.yaml:1:63: groups.rack-a.holds.0: there is no image "other"; expected one of app'],
    [`groups: { rack-a: { ${GROUP}, holds: [{ image: app, layers: [app/2] }] } }`, 'groups.rack-a.holds.0.layers.0: there is no layer "app/2" in the image app; did you mean app/1?'],
    [`groups: { rack-a: { ${GROUP} } }\nfaults: [{ type: lie, hosts: 1, groups: [rack-c] }]`, 'x.yaml:2:42: faults.0.groups.0: there is no group "rack-c"; did you mean rack-a?'],
    [`groups: { rack-a: { ${GROUP} } }\npaths: [{ from: rack-d }, { from: rack-a, to: rack-e }]`, 'x.yaml:2:17: paths.0.from: there is no group "rack-d"; did you mean rack-a?'],
    [`groups: { rack-a: { ${GROUP} } }\npaths: [{ from: rack-d }, { from: rack-a, to: rack-e }]`, 'x.yaml:2:47: paths.1.to: there is no group "rack-e"; did you mean rack-a?'],
    [`groups: { rack-a: { ${GROUP} } }\nexpect: [group.rack-x.done.share == 1]`, 'x.yaml:2:10: expect.0: there is no group "rack-x"; did you mean rack-a?'],
    [`groups: { site: { ${GROUP}, repeat: 2 } }\nexpect: [group.site.done.share == 1]`, 'expect.0: there is no group "site" by itself; expected one of site-1, site-2 and so on']
  ])('%s', (text, problem) => {
    expect(problemsIn(text + REST)).toEqual(expect.arrayContaining([expect.stringContaining(problem)]))
  })
})

describe('what is there twice is refused:', () => {
  it.each([
    ['a group in two pulls', `groups: { a: { ${GROUP} } }\npulls: [{}, { groups: [a] }]`, 'x.yaml:2:23: pulls.1.groups: the group a is in pulls.0 already; expected each group in one pull, which may be of several images'],
    ['a name of a repeated group', `groups: { site: { ${GROUP}, repeat: 3 }, site-2: { ${GROUP} } }`, 'groups.site-2: there are two groups of the name site-2; rename one'],
    ['a path', `groups: { a: { ${GROUP} }, b: { ${GROUP} } }\npaths: [{ from: a, to: b }, { from: b, to: a }]`, 'x.yaml:2:29: paths.1: is the second of a and b; expected one, as both ways are in it'],
    ['an uplink', `groups: { a: { ${GROUP}, uplink: { up: 1MB/s } } }\npaths: [{ from: a }]`, 'paths.0: is the second of a to all others'],
    ['a group at both ends', `groups: { a: { ${GROUP} } }\npaths: [{ from: a, to: a }]`, 'paths.0: leads from a to itself; expected another group'],
    ['the name of the origin', `groups: { origin: { ${GROUP} } }`, 'x.yaml:1:11: groups.origin: is not allowed as the name of a group']
  ])('%s', (_, text, problem) => {
    expect(problemsIn(text + REST)).toEqual(expect.arrayContaining([expect.stringContaining(problem)]))
  })

  it('a layer with two sizes', () => {
    expect(problemsIn(`groups: { a: { ${GROUP} } }\norigin: { up: 1MB/s }\nimages:\n  a: [{ name: base, size: 1MB }]\n  b: [{ name: base, size: 2MB }]`)).toEqual([
      'x.yaml:5:6: images.b: the layer base has 2MB here and 1MB before; layers of one name are one blob, of one size'
    ])
  })
})

describe('images that stand on others', () => {
  const groups = `groups: { a: { ${GROUP} } }\norigin: { up: 1MB/s }\n`

  it.each([
    ['on nothing', 'images:\n  app: { from: bas, layers: [1MB] }\n  base: [1MB]', ['x.yaml:4:16: images.app.from: there is no image "bas"; did you mean base?']],
    ['on themselves', 'images:\n  app: { from: app, layers: [1MB] }', ['x.yaml:4:16: images.app.from: the images app and app stand on each other; one must be the lowest']],
    ['on a repeated one', 'images:\n  app: { from: base, layers: [1MB] }\n  base: { repeat: 2, layers: [1MB] }', ['x.yaml:4:16: images.app.from: "base" is repeated; expected an image that there is once']]
  ])('%s are refused', (_, images, problems) => {
    expect(problemsIn(groups + images)).toEqual(problems)
  })

  it('in a circle are refused', () => {
    expect(problemsIn(`${groups}images:\n  a: { from: b, layers: [1MB] }\n  b: { from: a, layers: [1MB] }\n  c: { from: a, layers: [1MB] }`)).toEqual([
      'x.yaml:4:14: images.a.from: the images a and b and a stand on each other; one must be the lowest',
      'x.yaml:5:14: images.b.from: the images b and a and b stand on each other; one must be the lowest'
    ])
  })
})
