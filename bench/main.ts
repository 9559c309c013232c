import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { benchColdPull } from './cold-pull.ts'
import { benchFirstByte } from './first-byte.ts'
import { benchFootprint } from './footprint.ts'
import { benchLimits } from './limits.ts'
import { benchManifestLatency } from './manifest-latency.ts'
import { benchPeerTransfer } from './peer-transfer.ts'
import { printSection } from './support/report.ts'
import { setStage } from './support/stage.ts'
import { benchWarmRead } from './warm-read.ts'

const BENCHES = { warm: benchWarmRead, cold: benchColdPull, peer: benchPeerTransfer, manifest: benchManifestLatency, footprint: benchFootprint, 'first-byte': benchFirstByte, limits: benchLimits } as const
const DEFAULT_MIB = 1024

const { values, positionals } = parseArgs({ allowPositionals: true, options: { mib: { type: 'string', default: String(DEFAULT_MIB) }, help: { type: 'boolean' } } })
const chosen = positionals.length === 0 ? Object.keys(BENCHES) : positionals
const unknown = chosen.find(name => !(name in BENCHES))
if (values.help === true || unknown !== undefined) {
  console.error(`usage: npm run bench -- [--mib SIZE] [${Object.keys(BENCHES).join(' | ')}]…`)
  process.exit(values.help === true ? 0 : 2)
}

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB; medians, in brackets the least and the most`)
const stage = await setStage(Number(values.mib) * 1024 ** 2)
try {
  for (const name of chosen) {
    const section = await BENCHES[name as keyof typeof BENCHES](stage)
    printSection(section)
    if (section.rows.some(row => row.isMet === false)) process.exitCode = 1
  }
} finally {
  await stage.close()
}
