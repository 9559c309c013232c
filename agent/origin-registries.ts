import { readFile } from 'node:fs/promises'
import type { RegistryConfig } from '../src/origin/registry-config.ts'
import { ShoalError } from '../src/errors.ts'
import type { Config, OriginConfig } from './config/schema.ts'

/** A file that the configuration names cannot be read. */
class OriginFileError extends ShoalError {
  override readonly code = 'ORIGIN_FILE'
  readonly path: string

  constructor (host: string, key: string, path: string, options: ErrorOptions) {
    const reason = options.cause instanceof Error ? options.cause.message : String(options.cause)
    super(`origins.${host}.${key}: cannot read ${path}: ${reason}`, options)
    this.path = path
  }
}

/** The registries of the configuration with their passwords and certificates read from files. @throws OriginFileError */
export async function readRegistries (origins: Config['origins']): Promise<Record<string, RegistryConfig>> {
  const entries = await Promise.all(Object.entries(origins).map(async ([host, origin]) => [host, await readRegistry(host, origin)] as const))
  return Object.fromEntries(entries)
}

async function readRegistry (host: string, { url, realms, username, passwordFile, ca, cert, key }: OriginConfig): Promise<RegistryConfig> {
  const read = async (name: string, path: string | undefined): Promise<string | undefined> => {
    if (path === undefined) return undefined
    try {
      return await readFile(path, 'utf8')
    } catch (cause) {
      throw new OriginFileError(host, name, path, { cause })
    }
  }
  const password = (await read('passwordFile', passwordFile))?.split(/\r?\n/, 1)[0]
  return { url, realms, username, password, ca: await read('ca', ca), cert: await read('cert', cert), key: await read('key', key) }
}
