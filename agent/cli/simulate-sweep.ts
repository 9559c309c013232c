import { availableParallelism } from 'node:os'
import { sweepText } from '../../scenarios/report/sweep-text.ts'
import { sweep } from '../../scenarios/sweep.ts'
import { throwIfUnmet, unmetLines } from './expectation-lines.ts'
import { Interruption } from './interruption.ts'
import { resultValue, sweepFiles } from './result-files.ts'
import { outputDirectory, prepareDirectory, tellPlaces, textInit, writeFiles } from './simulate-output.ts'
import { showRehearsal } from './simulate-rehearsal.ts'
import { readScenario } from './simulate-scenario.ts'
import { createSimulateView } from './simulate-view.ts'
import type { SweepCase } from '../../scenarios/sweep.ts'
import type { CliContext } from './cli-context.ts'
import type { SimulateRequest } from './simulate-request.ts'

type SweepRequest = Extract<SimulateRequest, { type: 'sweep' }>

/** One simulation for each value of a key, on all cores. @throws ScenarioFileError, RunError, ExpectationError, InterruptedError, OutputError */
export async function simulateSweep (request: SweepRequest, context: CliContext): Promise<void> {
  const { key, asJson, isQuiet } = request
  const cases = await readCases(request)
  const directory = outputDirectory(request, `shoal-${cases[0]?.scenario.name}-sweep`)
  await prepareDirectory(directory)
  using interruption = new Interruption(context)
  const view = await createSimulateView(request, context)
  const points = await sweep(cases, {
    atOnce: availableParallelism(),
    signal: interruption.signal,
    run: async (scenario, { signal, value }) => showRehearsal(scenario, { engine: 'sim', name: `${key}=${value}`, view, signal }, context)
  }).finally(() => { view?.close() })
  await writeFiles(directory, sweepFiles(key, points), request)
  if (asJson) context.stdout.write(`${JSON.stringify(points.map(({ value, result }) => ({ value, result: resultValue(result) })))}\n`)
  else if (!isQuiet) context.stdout.write(sweepText(key, points, textInit(context)))
  tellPlaces(directory, 'sweep.html', request, context)
  interruption.throwIfInterrupted(`${points.length} of ${cases.length} runs had begun${directory === undefined ? '' : `, and their results are in ${directory}`}`)
  throwIfUnmet(points.flatMap(({ value, result }) => unmetLines(result, `${key}=${value}`)))
}

/** All of them are read before the first runs, so that a wrong value is known at once. */
async function readCases ({ scenario, settings, key, values }: SweepRequest): Promise<SweepCase[]> {
  const cases: SweepCase[] = []
  for (const value of values) cases.push({ value, scenario: await readScenario(scenario, [...settings, [key, value]]) })
  return cases
}
