import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { pushBlob, pushManifest, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { httpRead } from '../support/http-read.ts'
import { seededBytes } from '../support/image.ts'
import { requireCommands } from '../support/requires.ts'
import { makeSparseStore, SPARSE_DIGEST, SPARSE_SIZE, SPARSE_WORDS, sparseBytes } from '../support/sparse-blob.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'

const REPOSITORY = 'team/app'
const MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json'
const SIZES = [0, 1, MIN_PIECE_LENGTH, MIN_PIECE_LENGTH + 1]
const TEST_TIMEOUT_MS = 90_000
/** Memory of an agent that gives or takes ranges of a blob of 20 GiB: half as much again as was measured. */
const MOST_BYTES = 340 * 1024 * 1024

describe.skipIf(requireCommands('docker-registry', 'setpriv') !== undefined)('agents that fetch from an agent', () => {
  let registry: DockerRegistry
  let parts: AsyncDisposableStack
  const keep = <T extends { stop (): Promise<void> }>(part: T): T => parts.adopt(part, async () => { await part.stop() })

  beforeAll(async () => {
    parts = new AsyncDisposableStack()
    registry = keep(await startDockerRegistry())
  })

  afterAll(async () => { await parts.disposeAsync() })

  it('get blobs of 0 bytes, 1 byte, one piece and one byte more, each once and right', async () => {
    const blobs = new Map(SIZES.map(size => seededBytes(size, 'sizes')).map(bytes => [digestOf(bytes), bytes]))
    const config = Buffer.from('{"architecture":"amd64","os":"linux"}')
    blobs.set(digestOf(config), config)
    for (const [digest, bytes] of blobs) await pushBlob(registry.url, REPOSITORY, digest, bytes)
    const descriptors = [...blobs].map(([digest, { length: size }]) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size }))
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE, config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length }, layers: descriptors.slice(0, SIZES.length) }))
    await pushManifest(registry.url, REPOSITORY, '1', { mediaType: MEDIA_TYPE, bytes })
    const origins = { 'reg.test': registry.url }
    const pull = async (agent: AgentProcess): Promise<void> => {
      expect((await httpRead(`${agent.url}/v2/${REPOSITORY}/manifests/1?ns=reg.test`)).body).toEqual(bytes)
      await Promise.all([...blobs].map(async ([digest, expected]) => {
        const { status, body, isComplete } = await httpRead(`${agent.url}/v2/${REPOSITORY}/blobs/${digest}?ns=reg.test`)
        expect({ status, isComplete, length: body.length }).toEqual({ status: 200, isComplete: true, length: expected.length })
        expect(digestOf(body)).toBe(digest)
      }))
    }

    const a = keep(await AgentProcess.start({ origins }))
    await pull(a)
    const [b, c] = [keep(await AgentProcess.start({ origins, bootstrap: [a.multiaddr], args: ['--origin-policy', 'never'] })), keep(await AgentProcess.start({ origins, bootstrap: [a.multiaddr], args: ['--origin-policy', 'never'] }))]
    for (const other of [b, c]) await other.connectedTo(a)
    await Promise.all([pull(b), pull(c)])
    for (const other of [b, c]) {
      const { banned, bytes: { fromPeers } } = await other.status()
      expect(banned).toEqual([])
      // manifests come by the same way
      expect(fromPeers).toBeLessThanOrEqual([...blobs.values(), bytes].reduce((sum, { length }) => sum + length, 0))
      expect(fromPeers).toBeGreaterThanOrEqual([...blobs.values()].reduce((sum, { length }) => sum + length, 0))
    }
  }, TEST_TIMEOUT_MS)

  it('get ranges of a blob of 20 GiB that the other holds, right and with little memory', async () => {
    const dir = await makeTempDir('sparse')
    parts.defer(async () => { await removeTempDir(dir) })
    const dataDir = join(dir, 'data')
    const manifest = await makeSparseStore(dataDir)
    const origins = { 'reg.test': 'http://127.0.0.1:1' }
    const a = keep(await AgentProcess.start({ origins, dataDir }))
    const b = keep(await AgentProcess.start({ origins, bootstrap: [a.multiaddr], args: ['--trust', a.peerId] }))
    await b.connectedTo(a)
    expect((await httpRead(`${b.url}/v2/${REPOSITORY}/manifests/${manifest}?ns=reg.test`)).status).toBe(200)

    for (const start of [...SPARSE_WORDS.keys()].map(at => Math.max(0, at - 100_000)).reverse()) {
      await expectRange(b, SPARSE_DIGEST, start, start + 300_000)
    }
    for (const agent of [a, b]) expect(await agent.peakBytes()).toBeLessThan(MOST_BYTES)
    expect((await b.status()).banned).toEqual([])
  }, TEST_TIMEOUT_MS)
})

async function expectRange (agent: AgentProcess, digest: Digest, start: number, end: number): Promise<void> {
  const { status, headers, body } = await httpRead(`${agent.url}/v2/${REPOSITORY}/blobs/${digest}?ns=reg.test`, { headers: { range: `bytes=${start}-${end - 1}` } })
  expect({ status, range: headers.get('content-range') }).toEqual({ status: 206, range: `bytes ${start}-${end - 1}/${SPARSE_SIZE}` })
  expect(Buffer.compare(body, sparseBytes(start, end))).toBe(0)
}
