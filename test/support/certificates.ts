import { generate } from 'selfsigned'

/** PEM texts. */
export interface TestCertificate {
  readonly cert: string
  readonly key: string
}

const COMMON = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const

/** An authority of one's own. */
export async function makeAuthority (name = 'test authority'): Promise<TestCertificate> {
  const made = await generate([{ name: 'commonName', value: name }], {
    ...COMMON,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true }
    ]
  })
  return { cert: made.cert, key: made.private }
}

/** A certificate for a server at 127.0.0.1 and the names given, or for a client. */
export async function makeCertificate (authority: TestCertificate, { names = ['localhost'], isClient = false }: { names?: readonly string[], isClient?: boolean } = {}): Promise<TestCertificate> {
  const made = await generate([{ name: 'commonName', value: names[0] ?? 'localhost' }], {
    ...COMMON,
    ca: { cert: authority.cert, key: authority.key },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      isClient ? { name: 'extKeyUsage', clientAuth: true } : { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }, ...names.map(value => ({ type: 2, value } as const))] }
    ]
  })
  return { cert: made.cert, key: made.private }
}
