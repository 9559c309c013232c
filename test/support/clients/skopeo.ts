import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '../../../src/oci/digest.ts'
import { runCommand } from '../../../scenarios/live/child-process.ts'
import { filesOfLayers } from '../image-files.ts'
import { makeTempDir, removeTempDir } from '../../../scenarios/live/temp-dir.ts'
import { containersEnvironment, writeMirrorStanza } from './containers-environment.ts'
import { nameWithReference, type ImageClient, type PulledImage, type PullOptions, type PullTarget } from './image-client.ts'

/** `skopeo copy` through a mirror stanza into a directory. */
export async function skopeoClient (): Promise<ImageClient> {
  const workDir = await makeTempDir('skopeo')
  const env = await containersEnvironment(workDir)
  const conf = join(workDir, 'registries.conf')
  let pulls = 0
  return {
    name: 'skopeo',
    async pull (target: PullTarget, { timeoutMs }: PullOptions = {}): Promise<PulledImage> {
      const destination = join(workDir, `image-${pulls++}`)
      await writeMirrorStanza(conf, target)
      await runCommand('skopeo', ['--registries-conf', conf, 'copy', '--quiet', `docker://${target.registry}/${nameWithReference(target)}`, `dir:${destination}`], { env, timeoutMs })
      const pulled = await readDirImage(destination)
      await removeTempDir(destination)
      return pulled
    },
    stop: () => removeTempDir(workDir)
  }
}

/** Reads an image from any of skopeo's transports, e.g. `oci:DIR:REFERENCE` out of an agent's data directory. */
export async function skopeoCopy (source: string): Promise<PulledImage> {
  const workDir = await makeTempDir('skopeo')
  const destination = join(workDir, 'image')
  try {
    await runCommand('skopeo', ['copy', '--quiet', source, `dir:${destination}`], { env: await containersEnvironment(workDir) })
    return await readDirImage(destination)
  } finally {
    await removeTempDir(workDir)
  }
}

/** Files of a `dir:` image are named by their digest; what counts is what is in them. */
async function readDirImage (dir: string): Promise<PulledImage> {
  const bytes = await readFile(join(dir, 'manifest.json'))
  const manifest = JSON.parse(bytes.toString()) as { config: { digest: string }, layers: Array<{ digest: string }> }
  const contentPath = (digest: string): string => join(dir, digest.slice(digest.indexOf(':') + 1))
  return {
    config: digestOf(await readFile(contentPath(manifest.config.digest))),
    manifests: [digestOf(bytes)],
    files: await filesOfLayers(manifest.layers.map(layer => createReadStream(contentPath(layer.digest))))
  }
}
