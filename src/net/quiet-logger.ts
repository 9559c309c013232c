import type { ComponentLogger, Logger } from '@libp2p/interface'

function ignore (): void {}

const QUIET: Logger = Object.assign(ignore, { error: ignore, trace: ignore, enabled: false, newScope: () => QUIET })

/** libp2p's own lines go nowhere: what happens is told by our events, and formatting scopes for each stream costs time. */
export const quietLogger: ComponentLogger = { forComponent: () => QUIET }
