import fc from 'fast-check'
import { digestOf, type Digest } from '../../src/oci/digest.ts'

const ALPHANUMERIC = [...'abcdefghijklmnopqrstuvwxyz0123456789']

/** Of both algorithms. */
export const digests: fc.Arbitrary<Digest> = fc.tuple(fc.uint8Array({ maxLength: 8 }), fc.constantFrom('sha256' as const, 'sha512' as const))
  .map(([bytes, algorithm]) => digestOf(bytes, algorithm))

const word = fc.string({ unit: fc.constantFrom(...ALPHANUMERIC), minLength: 1, maxLength: 5 })
const component = fc.tuple(word, fc.array(fc.tuple(fc.constantFrom('.', '_', '__', '-', '--', '---'), word), { maxLength: 2 }))
  .map(([head, rest]) => head + rest.map(([separator, tail]) => separator + tail).join(''))

/** By the grammar of the distribution spec. */
export const repositoryNames = fc.array(component, { minLength: 1, maxLength: 4 }).map(components => components.join('/'))

const host = fc.oneof(
  fc.array(fc.tuple(word, word).map(words => words.join('-')), { minLength: 2, maxLength: 3 }).map(labels => labels.join('.')),
  fc.constantFrom('localhost', '127.0.0.1', '[::1]', '[2001:db8::5]')
)

/** Hosts that any reader takes for a registry, with and without a port. */
export const registryHosts = fc.tuple(host, fc.option(fc.integer({ min: 1, max: 65535 })))
  .map(([name, port]) => port === null ? name : `${name}:${port}`)

export const tags = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/)
