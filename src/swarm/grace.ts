/** Who has wanted a blob for so many graces takes part in it by now, and has a part of it. */
const AT_WORK_GRACES = 2
/** Who does is waited for so many graces: where processors are scarce it is late, and what it has is not read again. */
const PATIENT_GRACES = 10

/**
 * How long somebody who was asked to take part may take to answer before the origin is read without it, in milliseconds.
 *
 * @param graceMs - for one of whom nothing is known
 * @param wantedForMs - how long it has wanted the blob itself, as it told us; undefined: it has not
 */
export function answerGraceMs (graceMs: number, wantedForMs: number | undefined): number {
  return wantedForMs !== undefined && wantedForMs >= AT_WORK_GRACES * graceMs ? PATIENT_GRACES * graceMs : graceMs
}
