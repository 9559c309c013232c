import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { whyNoPrivateNetwork } from '../scenarios/live/private-network.ts'
import { benchPeerTransfer } from './peer-transfer.ts'
import { capArguments } from './rollout/agent-caps.ts'
import type { BareResult } from './rollout/bare-host.ts'
import { runBareMesh } from './rollout/bare-mesh.ts'
import { drawRollout } from './rollout/chart.ts'
import { checkLinks } from './rollout/link-check.ts'
import { describeShaping } from '../scenarios/live/link-rate.ts'
import { parseOptions, USAGE, type RolloutOptions } from './rollout/options.ts'
import { enterPrivateNetwork, isInPrivateNetwork } from './rollout/private-network.ts'
import { figuresOf, rowsOf } from './rollout/rows.ts'
import { runRollout, type RunResult } from './rollout/run.ts'
import { isWaitedFor, type Scenario } from './rollout/scenario.ts'
import { compareSmall } from './rollout/small.ts'
import { setRolloutStage, type RolloutStage } from './rollout/stage.ts'
import { printSection, type Section } from './support/report.ts'
import { setStage } from './support/stage.ts'
import { benchWarmRead } from './warm-read.ts'

const MIB = 1024 * 1024
const PAIR_BYTES = 1024 * MIB

process.exit(await main())

async function main (): Promise<number> {
  const options = understood()
  if (typeof options === 'number') return options
  // The pair is measured as `npm run bench` does it, on the loopback interface.
  if (options.preset === 'pair') return judge(await comparePair(options.runs))
  if (!isInPrivateNetwork()) {
    const reason = await whyNoPrivateNetwork()
    if (reason === undefined) return enterPrivateNetwork()
    console.log(`links are not shaped (${reason}): all agents at the loopback address, with their own caps only; bars on time are not held`)
  }
  // What we have started dies with this process, and with it the namespaces; files go as well.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { process.exit(130) })
  console.log(`Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model ?? 'CPU'}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB; medians, in brackets the least and the most`)
  const { scenario } = options
  if (scenario === undefined) return judge([await compareSmall({ rounds: options.runs, isPrivate: isInPrivateNetwork(), warmUps: options.warmUps, fleet: options })])
  return judge(await rollOut(options, scenario))
}

function understood (): RolloutOptions | number {
  try {
    const options = parseOptions(process.argv.slice(2))
    if (options !== undefined) return options
    console.log(USAGE)
    return 0
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    return 2
  }
}

/** Prints the sections. @returns the exit code */
function judge (sections: readonly Section[]): number {
  for (const section of sections) printSection(section)
  return sections.some(({ rows }) => rows.some(({ isMet }) => isMet === false)) ? 1 : 0
}

async function comparePair (rounds: number): Promise<Section[]> {
  const stage = await setStage(PAIR_BYTES)
  try {
    return [await benchPeerTransfer(stage, rounds), await benchWarmRead(stage)]
  } finally {
    await stage.close()
  }
}

async function rollOut (options: RolloutOptions, scenario: Scenario): Promise<Section[]> {
  const isPrivate = isInPrivateNetwork()
  const sections: Section[] = []
  if (isPrivate && options.checksLinks && scenario.hostBytesPerSecond !== undefined) {
    sections.push({ title: 'plain TCP over one shaped link', rows: await checkLinks(scenario.hostBytesPerSecond) })
  }
  const caps = options.hasCaps && scenario.hostBytesPerSecond !== undefined ? await capArguments(scenario.hostBytesPerSecond) : []
  describe(options, scenario, { isPrivate, caps })
  const stage = await setRolloutStage(scenario, { isPrivate, warmUps: options.warmUps })
  const runs: RunResult[] = []
  let bare: BareResult[] = []
  try {
    for (let run = 0; run < options.runs; run++) {
      const result = await runRollout({ stage, scenario, fleet: { ...options, agentArgs: [...caps ?? [], ...options.agentArgs] } })
      printRun(run, result, stage.image.bytes)
      runs.push(result)
    }
    bare = await measureBare(stage, scenario)
  } finally {
    await stage.close()
  }
  const bars = isPrivate ? scenario.bars : { maxOriginBytes: scenario.bars.maxOriginBytes }
  sections.push({ title: `${options.preset}, ${options.runs === 1 ? '1 run' : `${options.runs} runs`}`, rows: rowsOf(runs, { imageBytes: stage.image.bytes, bars, bare }) })
  await writeFile(options.out, drawRollout(runs.map((run, number) => ({
    title: `${options.preset}, run ${number + 1}: ${scenario.hosts} hosts, ${scenario.imageBytes / MIB} MiB in ${scenario.layers} layers`,
    imageBytes: stage.image.bytes,
    hosts: run.hosts,
    origin: run.observation.originCurve,
    boundMs: run.boundMs,
    barMs: run.boundMs === undefined || bars.maxCompletion === undefined ? undefined : run.boundMs * bars.maxCompletion,
    endMs: run.endMs
  }))))
  console.log(`\ncompletion curves: ${options.out}`)
  return sections
}

