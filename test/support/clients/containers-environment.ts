import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PullTarget } from './image-client.ts'

/** Keeps podman, buildah and skopeo away from the user's own configuration, credentials and storage. */
export async function containersEnvironment (workDir: string): Promise<Record<string, string>> {
  const home = join(workDir, 'home')
  const authFile = join(home, 'auth.json')
  await mkdir(home, { recursive: true })
  await writeFile(authFile, '{"auths":{}}')
  return { HOME: home, XDG_RUNTIME_DIR: home, TMPDIR: home, REGISTRY_AUTH_FILE: authFile }
}

/** Writes a registries.conf whose only registry has the endpoint as its mirror. */
export async function writeMirrorStanza (path: string, { registry, endpoint }: PullTarget): Promise<void> {
  await writeFile(path, `unqualified-search-registries = []
[[registry]]
prefix = "${registry}"
location = "${registry}"
[[registry.mirror]]
location = "${endpoint}/${registry}"
insecure = true
`)
}
