import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { benchColdPull } from './cold-pull.ts'
import { benchFirstByte } from './first-byte.ts'
import { benchFootprint } from './footprint.ts'
import { benchLimits } from './limits.ts'
import { benchManifestLatency } from './manifest-latency.ts'
import { benchPeerTransfer } from './peer-transfer.ts'
import { benchSession } from './session.ts'
import { printSection, type Section } from './support/report.ts'
import { setStage, type BenchStage } from './support/stage.ts'
import { benchWarmRead } from './warm-read.ts'

/** On a stage of a registry and an agent that holds its image. */
const STAGED = { warm: benchWarmRead, cold: benchColdPull, peer: benchPeerTransfer, manifest: benchManifestLatency, 'first-byte': benchFirstByte, limits: benchLimits } as const
const BARE = { footprint: benchFootprint, session: benchSession } as const
const NAMES = [...Object.keys(STAGED), ...Object.keys(BARE)]
const DEFAULT_MIB = 1024

const { values, positionals } = parseArgs({ allowPositionals: true, options: { mib: { type: 'string', default: String(DEFAULT_MIB) }, help: { type: 'boolean' } } })
const chosen = positionals.length === 0 ? NAMES : positionals
if (values.help === true || chosen.some(name => !NAMES.includes(name))) {
  console.error(`usage: npm run bench -- [--mib SIZE] [${NAMES.join(' | ')}]…`)
  process.exit(values.help === true ? 0 : 2)
}

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB; medians, in brackets the least and the most`)
let stage: BenchStage | undefined
try {
  for (const name of chosen) show(name in BARE ? await BARE[name as keyof typeof BARE]() : await STAGED[name as keyof typeof STAGED](stage ??= await setStage(Number(values.mib) * 1024 ** 2)))
} finally {
  await stage?.close()
}

function show (section: Section): void {
  printSection(section)
  if (section.rows.some(row => row.isMet === false)) process.exitCode = 1
}
