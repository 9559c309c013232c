import type { Engine, EngineName } from './result.ts'

/** URLs of modules to take engines from in place of the own ones. Each exports `engine`. A thread can be told of them. */
export type EngineModules = Readonly<Partial<Record<EngineName, string>>>

/** The engine of that name. Only what it needs is loaded. */
export async function loadEngine (name: EngineName, modules: EngineModules = {}): Promise<Engine> {
  const url = modules[name]
  if (url !== undefined) return (await import(url) as { engine: Engine }).engine
  switch (name) {
    case 'sim': return (await import('./sim/simulate.ts')).simulate
    case 'live': return (await import('./live/run-live.ts')).runLive
    default: return name satisfies never
  }
}
