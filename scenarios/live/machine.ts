import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import process from 'node:process'
import { missingCommands } from './missing-commands.ts'
import { canInNewNetwork, whyNoPrivateNetwork } from './private-network.ts'

/** Runs in place of an agent that lies; only a checkout has it. */
const FAULTY_MAIN = join(import.meta.dirname, `../../test/support/faulty-agent${extname(import.meta.filename)}`)

/** What a live run can have here. */
export interface Machine {
  readonly processors: number
  readonly freeMemoryBytes: number
  /** Where temporary files go. */
  readonly freeDiskBytes: number
  /** Without these nothing runs. */
  readonly missing: readonly string[]
  /** Why links cannot be shaped; undefined: they can. */
  readonly noLinks: string | undefined
  /** netem: packets can be held back and lost. */
  readonly hasDelay: boolean
  /** ifb: links can share one rate. */
  readonly hasSharedRate: boolean
  /** htb: what a group sends to some others can be limited. */
  readonly hasClasses: boolean
  /** nftables: packets between hosts can be dropped. */
  readonly hasCuts: boolean
  /** Script that runs in place of an agent that lies. */
  readonly faultyMain: string | undefined
}

/** Looks at this machine, and tries what its kernel can do. */
export async function thisMachine (): Promise<Machine> {
  const { bavail, bsize } = await statfs(tmpdir())
  const missing = missingCommands('docker-registry', 'setpriv')
  const noLinks = await whyNoPrivateNetwork()
  const can = async (lines: string): Promise<boolean> => noLinks === undefined && await canInNewNetwork(lines)
  const [hasDelay, hasSharedRate, hasClasses, hasCuts] = await Promise.all([
    can('tc qdisc add dev lo root netem delay 1ms'),
    can('ip link add air0 type ifb; tc qdisc add dev lo clsact; tc filter add dev lo egress protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev air0'),
    can('tc qdisc add dev lo root handle 1: htb default 2'),
    can('nft add table ip cut0')
  ])
  return {
    processors: availableParallelism(),
    freeMemoryBytes: process.availableMemory(),
    freeDiskBytes: bavail * bsize,
    missing,
    noLinks,
    hasDelay,
    hasSharedRate,
    hasClasses,
    hasCuts,
    faultyMain: existsSync(FAULTY_MAIN) ? FAULTY_MAIN : undefined
  }
}
