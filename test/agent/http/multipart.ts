/** One part of a `multipart/byteranges` answer. */
export interface RangePart {
  readonly contentType: string | undefined
  readonly contentRange: string | undefined
  readonly bytes: Buffer
}

/** Reads a multipart body by the letter of RFC 2046, section 5.1.1. @throws Error on anything that is not in its place */
export function readMultipart (contentType: string, body: Buffer): RangePart[] {
  const [, boundary] = /^multipart\/byteranges; boundary=([0-9A-Za-z'()+_,./:=?-]{1,70})$/.exec(contentType) ?? []
  if (boundary === undefined) throw new Error(`no boundary in ${contentType}`)
  const parts: RangePart[] = []
  let rest = body
  for (let delimiter = `--${boundary}`; ; delimiter = `\r\n--${boundary}`) {
    rest = after(rest, delimiter)
    if (rest.equals(Buffer.from('--\r\n'))) return parts
    rest = after(rest, '\r\n')
    const headEnd = rest.indexOf('\r\n\r\n')
    const end = rest.indexOf(`\r\n--${boundary}`)
    if (headEnd === -1 || end < headEnd) throw new Error('a part without head or end')
    const headers = new Headers(rest.subarray(0, headEnd).toString().split('\r\n').map(line => line.split(': ', 2) as [string, string]))
    parts.push({
      contentType: headers.get('content-type') ?? undefined,
      contentRange: headers.get('content-range') ?? undefined,
      bytes: rest.subarray(headEnd + 4, end)
    })
    rest = rest.subarray(end)
  }
}

function after (bytes: Buffer, prefix: string): Buffer {
  if (!bytes.subarray(0, prefix.length).equals(Buffer.from(prefix))) throw new Error(`expected ${JSON.stringify(prefix)}, found ${JSON.stringify(bytes.subarray(0, 100).toString())}`)
  return bytes.subarray(prefix.length)
}
