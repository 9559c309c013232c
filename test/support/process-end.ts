const actions = new Map<string, () => void>()
let isInstalled = false

/** Runs a synchronous clean-up when the test process ends, however the test went; the same key replaces, `undefined` forgets it. */
export function atProcessEnd (key: string, action: (() => void) | undefined): void {
  if (!isInstalled) install()
  if (action === undefined) actions.delete(key)
  else actions.set(key, action)
}

function install (): void {
  isInstalled = true
  process.once('exit', () => {
    for (const action of [...actions.values()].reverse()) action()
  })
}
