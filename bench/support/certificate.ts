import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../../scenarios/live/child-process.ts'

/** A self-signed certificate for localhost, made by openssl. */
export async function makeCertificate (dir: string): Promise<{ key: string, cert: string }> {
  const key = join(dir, 'key.pem')
  const cert = join(dir, 'cert.pem')
  await runCommand('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert])
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
}
