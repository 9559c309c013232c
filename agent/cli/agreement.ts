import { differenceText } from '../../scenarios/report/difference.ts'
import { figureText } from '../../scenarios/report/figure.ts'
import { textTable } from '../../src/values/human.ts'
import type { Agreement } from '../../scenarios/calibration.ts'

/** The verdict on a simulation for a person: what decides, how far it is off, how far it may be. */
export function agreementText (agreements: readonly Agreement[]): string {
  return textTable([
    ['CALIBRATION', 'SIM', 'LIVE', 'OFF BY', 'MAY BE', ''],
    ...agreements.map(({ figure, sim, live, difference, tolerance, isMet }) => [
      figure, figureText(figure, sim), figureText(figure, live), differenceText(difference), `±${Math.round(100 * tolerance)} %`, isMet ? 'agree' : 'APART'
    ])
  ])
}

/** A line for each figure that is further off than it may be. */
export function apartLines (agreements: readonly Agreement[]): string[] {
  return agreements.filter(({ isMet }) => !isMet).map(({ figure, sim, live, difference, tolerance }) => (
    `${figure}: ${figureText(figure, sim)} simulated and ${figureText(figure, live)} for real${difference === null ? '' : `, ${differenceText(difference)}`}; at most ±${Math.round(100 * tolerance)} % is expected`
  ))
}
