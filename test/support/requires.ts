import { missingCommands } from '../../scenarios/live/missing-commands.ts'

/**
 * The commands a suite drives for real. Where one is missing the suite is skipped with the reason in its name;
 * in CI a missing command is an error, so that a green run cannot hide it.
 *
 * @returns the reason to skip, or undefined: `describe.skipIf(requireCommands('skopeo') !== undefined)`
 */
export function requireCommands (...commands: readonly string[]): string | undefined {
  const missing = missingCommands(...commands)
  if (missing.length === 0) return undefined
  const reason = `not installed: ${missing.join(', ')}`
  if (process.env.CI === 'true') throw new Error(`${reason} (CI must have them)`)
  console.warn(`skipped, ${reason}`)
  return reason
}
