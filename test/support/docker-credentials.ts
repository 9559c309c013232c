import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeTempDir } from '../../scenarios/live/temp-dir.ts'

const HELPER = 'shoal-test'

export interface DockerLogin {
  /** `host:port` of each registry to log in to. */
  readonly hosts: readonly string[]
  readonly username: string
  readonly password: string
}

/** An environment whose Docker configuration holds the login itself. */
export async function configuredLogin ({ hosts, username, password }: DockerLogin): Promise<Record<string, string>> {
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  return configDir({ auths: Object.fromEntries(hosts.map(host => [host, { auth }])) })
}

/** An environment whose Docker configuration names a credential helper, on the path, that knows the login. */
export async function helperLogin ({ hosts, username, password }: DockerLogin): Promise<Record<string, string>> {
  const bin = await makeTempDir('helper')
  const helper = join(bin, `docker-credential-${HELPER}`)
  const cases = hosts.map(host => `${host}) printf '%s' '${JSON.stringify({ ServerURL: host, Username: username, Secret: password })}' ;;`)
  await writeFile(helper, `#!/bin/sh\nread -r server\ncase "$server" in\n${cases.join('\n')}\n*) echo 'credentials not found in native keychain'; exit 1 ;;\nesac\n`)
  await chmod(helper, 0o755)
  return { ...await configDir({ credHelpers: Object.fromEntries(hosts.map(host => [host, HELPER])) }), PATH: `${bin}:${process.env.PATH}` }
}

async function configDir (config: object): Promise<Record<string, string>> {
  const dir = await makeTempDir('docker-config')
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'config.json'), JSON.stringify(config))
  return { DOCKER_CONFIG: dir }
}
