import { Containerd } from './containerd.ts'
import { buildahClient, podmanClient } from './containers-storage.ts'
import { Dockerd } from './dockerd.ts'
import { skopeoClient } from './skopeo.ts'
import type { ImageClient } from './image-client.ts'

/** The clients that Shoal serves. `dockerByMirror` knows Docker Hub only: its target's registry is docker.io. */
export const clientNames = ['dockerByPath', 'dockerByMirror', 'ctr', 'cri', 'podman', 'buildah', 'skopeo'] as const
export type ClientName = typeof clientNames[number]

/** What must be installed for them. */
export const clientCommands = ['dockerd', 'docker', 'containerd', 'ctr', 'podman', 'buildah', 'skopeo', 'runc', 'unshare', 'setpriv', 'docker-registry'] as const

/** One of each client, daemons shared between those that can. */
export class EveryClient {
  readonly #clients: Readonly<Record<ClientName, ImageClient>>

  private constructor (clients: Readonly<Record<ClientName, ImageClient>>) {
    this.#clients = clients
  }

  static async start (): Promise<EveryClient> {
    const [dockerd, containerd, podman, buildah, skopeo] = await Promise.all([Dockerd.start(), Containerd.start(), podmanClient(), buildahClient(), skopeoClient()])
    return new EveryClient({ dockerByPath: dockerd.byPath(), dockerByMirror: dockerd.byMirror(), ctr: containerd.byCtr(), cri: containerd.byCri(), podman, buildah, skopeo })
  }

  get (name: ClientName): ImageClient {
    return this.#clients[name]
  }

  async stop (): Promise<void> {
    for (const name of clientNames) await this.#clients[name].stop()
  }
}
