import { Containerd } from './containerd.ts'
import { buildahClient, podmanClient } from './containers-storage.ts'
import { Dockerd } from './dockerd.ts'
import { skopeoClient } from './skopeo.ts'
import type { ImageClient } from './image-client.ts'

/** What must be installed for `EveryClient`. */
export const clientCommands = ['dockerd', 'docker', 'containerd', 'ctr', 'podman', 'buildah', 'skopeo', 'runc', 'unshare', 'setpriv', 'docker-registry'] as const

/** All the clients that Shoal serves, daemons shared between those that can. */
export class EveryClient {
  /** Those that reach the endpoint under a registry name of the target's choice. */
  readonly ofAnyRegistry: readonly ImageClient[]
  /** Docker with `registry-mirrors`: the target's registry is docker.io. */
  readonly dockerHub: ImageClient

  private constructor (dockerd: Dockerd, ofAnyRegistry: readonly ImageClient[]) {
    this.dockerHub = dockerd.byMirror()
    this.ofAnyRegistry = ofAnyRegistry
  }

  static async start (): Promise<EveryClient> {
    const [dockerd, containerd, podman, buildah, skopeo] = await Promise.all([Dockerd.start(), Containerd.start(), podmanClient(), buildahClient(), skopeoClient()])
    return new EveryClient(dockerd, [dockerd.byPath(), containerd.byCtr(), containerd.byCri(), podman, buildah, skopeo])
  }

  async stop (): Promise<void> {
    for (const client of this.ofAnyRegistry) await client.stop()
  }
}
