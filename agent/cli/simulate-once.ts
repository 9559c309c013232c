import { reportText } from '../../scenarios/report/text.ts'
import { resultText } from '../../scenarios/result-file.ts'
import { throwIfUnmet, unmetLines } from './expectation-lines.ts'
import { Interruption } from './interruption.ts'
import { resultFiles } from './result-files.ts'
import { outputDirectory, prepareDirectory, tellNotes, tellPlaces, textInit, writeFiles } from './simulate-output.ts'
import { showRehearsal } from './simulate-rehearsal.ts'
import { readScenario } from './simulate-scenario.ts'
import { createSimulateView } from './simulate-view.ts'
import type { CliContext } from './cli-context.ts'
import type { SimulateRequest } from './simulate-request.ts'

/** One run of one scenario. @throws ScenarioFileError, RunError, ExpectationError, InterruptedError, OutputError */
export async function simulateOnce (request: Extract<SimulateRequest, { type: 'run' }>, context: CliContext): Promise<void> {
  const { engine, asJson, isQuiet } = request
  const scenario = await readScenario(request.scenario, request.settings)
  const directory = outputDirectory(request, `shoal-${scenario.name}-${engine}`)
  await prepareDirectory(directory)
  using interruption = new Interruption(context)
  const view = await createSimulateView(request, context)
  const result = await showRehearsal(scenario, { engine, name: scenario.name, view, signal: interruption.signal }, context).finally(() => { view?.close() })
  tellNotes(result, request, context)
  await writeFiles(directory, resultFiles(result), request)
  if (asJson) context.stdout.write(resultText(result))
  else if (!isQuiet) context.stdout.write(reportText(result, textInit(context)))
  tellPlaces(directory, 'report.html', request, context)
  interruption.throwIfInterrupted(`the result is of what had happened${directory === undefined ? '' : `, and in ${directory}`}`)
  throwIfUnmet(unmetLines(result))
}
