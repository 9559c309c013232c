import { onTestFinished } from 'vitest'
import { noCredentials, type Credential, type CredentialSource } from '../../src/origin/credentials.ts'
import { OriginError } from '../../src/origin/origin-error.ts'
import type { OriginLogEvent } from '../../src/origin/origin-log.ts'
import type { OriginTimeouts } from '../../src/origin/origin-timeouts.ts'
import type { RegistryConfig } from '../../src/origin/registry-config.ts'
import { RegistryOrigin, type RegistryOriginComponents } from '../../src/origin/registry-origin.ts'
import { buildImage, type TestImage } from '../support/image.ts'
import { startRegistryZoo, type RegistryZoo, type RegistryZooInit } from '../support/registry-zoo.ts'

/** The repository that every zoo of these tests has, under the registry's name `zoo.test`. */
export const REPOSITORY = { registry: 'zoo.test', name: 'team/app' } as const
export const image: TestImage = await buildImage()
/** The biggest layer. */
export const layer = [...image.blobs].sort(([, a], [, b]) => b.length - a.length)[0] as [ReturnType<typeof image.blobs.keys> extends Iterator<infer D> ? D : never, Buffer]

export interface ZooOrigin {
  readonly zoo: RegistryZoo
  readonly origin: RegistryOrigin
  readonly log: OriginLogEvent[]
}

export interface ZooOriginInit extends Omit<RegistryOriginComponents, 'credentials' | 'log'> {
  readonly zoo?: RegistryZooInit
  readonly config?: RegistryConfig
  readonly timeouts?: Partial<OriginTimeouts>
  readonly credentials?: CredentialSource
}

/** A zoo with the image under the tag `1`, until the test ends. */
export async function startZoo (init: RegistryZooInit = {}): Promise<RegistryZoo> {
  const zoo = await startRegistryZoo({ repositories: { [REPOSITORY.name]: { images: [image], tags: { 1: image.index } } }, ...init })
  onTestFinished(() => zoo.stop())
  return zoo
}

/** A zoo and an origin that knows it as `zoo.test`, until the test ends. */
export async function startZooOrigin ({ zoo: zooInit, config, timeouts, credentials = noCredentials, ...components }: ZooOriginInit = {}): Promise<ZooOrigin> {
  const zoo = await startZoo(zooInit)
  const log: OriginLogEvent[] = []
  const origin = makeOrigin({ credentials, random: () => 0.01, log: event => log.push(event), ...components }, { [REPOSITORY.registry]: { url: zoo.url, ...config } }, timeouts)
  return { zoo, origin, log }
}

export function makeOrigin (components: RegistryOriginComponents, registries: Record<string, RegistryConfig>, timeouts: Partial<OriginTimeouts> = {}): RegistryOrigin {
  const origin = new RegistryOrigin(components, { registries, timeouts })
  onTestFinished(() => origin.close())
  return origin
}

export async function readAll (body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

/** The OriginError that the work ends with. */
export async function failureOf (work: Promise<unknown>): Promise<OriginError> {
  try {
    await work
  } catch (error) {
    if (error instanceof OriginError) return error
    throw error
  }
  throw new Error('it did not fail')
}

/** One credential for every target; remembers what it was asked for. */
export function fixedCredential (credential: Credential): CredentialSource & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    find: async ({ host, path }) => {
      asked.push(`${host}/${path}`)
      return credential
    }
  }
}
