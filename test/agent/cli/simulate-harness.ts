import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CliHarness, temporaryDirectory } from './cli-harness.ts'
import type { CliContext } from '../../../agent/cli/cli-context.ts'

/** Three hosts that pull 4 MB; `description` and `expect` say what the engine does and what must hold. */
export interface ScenarioText {
  readonly description?: string
  readonly expect?: readonly string[]
  readonly faults?: string
}

/** The command line with an engine that does as the scenario's description says, in a directory of its own. */
export class SimulateHarness extends CliHarness {
  readonly directory: string

  private constructor (directory: string) {
    super()
    this.directory = directory
  }

  static async create (): Promise<SimulateHarness> {
    return new SimulateHarness(await temporaryDirectory())
  }

  override get context (): CliContext {
    const moduleOf = (name: string): string => new URL(`../../scenarios/${name}-engine.ts`, import.meta.url).href
    return { ...super.context, engineModules: { sim: moduleOf('told'), live: moduleOf('told-live') } }
  }

  /** @returns its path */
  async scenario ({ description = '', expect = [], faults = '[]' }: ScenarioText = {}): Promise<string> {
    const path = join(this.directory, 'small.yaml')
    await writeFile(path, [
      `description: ${JSON.stringify(description)}`,
      'groups: { rack: { count: 3, up: 10MB/s, down: 10MB/s } }',
      'origin: { up: 10MB/s }',
      'images: { app: [4MB] }',
      `faults: ${faults}`,
      `expect: ${JSON.stringify(expect)}`,
      ''
    ].join('\n'))
    return path
  }

  /** With its output in `out` below the directory. */
  async simulate (...args: string[]): Promise<number> {
    return this.run('simulate', ...args, '--out', this.out)
  }

  /** Until a run is under way. */
  async begun (): Promise<void> {
    await this.stderr.until(/0 of \d+ hosts done/)
  }

  get out (): string {
    return join(this.directory, 'out')
  }
}
