import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { ShoalError } from '../errors.ts'
import { errorCode, writing } from './fs-errors.ts'
import { StoreClosedError, StoreCorruptError, StoreFullError, StoreInUseError, StoreUnwritableError } from './store-errors.ts'
import { Turns } from './turns.ts'

/** LevelDB gives the system's reason as text only. */
const FULL = /no space left|quota exceeded/i
const DENIED = /permission denied|read-only file system|operation not permitted/i

/** LevelDB's write buffer: the longest log it turns into a table when it is opened. */
const REOPEN_BYTES = 4 * 1024 * 1024

type Level = ClassicLevel<string, string>
export type DatabaseOperation =
  | { readonly type: 'put', readonly key: string, readonly value: string }
  | { readonly type: 'del', readonly key: string }

/** Keys are `<room>!<key>`, in byte order; a room's keys never contain what comes after it. */
export class StoreDatabase {
  readonly #level: Level
  readonly #turns = new Turns()
  /**
   * A write failed. LevelDB then refuses what comes after, or writes it behind a torn record where its recovery would not find it:
   * it must be opened again first. Until there is room for that, reads go on.
   */
  #isAiling = false
  #isClosed = false
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
      // Any file of the database may be damaged or missing; only what is no damage is not worth a repair.
      if (FULL.test(textOf(cause)) || DENIED.test(textOf(cause))) throw asDatabaseError(error, path)
      await repair(level, path)
    }
    return new StoreDatabase(level)
  }

  async get (key: string): Promise<string | undefined> {
    await this.#readable()
    return this.#level.get(key)
  }

  /** All or nothing. `sync`: on the disk when it resolves. @throws StoreFullError */
  async write (operations: readonly DatabaseOperation[], options: { sync?: boolean } = {}): Promise<void> {
    await this.#turns.run(async () => {
      this.#assertOpen()
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
    await this.#readable()
    for await (const [key, value] of this.#level.iterator({ gte: prefix, lt: `${prefix}\uffff` })) {
      yield [key.slice(prefix.length), value]
    }
  }

  async close (): Promise<void> {
    await this.#turns.run(async () => {
      this.#isClosed = true
      await this.#level.close()
    })
  }

  async #readable (): Promise<void> {
    this.#assertOpen()
    await this.#reopening
    // Opening it again has failed before.
    if (this.#isAiling && this.#level.status === 'closed') await this.#turns.run(() => this.#reopen())
  }

  #assertOpen (): void {
    if (this.#isClosed) throw new StoreClosedError('store')
  }

  /** In turn. */
  async #reopen (): Promise<void> {
    if (!this.#isAiling || this.#isClosed) return
    if (this.#level.status === 'open') await probe(join(this.#level.location, '..', 'probe.tmp'))
    const reopening = this.#closeAndOpen()
    this.#reopening = reopening.catch(() => {})
    await reopening
    this.#isAiling = false
  }

  async #closeAndOpen (): Promise<void> {
    await this.#level.close()
    await this.#level.open()
  }
}

/** Opening writes a new log and, from the old one, a table. @throws StoreFullError when there is no room for that */
async function probe (path: string): Promise<void> {
  await writing(path, async () => {
    try {
      await writeFile(path, Buffer.alloc(REOPEN_BYTES))
    } finally {
      await rm(path, { force: true })
    }
  })
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
  if (FULL.test(textOf(cause))) return new StoreFullError(path, { cause })
  if (errorCode(cause) === 'LEVEL_CORRUPTION') return new StoreCorruptError(path, { cause })
  return new StoreUnwritableError(path, { cause })
}

function textOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** abstract-level wraps what LevelDB said when it could not be opened. */
function causeOf (error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error
}
