import { MultiBar } from 'cli-progress'

const BAR_WIDTH = 24

/** Bars that go when what they show is over, drawn alike by all commands. @param format - of one, in the words of cli-progress */
export function terminalBars (output: NodeJS.WritableStream, format: string): MultiBar {
  return new MultiBar({
    stream: output,
    format,
    barsize: BAR_WIDTH,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
    // A bar that did not change must be drawn again too: a line above may have pushed it down.
    forceRedraw: true,
    autopadding: true,
    emptyOnZero: true
  })
}
