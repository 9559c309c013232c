import { bytesText, countText, durationText, hostsText, ratioText, shareText } from '../quantity-text.ts'
import { rolloutMs } from './start.ts'
import type { Result } from '../result.ts'

/** What happened, in a few sentences that need no picture. */
export function summarySentences (result: Result): string[] {
  return [partialSentence(result), completionSentence(result), shortfallSentence(result), originSentence(result), wrongSentence(result), ...noteSentences(result)].filter(sentence => sentence !== undefined)
}

/** Hosts whose completion counts, and those of them that were done. */
export function countedHosts ({ groups }: Result): { counted: number, done: number } {
  return groups.reduce((sum, { hosts, done }) => ({ counted: sum.counted + hosts, done: sum.done + done }), { counted: 0, done: 0 })
}

function partialSentence ({ isPartial, durationMs }: Result): string | undefined {
  return isPartial ? `The run was ended after ${durationText(durationMs)}, before its end: this is what had happened by then.` : undefined
}

function completionSentence (result: Result): string {
  const { bound, isPartial } = result
  const { counted, done } = countedHosts(result)
  const ms = rolloutMs(result)
  const best = bound.ms === 0 ? '' : ` At best it can take T* = ${durationText(bound.ms)}: ${bound.because}.`
  if (counted === 0) return 'No host had anything to pull.'
  if (ms === null) return `${countText(done)} of ${hostsText(counted)} had the whole image${isPartial ? ' by then' : ' in the end'}.${best}`
  return `All ${hostsText(counted)} had the image ${durationText(ms)} after the first began${bound.ms === 0 ? '' : `, ${ratioText(ms / bound.ms)} the best possible`}.${best}`
}

/** What became of those that pulled and were not done. */
function shortfallSentence ({ hosts }: Result): string | undefined {
  const reasons = ([['failed', 'gave up'], ['left', 'went away before the end'], ['pending', 'had not finished']] as const).flatMap(([outcome, words]) => {
    const count = hosts.filter(host => host.outcome === outcome && host.fault !== 'lie').length
    return count === 0 ? [] : [`${countText(count)} ${words}`]
  })
  return reasons.length === 0 ? undefined : `Of the others, ${reasons.join(', ')}.`
}

function originSentence ({ figures, imageBytes, scenario: { origin } }: Result): string {
  const [sent, members] = [figures['origin.bytes'] ?? 0, figures['members.bytes'] ?? 0]
  const part = members === 0 ? '' : ` ${shareText(Math.round(1000 * members / (members + sent)) / 1000)} of all bytes came from other hosts.`
  if (origin === undefined) return `There was no origin: ${bytesText(members)} came from other hosts.`
  return `The origin sent ${bytesText(sent)}${imageBytes === 0 ? '' : `, ${ratioText(sent / imageBytes)} the image`}.${part}`
}

function noteSentences ({ notes = [] }: Result): string[] {
  return notes.map(note => `Note: ${note}.`)
}

function wrongSentence ({ figures }: Result): string | undefined {
  const wrong = figures['wrong.bytes'] ?? 0
  return wrong === 0 ? undefined : `Clients were given ${bytesText(wrong)} of wrong bytes.`
}
