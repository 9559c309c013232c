import { ClassicLevel } from 'classic-level'
import { ShoalError } from '../errors.ts'
import { errorCode } from './fs-errors.ts'
import { StoreCorruptError, StoreFullError, StoreInUseError, StoreUnwritableError } from './store-errors.ts'
import { Turns } from './turns.ts'

/** LevelDB gives the system's reason as text only. */
const FULL = /no space left|quota exceeded|file too large/i

type Level = ClassicLevel<string, string>
export type DatabaseOperation =
  | { readonly type: 'put', readonly key: string, readonly value: string }
  | { readonly type: 'del', readonly key: string }

/** Keys are `<room>!<key>`, in byte order; a room's keys never contain what comes after it. */
export class StoreDatabase {
  readonly #level: Level
  readonly #turns = new Turns()
  /** A write failed: LevelDB refuses all later ones until it is opened again. */
  #isAiling = false
  #reopening: Promise<void> | undefined

  private constructor (level: Level) {
    this.#level = level
  }

  /** @throws StoreInUseError, StoreCorruptError, StoreFullError, StoreUnwritableError */
  static async open (path: string, root: string): Promise<StoreDatabase> {
    const level: Level = new ClassicLevel(path)
    try {
      await level.open()
    } catch (error) {
      const cause = causeOf(error)
      if (errorCode(cause) === 'LEVEL_LOCKED') throw new StoreInUseError(root, { cause })
      if (errorCode(cause) !== 'LEVEL_CORRUPTION') throw asDatabaseError(error, path)
      await repair(level, path)
    }
    return new StoreDatabase(level)
  }

  async get (key: string): Promise<string | undefined> {
    await this.#reopening
    return this.#level.get(key)
  }

  /** All or nothing. `sync`: on the disk when it resolves. @throws StoreFullError */
  async write (operations: readonly DatabaseOperation[], options: { sync?: boolean } = {}): Promise<void> {
    await this.#turns.run(async () => {
      try {
        if (this.#isAiling) await this.#reopen()
        await this.#level.batch([...operations], { sync: options.sync ?? false })
      } catch (error) {
        this.#isAiling = true
        throw asDatabaseError(error, this.#level.location)
      }
    })
  }

  /** Keys from `prefix` on, without it, and their values. */
  async * entries (prefix: string): AsyncGenerator<readonly [string, string]> {
    await this.#reopening
    for await (const [key, value] of this.#level.iterator({ gte: prefix, lt: `${prefix}\uffff` })) {
      yield [key.slice(prefix.length), value]
    }
  }

  async close (): Promise<void> {
    await this.#turns.run(async () => { await this.#level.close() })
  }

  async #reopen (): Promise<void> {
    this.#reopening = (async () => {
      await this.#level.close()
      await this.#level.open()
    })()
    try {
      await this.#reopening
      this.#isAiling = false
    } finally {
      this.#reopening = undefined
    }
  }
}

async function repair (level: Level, path: string): Promise<void> {
  try {
    await ClassicLevel.repair(path)
    await level.open()
  } catch (error) {
    throw new StoreCorruptError(path, { cause: causeOf(error) })
  }
}

function asDatabaseError (error: unknown, path: string): Error {
  if (error instanceof ShoalError) return error
  const cause = causeOf(error)
  const message = cause instanceof Error ? cause.message : String(cause)
  if (FULL.test(message)) return new StoreFullError(path, { cause })
  if (errorCode(cause) === 'LEVEL_CORRUPTION') return new StoreCorruptError(path, { cause })
  return new StoreUnwritableError(path, { cause })
}

/** abstract-level wraps what LevelDB said when it could not be opened. */
function causeOf (error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error
}
