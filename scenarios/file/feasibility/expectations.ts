import { groupOfFigure } from '../expectation.ts'
import type { Expectation, Scenario } from '../../scenario.ts'
import type { Problem } from '../problem.ts'

/** Expectations of figures that the scenario can't have. */
export function expectationProblems (scenario: Scenario): Problem[] {
  return scenario.expect.flatMap((expectation, index): Problem[] => {
    const reason = reasonAgainst(expectation, scenario)
    return reason === undefined ? [] : [{ path: ['expect', index], text: `"${expectation.text}" can't be judged: ${reason}` }]
  })
}

function reasonAgainst ({ figure, of }: Expectation, { faults, pulls }: Scenario): string | undefined {
  if (of === 'clean' && faults.length === 0) return 'there are no faults, so the run itself is the clean one; compare with bound, image or a value'
  if (figure.startsWith('liars.') && !faults.some(({ type }) => type === 'lie')) return 'nobody lies; add a fault of the type lie'
  const group = groupOfFigure(figure)
  if (group !== undefined && !pulls.some(({ groups }) => groups.includes(group))) return `the group ${group} pulls nothing; name one that does`
  return undefined
}
