import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { EventHub } from '../../src/events.ts'
import { Publication } from '../../src/pull/publication.ts'
import { StoreShare } from '../../src/pull/shared-content.ts'
import { mayShare } from '../../src/pull/sharing.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { Access } from '../../src/store/store.ts'
import { bytesOf } from './kit.ts'

const open = { isKeyed: false, sharePrivate: false }
const keyed = { isKeyed: true, sharePrivate: false }
const keyedSharing = { isKeyed: true, sharePrivate: true }

describe('the sharing rule', () => {
  test.each([
    ['public', open, true], ['public', keyed, true], ['public', keyedSharing, true],
    ['seeded', open, true], ['seeded', keyed, true], ['seeded', keyedSharing, true],
    ['restricted', open, false], ['restricted', keyed, false], ['restricted', keyedSharing, true],
    ['restricted', { isKeyed: false, sharePrivate: true }, false]
  ] as const)('%s content under %o: %s', (access, policy, expected) => {
    expect(mayShare(access, policy)).toBe(expected)
  })
})

async function storeWith (access: Access, kind: 'blob' | 'manifest' = 'blob') {
  const bytes = bytesOf(1000)
  const digest = digestOf(bytes)
  const events = new EventHub()
  const store = new MemoryStore({ events })
  await store.put(digest, bytes, { kind, access })
  return { store, events, bytes, digest }
}

describe('the store as other agents see it', () => {
  test('gives what may be shared, by spans', async () => {
    const { store, bytes, digest } = await storeWith('public')
    const reader = await new StoreShare({ store }, open).open('blob', digest)
    expect(reader).toMatchObject({ size: 1000, restricted: false })
    const chunks: Uint8Array[] = []
    for await (const chunk of reader?.stream({ start: 10, end: 20 }) ?? []) chunks.push(chunk)
    expect(Buffer.concat(chunks)).toEqual(Buffer.from(bytes.subarray(10, 20)))
    await reader?.close()
  })

  test('hides what may not be shared, as if it were not here', async () => {
    const { store, digest } = await storeWith('restricted')
    expect(await new StoreShare({ store }, open).open('blob', digest)).toBeUndefined()
    const reader = await new StoreShare({ store }, keyedSharing).open('blob', digest)
    expect(reader).toMatchObject({ restricted: true })
    await reader?.close()
  })

  test('has no manifest among its blobs, and no blob among its manifests', async () => {
    const blob = await storeWith('public')
    expect(await new StoreShare(blob, open).open('manifest', blob.digest)).toBeUndefined()
    const manifest = await storeWith('public', 'manifest')
    expect(await new StoreShare(manifest, open).open('blob', manifest.digest)).toBeUndefined()
  })
})

describe('publication', () => {
  function announcements () {
    const log: string[] = []
    return { log, announce: (digest: string) => { log.push(`+${digest}`) }, withdraw: (digest: string) => { log.push(`-${digest}`) } }
  }

  test('announces at the start what is here and may be shared', async () => {
    const { store, digest } = await storeWith('public')
    const hidden = bytesOf(10)
    await store.put(digestOf(hidden), hidden, { kind: 'blob', access: 'restricted' })
    const heard = announcements()
    await new Publication({ store, announcements: heard }, open).start()
    expect(heard.log).toEqual([`+${digest}`])
  })

  test('follows what comes and goes', async () => {
    const { store, events, digest } = await storeWith('public')
    const heard = announcements()
    events.subscribe(new Publication({ store, announcements: heard }, open).handle)
    const [shared, hidden] = [bytesOf(10), bytesOf(11)]
    await store.put(digestOf(shared), shared, { kind: 'blob', access: 'seeded' })
    await store.put(digestOf(hidden), hidden, { kind: 'blob', access: 'restricted' })
    await store.remove(digest)
    events.emit({ type: 'blob:quarantined', digest: digestOf(shared), reason: 'rot' })
    expect(heard.log).toEqual([`+${digestOf(shared)}`, `-${digest}`, `-${digestOf(shared)}`])
  })
})
