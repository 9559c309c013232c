import { createHash } from 'node:crypto'
import { open, rename } from 'node:fs/promises'
import { connect } from 'node:tls'

/*
 * The floor under any transfer between two hosts: a TLS 1.3 socket whose receiver hashes once, writes to disk, syncs
 * and renames. A process of its own, told by the parent what to receive.
 */

export interface ReceiveOrder {
  readonly port: number
  readonly ca: string
  readonly path: string
  readonly bytes: number
}

export interface ReceiveResult {
  readonly seconds: number
  readonly digest?: string
  readonly error?: string
}

async function receive ({ port, ca, path, bytes }: ReceiveOrder): Promise<string> {
  const hash = createHash('sha256')
  const file = await open(`${path}.part`, 'w')
  let received = 0
  const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost', minVersion: 'TLSv1.3' })
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    hash.update(chunk)
    await file.write(chunk)
    received += chunk.length
  }
  if (received !== bytes) throw new Error(`received ${received} of ${bytes} bytes`)
  await file.datasync()
  await file.close()
  await rename(`${path}.part`, path)
  return hash.digest('hex')
}

process.on('message', (order: ReceiveOrder) => {
  const startedAt = performance.now()
  receive(order)
    .then(digest => ({ seconds: (performance.now() - startedAt) / 1000, digest }), (error: unknown) => ({ seconds: 0, error: String(error) }))
    .then(result => process.send?.(result satisfies ReceiveResult))
    .catch(() => { process.exit(1) })
})
