import { comparisonText } from '../../scenarios/report/comparison-text.ts'
import { readResult } from '../../scenarios/result-file.ts'
import { comparisonFile, resultValue } from './result-files.ts'
import { outputDirectory, tellPlaces, textInit, writeFiles } from './simulate-output.ts'
import type { CliContext } from './cli-context.ts'
import type { SimulateRequest } from './simulate-request.ts'

/** `shoal simulate --compare A B`: sets two results side by side. @throws ResultFileError, OutputError */
export async function compareResults (request: Extract<SimulateRequest, { type: 'compare' }>, context: CliContext): Promise<void> {
  const [before, after] = [await readResult(request.files[0]), await readResult(request.files[1])]
  const directory = outputDirectory(request, 'shoal-comparison')
  await writeFiles(directory, [comparisonFile(before, after)], request)
  if (request.asJson) context.stdout.write(`${JSON.stringify([before, after].map(resultValue))}\n`)
  else if (!request.isQuiet) context.stdout.write(comparisonText(before, after, textInit(context)))
  tellPlaces(directory, 'comparison.html', request, context)
}
