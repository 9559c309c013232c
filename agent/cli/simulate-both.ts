import { calibrate } from '../../scenarios/calibration.ts'
import { comparisonText } from '../../scenarios/report/comparison-text.ts'
import { agreementText, apartLines } from './agreement.ts'
import { throwIfUnmet, unmetLines } from './expectation-lines.ts'
import { Interruption } from './interruption.ts'
import { comparisonFile, resultFiles, resultValue } from './result-files.ts'
import { outputDirectory, prepareDirectory, tellNotes, tellPlaces, textInit, writeFiles } from './simulate-output.ts'
import { showRehearsal } from './simulate-rehearsal.ts'
import { readScenario } from './simulate-scenario.ts'
import { createSimulateView } from './simulate-view.ts'
import type { EngineName, Result } from '../../scenarios/result.ts'
import type { CliContext } from './cli-context.ts'
import type { SimulateRequest } from './simulate-request.ts'

/**
 * A simulation, then real agents, and how far apart they are. What the first has shown is kept when the second can't be run.
 * @throws ScenarioFileError, RunError, ExpectationError, InterruptedError, OutputError
 */
export async function simulateBoth (request: Extract<SimulateRequest, { type: 'both' }>, context: CliContext): Promise<void> {
  const scenario = await readScenario(request.scenario, request.settings)
  const directory = outputDirectory(request, `shoal-${scenario.name}-both`)
  await prepareDirectory(directory)
  using interruption = new Interruption(context)
  const view = await createSimulateView(request, context)
  const run = async (engine: EngineName): Promise<Result> => {
    const result = await showRehearsal(scenario, { engine, name: `${scenario.name} (${engine})`, view, signal: interruption.signal }, context)
    await writeFiles(directory, resultFiles(result, engine), request)
    interruption.throwIfInterrupted(`the result is of what had happened${directory === undefined ? '' : `, and in ${directory}`}`)
    return result
  }
  const [sim, live] = await runInTurn(run).finally(() => { view?.close() })
  for (const result of [sim, live]) tellNotes(result, request, context)
  const agreements = calibrate(sim, live)
  await writeFiles(directory, [
    ['calibration.json', () => `${JSON.stringify(agreements, undefined, 2)}\n`],
    comparisonFile(sim, live)
  ], request)
  if (request.asJson) context.stdout.write(`${JSON.stringify({ sim: resultValue(sim), live: resultValue(live), agreements })}\n`)
  else if (!request.isQuiet) context.stdout.write(`${comparisonText(sim, live, textInit(context))}\n${agreementText(agreements)}`)
  tellPlaces(directory, 'comparison.html', request, context)
  throwIfUnmet([...unmetLines(sim, 'sim'), ...unmetLines(live, 'live'), ...apartLines(agreements)])
}

/** One after the other, so that neither takes the other's processor. */
async function runInTurn (run: (engine: EngineName) => Promise<Result>): Promise<[sim: Result, live: Result]> {
  const sim = await run('sim')
  return [sim, await run('live')]
}
