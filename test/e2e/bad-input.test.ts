import { once } from 'node:events'
import { open, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { digestHex, type Digest } from '../../src/oci/digest.ts'
import { AgentProcess, type AgentInit } from '../../scenarios/live/agent-process.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { freePort } from '../../scenarios/live/free-port.ts'
import { httpPull } from '../support/http-pull.ts'
import { httpRead, readVerified } from '../support/http-read.ts'
import { buildImage, type TestImage } from '../support/image.ts'
import { platformImage } from '../support/platform-image.ts'
import { requireCommands } from '../support/requires.ts'
import { writeSwarmKey } from '../support/swarm-key.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'
import { until } from '../../scenarios/live/until.ts'

const REPOSITORY = 'team/app'
const TEST_TIMEOUT_MS = 60_000
/** `PeerId` of nobody. */
const UNKNOWN_PEER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
const SMALL_DISK_BYTES = 12_000_000
const LARGE_LAYER_BYTES = 20_000_000

describe.skipIf(requireCommands('docker-registry', 'setpriv', 'unshare') !== undefined)('an agent with something wrong around it', () => {
  let registry: DockerRegistry
  let image: TestImage
  let workDir: string
  let started: AgentProcess[] = []

  beforeAll(async () => {
    workDir = await makeTempDir('bad-input')
    registry = await startDockerRegistry()
    image = await buildImage()
    await pushImage(registry.url, REPOSITORY, image, { tag: '1' })
  })

  afterEach(async () => {
    for (const agent of started.reverse()) await agent.stop()
    started = []
  })

  afterAll(async () => {
    await registry.stop()
    await removeTempDir(workDir)
  })

  async function start (init: AgentInit = {}): Promise<AgentProcess> {
    const agent = await AgentProcess.start({ origins: { 'reg.test': registry.url }, ...init })
    started.push(agent)
    return agent
  }

  /** Starts one that is to end by itself. */
  async function startAndEnd (init: AgentInit): Promise<AgentProcess> {
    const agent = await AgentProcess.launch(init)
    started.push(agent)
    await agent.exited()
    return agent
  }

  function pull (agent: AgentProcess): Promise<string> {
    return httpPull({ agent: agent.url, registry: 'reg.test', repository: REPOSITORY, reference: '1', image })
  }

  it('is refused a data directory that another agent uses, and the other goes on', async () => {
    const first = await start()
    const second = await startAndEnd({ dataDir: first.dataDir })
    expect(second.exitCode).toBe(1)
    expect(onlyLineWith(second, first.dataDir)).toMatch(/another|already|in use/i)
    expect(await pull(first)).toBe('right')
  }, TEST_TIMEOUT_MS)

  it('ends with one line that names the port when its HTTP port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      const agent = await startAndEnd({ args: ['--http', `127.0.0.1:${port}`] })
      expect(agent.exitCode).toBe(1)
      onlyLineWith(agent, String(port))
    } finally {
      server.close()
    }
  }, TEST_TIMEOUT_MS)

  it('ends with one line that names the directory when it can\'t write there', async () => {
    const disk = join(workDir, 'read-only')
    const agent = await startAndEnd({ dataDir: join(disk, 'data'), runner: onTmpfs(disk, 'ro') })
    expect(agent.exitCode).toBe(1)
    onlyLineWith(agent, disk)
  }, TEST_TIMEOUT_MS)

  it('ends with 2 for a broken configuration, naming file, key, value and what is allowed', async () => {
    const file = join(workDir, 'shoal.yaml')
    await writeFile(file, 'logLevel: loud\n')
    const agent = await startAndEnd({ args: ['--config', file] })
    expect(agent.exitCode).toBe(2)
    const line = onlyLineWith(agent, file)
    for (const part of ['logLevel', 'loud', 'trace', 'silent']) expect(line).toContain(part)
  }, TEST_TIMEOUT_MS)

  it('serves what fits when its disk is full, and lives', async () => {
    const large = await buildImage({ seed: 'large', platforms: ['amd64'], layerBytes: [LARGE_LAYER_BYTES] })
    await pushImage(registry.url, 'team/large', large, { tag: '1' })
    const disk = join(workDir, 'disk')
    const agent = await start({ dataDir: join(disk, 'data'), runner: onTmpfs(disk, `size=${SMALL_DISK_BYTES}`) })
    const [layer] = platformImage(large, 'amd64').layers
    const answer = await httpRead(`${agent.url}/v2/team/large/blobs/${layer}?ns=reg.test`)
    if (answer.status === 200 && answer.isComplete) expect(answer.body.length).toBe(large.blobs.get(layer as Digest)?.length)
    expect(answer.status).toBeLessThan(500)
    expect(await pull(agent)).toBe('right')
    expect((await httpRead(`${agent.url}/healthz`)).status).toBe(200)
    expect(agent.log()).toMatch(/full|no space/i)
  }, TEST_TIMEOUT_MS)

  it('with another swarm key than its bootstrap peer says so once, stays alone and pulls from the origin', async () => {
    const keys = await Promise.all(['a', 'b'].map(digit => writeSwarmKey(workDir, digit)))
    const first = await start({ args: ['--swarm-key', keys[0] ?? ''] })
    const second = await start({ args: ['--swarm-key', keys[1] ?? ''], bootstrap: [first.multiaddr] })
    await until(() => /swarm key/i.test(second.log()), { what: 'the log speaks of the swarm key' })
    expect(await pull(second)).toBe('right')
    expect((await second.status()).peers).toBe(0)
    expect(linesWith(second, /swarm key/i)).toHaveLength(1)
  }, TEST_TIMEOUT_MS)

  it('finds agents with the same swarm key', async () => {
    const key = await writeSwarmKey(workDir, 'c')
    const first = await start({ args: ['--swarm-key', key] })
    const second = await start({ args: ['--swarm-key', key], bootstrap: [first.multiaddr] })
    await second.connectedTo(first)
  }, TEST_TIMEOUT_MS)

  it('says once that its bootstrap peer can\'t be reached, and pulls from the origin', async () => {
    const multiaddr = `/ip4/127.0.0.1/tcp/${await freePort()}/p2p/${UNKNOWN_PEER}`
    const agent = await start({ bootstrap: [multiaddr] })
    expect(await pull(agent)).toBe('right')
    await until(() => linesWith(agent, multiaddr).length > 0, { what: 'the log names the peer' })
    expect(linesWith(agent, multiaddr)).toHaveLength(1)
  }, TEST_TIMEOUT_MS)

  it('quarantines a file of its store that has changed, says so, and fetches the blob again', async () => {
    const agent = await start()
    expect(await pull(agent)).toBe('right')
    const [layer] = platformImage(image).layers
    if (layer === undefined) throw new Error('the image has a layer')
    await flipByte(join(agent.dataDir, 'blobs', 'sha256', digestHex(layer)))
    await readVerified(`${agent.url}/v2/${REPOSITORY}/blobs/${layer}?ns=reg.test`, layer)
    expect(linesWith(agent, /quarantine/i)).toHaveLength(1)
  }, TEST_TIMEOUT_MS)

  it('that was off while a file of its store changed serves the right bytes too', async () => {
    const agent = await start()
    expect(await pull(agent)).toBe('right')
    await agent.end()
    for (const digest of platformImage(image).layers) await flipByte(join(agent.dataDir, 'blobs', 'sha256', digestHex(digest)))
    await agent.restart()
    expect(await pull(agent)).toBe('right')
  }, TEST_TIMEOUT_MS)
})

/** Runs a command with a file system of its own at `dir`, gone with the command. */
function onTmpfs (dir: string, options: string): string[] {
  return ['unshare', '--mount', '--', 'sh', '-c', `mkdir -p ${dir} && mount -t tmpfs -o ${options} tmpfs ${dir} && exec "$@"`, 'sh']
}

function linesWith (agent: AgentProcess, part: string | RegExp): string[] {
  return agent.log().split('\n').filter(line => typeof part === 'string' ? line.includes(part) : part.test(line))
}

/** The one line that tells a person why it ended. */
function onlyLineWith (agent: AgentProcess, part: string): string {
  const lines = linesWith(agent, part).filter(line => line.startsWith('shoal: '))
  expect(lines).toHaveLength(1)
  return lines[0] ?? ''
}

async function flipByte (path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, 1_000)
    byte[0] = (byte[0] ?? 0) ^ 0xff
    await file.write(byte, 0, 1, 1_000)
  } finally {
    await file.close()
  }
}
