import { join } from 'node:path'
import { credentials, loadPackageDefinition, type Client, type ServiceError } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const DEFAULT_TIMEOUT_MS = 60_000
const QUERY_TIMEOUT_MS = 2_000

type Answer = (error: ServiceError | null, response: unknown) => void
type ImageServiceClient = Client & Record<'pullImage' | 'listImages', (request: object, options: { deadline: number }, answer: Answer) => void>
type ImageServiceConstructor = new (address: string, channel: ReturnType<typeof credentials.createInsecure>) => ImageServiceClient

/** The kubelet's way to pull: ImageService of the container runtime interface over a unix socket. */
export class CriImages {
  readonly #client: ImageServiceClient

  constructor (socketPath: string) {
    const definition = loadPackageDefinition(loadSync(join(import.meta.dirname, 'cri.proto'))) as unknown as { runtime: { v1: { ImageService: ImageServiceConstructor } } }
    this.#client = new definition.runtime.v1.ImageService(`unix://${socketPath}`, credentials.createInsecure())
  }

  /** @throws ServiceError while the runtime does not answer */
  async isReady (): Promise<true> {
    await this.#call('listImages', {}, QUERY_TIMEOUT_MS)
    return true
  }

  async pull (image: string, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<void> {
    await this.#call('pullImage', { image: { image } }, timeoutMs)
  }

  close (): void {
    this.#client.close()
  }

  #call (method: 'pullImage' | 'listImages', request: object, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#client[method](request, { deadline: Date.now() + timeoutMs }, (error, response) => {
        if (error === null) resolve(response)
        else reject(error)
      })
    })
  }
}
