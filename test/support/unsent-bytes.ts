import { readFile } from 'node:fs/promises'

/** Bytes that the kernel holds for the connections of a port, at both ends, and that are not acknowledged. Linux only: proc_net_tcp(5). */
export async function unsentBytes (port: number): Promise<number> {
  const rows = (await readFile('/proc/net/tcp', 'utf8')).trim().split('\n').slice(1)
  return rows.map(row => row.trim().split(/\s+/)).reduce((sum, [, local = '', remote = '', , queues = '']) => {
    const isOurs = [local, remote].some(address => parseInt(address.split(':')[1] ?? '', 16) === port)
    return sum + (isOurs ? parseInt(queues.split(':')[0] ?? '', 16) : 0)
  }, 0)
}
