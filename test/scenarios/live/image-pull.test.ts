import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { pullImages } from '../../../scenarios/live/image-pull.ts'
import { contentOf } from '../../../scenarios/live/layer-content.ts'
import { digestOf } from '../../../src/oci/digest.ts'

const BYTES = 100_000
const layer = { name: 'base', bytes: BYTES, seed: '1 base', digest: digestOf(Buffer.concat([...contentOf('1 base', BYTES)])) }
const config = Buffer.from('{}')
const manifest = Buffer.from(JSON.stringify({ config: { digest: digestOf(config) } }))
const image = { name: 'app', digest: digestOf(manifest), layers: [layer] }

describe('a pull', () => {
  let server: Server | undefined
  let wrong: number

  afterEach(() => { server?.close(); server?.closeAllConnections() })

  /** @param layerAnswer - in place of the right one */
  async function pull (layerAnswer: RequestListener | undefined, signal = new AbortController().signal): Promise<string[]> {
    const asked: string[] = []
    wrong = 0
    server = createServer((request, response) => {
      const { url = '' } = request
      const kind = url.split('/').at(-2)
      asked.push(`${kind} ${url.endsWith(layer.digest) ? 'layer' : url.endsWith(image.digest) ? 'image' : 'config'}`)
      if (!url.startsWith('/v2/registry.test/app/')) response.writeHead(404).end()
      else if (url.endsWith(image.digest)) response.end(manifest)
      else if (!url.endsWith(layer.digest)) response.end(config)
      else if (layerAnswer !== undefined) layerAnswer(request, response)
      else response.end(content())
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    await pullImages({
      agentUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      name: 'registry.test/app',
      images: [image],
      layers: [layer],
      parallelLayers: 3,
      onWrong: bytes => { wrong += bytes },
      signal
    })
    return asked
  }

  it('asks for the manifest, its config and the layers', async () => {
    expect(await pull(undefined)).toEqual(['manifests image', 'blobs config', 'blobs layer'])
    expect(wrong).toBe(0)
  })

  it('asks again for what was cut, and counts what was wrong before the cut', async () => {
    let times = 0
    const asked = await pull((_request, response) => {
      if (times++ > 0) {
        response.end(content())
        return
      }
      response.writeHead(200, { 'Content-Length': BYTES })
      const bytes = content()
      bytes[7] = (bytes[7] ?? 0) ^ 1
      response.write(bytes.subarray(0, 50_000), () => { setImmediate(() => { response.destroy() }) })
    })
    expect(asked.filter(what => what === 'blobs layer')).toHaveLength(2)
    expect(wrong).toBe(1)
  })

  it('gives up when the whole is wrong', async () => {
    await expect(pull((_request, response) => { response.end(Buffer.alloc(BYTES)) })).rejects.toThrow('was given wrong bytes of base')
    expect(wrong).toBeGreaterThan(0.9 * BYTES)
  })

  it('gives up when the agent refuses', async () => {
    await expect(pull((_request, response) => { response.writeHead(404).end('no such blob') })).rejects.toMatchObject({ code: 'PULL_REFUSED', message: expect.stringContaining('404 no such blob') as string })
  })

  it('ends with its signal, whatever it waits for', async () => {
    const stop = new AbortController()
    await expect(pull((_request, response) => {
      response.writeHead(200, { 'Content-Length': BYTES }).flushHeaders()
      stop.abort()
    }, stop.signal)).rejects.toMatchObject({ name: 'AbortError' })
  })
})

function content (): Buffer {
  return Buffer.concat([...contentOf(layer.seed, BYTES)])
}