/** Over the links as the last run has left them; where some are slower than others it would say nothing. */
async function measureBare ({ network, image }: RolloutStage, { hosts, hostBytesPerSecond, faults }: Scenario): Promise<BareResult[]> {
  if (hosts < 2 || hostBytesPerSecond === undefined || Object.keys(faults).length > 0) return []
  return runBareMesh({ places: network.hosts, bytes: image.bytes, bytesPerSecond: hostBytesPerSecond })
}

/** Says what is about to be measured, and what is left out. */
function describe ({ preset, runs, warmUps, settleMs, bootstrapHosts, hasCaps }: RolloutOptions, scenario: Scenario, { isPrivate, caps }: { isPrivate: boolean, caps: readonly string[] | undefined }): void {
  const { hosts, imageBytes, layers, hostBytesPerSecond, originBytesPerSecond, seededShare } = scenario
  const speed = (rate: number | undefined): string => rate === undefined ? 'as fast as the machine' : `${rate / 1e6} MB/s`
  const had = seededShare > 0 ? `, on ${seededShare * 100} % of the hosts already` : ''
  console.log(`${preset}: ${hosts} hosts, ${imageBytes / MIB} MiB in ${layers} layers${had}, ${speed(hostBytesPerSecond)} up and down per host, origin ${speed(originBytesPerSecond)}, ${runs === 1 ? '1 run' : `${runs} runs`}`)
  if (isPrivate && hostBytesPerSecond !== undefined) console.log(`links: a network namespace each, one bridge; ${describeShaping(hostBytesPerSecond)}; acknowledgements count`)
  console.log(`agents' own caps: ${!hasCaps ? 'not wanted' : caps === undefined ? 'none, this agent has no --upload-limit and --download-limit' : caps.join(' ')}`)
  console.log(`agents: all join by the first ${bootstrapHosts}; each has a neighbour, has taken part in ${warmUps === 0 ? 'no rollout' : `${warmUps} rollouts of other images`} before, and then ${settleMs / 1000} s have passed and all are idle`)
  console.log('times count from the first of the starts, which spread over 100 ms, until the image is committed')
}

function printRun (run: number, result: RunResult, imageBytes: number): void {
  const { max, maxInBounds, originContent } = figuresOf(result, imageBytes)
  const { neighbours, setUpMs } = result
  const inBounds = Number.isNaN(maxInBounds) ? '' : `, ${maxInBounds.toFixed(3)} T*`
  console.log(`run ${run + 1}: last healthy host after ${max.toFixed(2)} s${inBounds}; origin ${originContent.toFixed(4)} × image; set-up ${(setUpMs / 1000).toFixed(1)} s; neighbours ${neighbours.at(0)}-${neighbours.at(-1)}, median ${neighbours[Math.floor(neighbours.length / 2)]}`)
  for (const { index, role, error } of result.hosts) {
    if (error !== undefined && isWaitedFor(role)) console.log(`  host ${index} (${role}): ${error}`)
  }
}
