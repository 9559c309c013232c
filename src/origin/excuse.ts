const MAX_LENGTH = 200
const utf8 = new TextDecoder()

/**
 * What a registry's error document says, for our messages: code and message of its first error (OCI distribution
 * spec 1.1, "Error Codes"), cut, on one line. Empty where there is none.
 */
export function excuseOf (bytes: Uint8Array): string {
  const document = parse(bytes)
  const first = document?.errors?.[0]
  const text = [first?.code, first?.message].filter(part => typeof part === 'string').join(': ')
  // eslint-disable-next-line no-control-regex -- a stranger's text goes to logs and terminals
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, MAX_LENGTH)
  return line === '' ? '' : ` (${line})`
}

interface ErrorDocument {
  readonly errors?: ReadonlyArray<{ readonly code?: unknown, readonly message?: unknown } | null>
}

function parse (bytes: Uint8Array): ErrorDocument | undefined {
  try {
    const document: unknown = JSON.parse(utf8.decode(bytes))
    if (typeof document === 'object' && document !== null && 'errors' in document && Array.isArray(document.errors)) return document as ErrorDocument
  } catch {}
  return undefined
}
