import { describe, expect, it } from 'vitest'
import { runInThread } from '../../scenarios/run-thread.ts'
import { runScenario } from '../../scenarios/run.ts'
import { smallScenario } from './small-scenario.ts'
import type { RunOptions, RunPhase } from '../../scenarios/run.ts'
import type { FaultSpec } from '../../scenarios/scenario.ts'

const options: RunOptions = { engine: 'sim', shoal: '1.2.3', modules: { sim: new URL('./told-engine.ts', import.meta.url).href } }
const slow: FaultSpec = { type: 'slow', groups: ['rack'], hosts: 3, fromMs: 0, untilMs: 0, forMs: Infinity, factor: 0.5 }

describe.each([['in this thread', runScenario], ['in a thread of its own', runInThread]])('a run %s', (_, run) => {
  it('gives the result of what the engine tells', async () => {
    const result = await run(smallScenario(), options)
    expect(result).toMatchObject({ engine: 'sim', shoal: '1.2.3', isPartial: false, durationMs: 3000, imageBytes: 4e6, figures: { 'completion.p50': 2000, 'completion.max': 3000, 'origin.bytes': 12e6 } })
  })

  it('is judged', async () => {
    const { expectations } = await run(smallScenario({ expect: [{ text: 'completion.max <= 2s', figure: 'completion.max', comparison: '<=', value: 2000, of: undefined }] }), options)
    expect(expectations).toEqual([{ text: 'completion.max <= 2s', actual: 3000, limit: 2000, isMet: false }])
  })

  it('goes before without faults when an expectation is in units of that', async () => {
    const phases = new Set<RunPhase>()
    const scenario = smallScenario({ faults: [slow], expect: [{ text: 'completion.max <= 1.5 x clean', figure: 'completion.max', comparison: '<=', value: 1.5, of: 'clean' }] })
    const { figures, expectations } = await run(scenario, { ...options, onProgress: (_, phase) => { phases.add(phase) } })
    expect(figures['completion.max']).toBe(6000)
    expect(expectations).toEqual([{ text: 'completion.max <= 1.5 x clean', actual: 6000, limit: 4500, isMet: false }])
    expect([...phases]).toContain('clean')
  })

  it('says what it left out, of which there mostly is nothing', async () => {
    expect(await run(smallScenario({ description: 'lossy' }), options)).toMatchObject({ notes: ['loss is left out'] })
    expect(await run(smallScenario(), options)).not.toHaveProperty('notes')
  })

  it('ends with what has happened when it is aborted, before or amid it', async () => {
    const aborted = new AbortController()
    const amid = await run(smallScenario({ description: 'endless' }), { ...options, signal: aborted.signal, onProgress: () => { aborted.abort() } })
    const before = await run(smallScenario({ description: 'endless' }), { ...options, signal: AbortSignal.abort() })
    for (const result of [amid, before]) expect(result).toMatchObject({ isPartial: true, hosts: [{ startedMs: 0, outcome: 'pending' }, {}, {}] })
  })

  it('that is impossible says why', async () => {
    await expect(run(smallScenario({ description: 'impossible' }), options)).rejects.toMatchObject({ message: 'no room for so many agents: try 4', code: expect.any(String) as string })
  })

  it('that is broken shows where', async () => {
    await expect(run(smallScenario({ description: 'broken' }), options)).rejects.toMatchObject({ message: 'undefined is not a number', stack: expect.stringContaining('told-engine') as string })
  })
})

it('a thread that ends without a result is an error', async () => {
  await expect(runInThread(smallScenario({ description: 'ends' }), options)).rejects.toMatchObject({ code: 'RUN_FAILED', message: 'the thread that ran small ended with code 3 and no result' })
})
