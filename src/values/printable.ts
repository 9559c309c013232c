import { stripVTControlCharacters } from 'node:util'

/** What must not reach a terminal as it stands: control characters, line separators, changes of direction. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** Text from elsewhere as one line that changes nothing about the terminal. */
export function printable (text: string): string {
  return stripVTControlCharacters(text).replace(UNPRINTABLE, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
