import { waitForTurnMs } from '../../src/pull/audit-turn.ts'
import type { OriginAsker } from '../../src/pull/origin-slots.ts'
import { pieceSpan } from '../../src/swarm/pieces.ts'
import { sampleOf } from '../../src/swarm/sample.ts'
import type { SimHost } from './host.ts'
import type { Flow } from './network.ts'
import type { SimPart } from './part.ts'
import type { World } from './world.ts'

/** Pieces read again on others' word in one fetch, at the most: `src/pull/audit`. */
const MAX_HINTS = 4
/** Signers that are not believed on others' word alone, in one fetch, at the most. */
const MAX_DOUBTED = 4
/** Without an origin the pieces of a suspect are fetched anew of others, in milliseconds. */
const COMPARE_MS = 1_000
const ACCUSATION_BYTES = 160

/**
 * Who signed the pieces of a blob at one host, which of them are wrong, and how that is found out (docs/design.md, "Signed pieces").
 * A liar of the one kind signs other bytes than it has read, so that what it read is wrong with everybody until a whole does not
 * match; one of the other kind changes what it passes on, which its receiver sees at once.
 */
export class Lies {
  readonly #world: World
  readonly #part: SimPart
  /** Who signed what others have given; what is not here we have read ourselves. */
  readonly #authors = new Map<number, SimHost>()
  readonly #wrong = new Set<number>()
  readonly #accused = new Set<SimHost>()
  /** Those accused over another layer. */
  readonly #suspected = new Set<SimHost>()
  /** What they signed is taken of nobody, though nothing is proved: whether it was wrong the whole will say. */
  readonly #doubted = new Map<SimHost, { readonly isWrong: boolean }>()
  #hasRelented = false
  #hints = 0
  /** When the whole was found to be wrong, if that is being looked into, in milliseconds. */
  #auditSinceMs: number | undefined
  /** Pieces that are being read again: each ends its own. */
  readonly #reads = new Set<() => void>()

  constructor (world: World, part: SimPart) {
    this.#world = world
    this.#part = part
  }

  get hasWrong (): boolean {
    return this.#wrong.size > 0
  }

  isWrong (piece: number): boolean {
    return this.#wrong.has(piece)
  }

  /** Whether somebody who is believed no more has signed it. */
  isRefused (from: SimPart, piece: number): boolean {
    const author = authorOf(from, piece)
    return this.#part.host.banned.has(author) || this.#doubted.has(author)
  }

  /** Whether the bytes are not those that were signed. */
  isTampered ({ host }: SimPart, _piece: number): boolean {
    if (!host.isLiar || isSigner(host)) return false
    this.#world.observer.lied(host.name, this.#part.host.name, this.#world.clock.nowMs)
    return true
  }

  /** A piece came from another, as it was signed. */
  took (from: SimPart, piece: number): void {
    const author = authorOf(from, piece)
    this.#authors.set(piece, author)
    if (!(author.isLiar && isSigner(author)) && from.lies?.isWrong(piece) !== true) return
    this.#wrong.add(piece)
    this.#world.observer.lied(author.name, this.#part.host.name, this.#world.clock.nowMs)
  }

  /** The whole is right: who was doubted and had signed something else has lied, and who is accused, as the accusation has what it signed. */
  settle (): void {
    for (const [signer, { isWrong }] of this.#doubted) if (isWrong) this.caught(signer)
    for (const liar of this.#accused) this.#ban(liar)
  }

  /**
   * The whole does not match. What the accused have signed is fetched anew; if that is not it, a host after the other reads
   * one piece of each signer from the origin again, and tells the rest who has lied.
   */
  audit (): void {
    if (this.#auditSinceMs !== undefined || this.#doubt([...this.#accused, ...this.#suspected])) return
    this.#auditSinceMs = this.#world.clock.nowMs
    this.#auditInTurn(this.#auditSinceMs)
  }

  #auditInTurn (sinceMs: number): void {
    const { clock, random } = this.#world
    const { session } = this.#part
    // it is over, or hints of others have found what was wrong
    if (this.#auditSinceMs !== sinceMs) return
    if (!this.hasWrong || !session.isComplete) {
      this.#auditSinceMs = undefined
      return
    }
    const waitMs = waitForTurnMs(session, clock.nowMs - sinceMs)
    if (waitMs > 0) {
      clock.after(waitMs, () => { this.#auditInTurn(sinceMs) })
      return
    }
    const authors = [...new Set(this.#authors.values())]
    this.#auditAll(sampleOf(authors, authors.length, random), sinceMs)
  }

  /** Another says that somebody has lied: what we hold on its word is read again. */
  heard (liar: SimHost): void {
    this.#accused.add(liar)
    const { host, session } = this.#part
    for (const part of host.parts.values()) if (part !== this.#part) part.lies?.suspects(liar)
    if (!this.#part.isFetching) this.#ban(liar)
    if (host.banned.has(liar) || this.#doubted.has(liar)) return
    if (this.#doubt([liar])) {
      this.#auditSinceMs = undefined
      return
    }
    if (session.isComplete || this.#hints === MAX_HINTS) return
    const piece = this.#pieceOf(liar)
    if (piece === undefined) return
    this.#hints++
    this.#readAgain(piece, () => { if (this.#wrong.has(piece)) this.caught(liar) })
  }

  /** Another says that somebody has lied about another layer: should the whole be wrong, what we hold on its word comes first. */
  suspects (liar: SimHost): void {
    this.#suspected.add(liar)
    if (this.#auditSinceMs !== undefined && this.#doubt([liar])) this.#auditSinceMs = undefined
  }

  /** Somebody was found out: it is believed in nothing any more, and the others hear of it. */
  caught (liar: SimHost): void {
    const { host, layer, told } = this.#part
    if (host.banned.has(liar)) {
      // a piece of it was on its way through the check
      this.disbelieve(liar)
      return
    }
    this.#ban(liar)
    this.#world.wire.tellAll(host, [...told], ACCUSATION_BYTES, to => { to.parts.get(layer.name)?.lies?.heard(liar) })
  }

  /** What it signed is fetched again, of who says anew that it has it. */
  disbelieve (liar: SimHost): void {
    const pieces = [...this.#authors].flatMap(([piece, author]) => author === liar && this.#part.isFetching ? [piece] : [])
    for (const piece of pieces) {
      this.#authors.delete(piece)
      this.#wrong.delete(piece)
    }
    if (pieces.length === 0) return
    this.#doubtCopies(liar, pieces)
    this.#part.lost(pieces)
  }

  /** It is over, here: nothing more is read again. */
  end (): void {
    this.#auditSinceMs = undefined
    for (const stop of [...this.#reads]) stop()
  }

  authorOf (piece: number): SimHost | undefined {
    return this.#authors.get(piece)
  }

  /** One piece of each is read again: of several liars a second would be found only after another wrong whole. */
  #auditAll (authors: readonly SimHost[], sinceMs: number): void {
    const found: SimHost[] = []
    let open = authors.length
    for (const author of authors) {
      const piece = this.#pieceOf(author)
      if (piece === undefined) throw new RangeError(`${author.name} has signed nothing`)
      this.#readAgain(piece, () => {
        if (this.#wrong.has(piece) && this.#authors.get(piece) === author) found.push(author)
        if (--open > 0) return
        if (this.#auditSinceMs === sinceMs) this.#auditSinceMs = undefined
        for (const liar of found) this.caught(liar)
        // what was fetched again meanwhile is of others, who are not among these
        if (this.hasWrong && this.#part.session.isComplete) this.audit()
      })
    }
  }

  /** Nobody helps any more: those that are doubted are believed again, once. @returns whether anybody is */
  relent (nowMs: number): boolean {
    if (this.#hasRelented) return false
    this.#hasRelented = true
    this.#doubted.clear()
    return this.#part.session.relent(nowMs)
  }

  /** What these have signed is fetched again. @returns whether anything is */
  #doubt (signers: readonly SimHost[]): boolean {
    const { host, layer, told } = this.#part
    const { wire } = this.#world
    if (this.#hasRelented) return false
    const before = this.#doubted.size
    const authors = new Set(this.#authors.values())
    for (const signer of signers) {
      if (!authors.has(signer) || this.#doubted.has(signer) || this.#doubted.size === MAX_DOUBTED) continue
      this.#doubted.set(signer, { isWrong: [...this.#authors].some(([piece, author]) => author === signer && this.#wrong.has(piece)) })
      this.disbelieve(signer)
      if (!this.#accused.has(signer)) continue
      wire.tellAll(host, [...told], ACCUSATION_BYTES, to => { to.parts.get(layer.name)?.lies?.heard(signer) })
    }
    return this.#doubted.size > before
  }

  /** Others have them on the same word. Without an origin they may be the only ones. */
  #doubtCopies (signer: SimHost, pieces: readonly number[]): void {
    const { origin, scenario } = this.#world
    if (origin.exists && scenario.agent.originPolicy !== 'never') this.#part.session.doubt(signer.name, pieces)
  }

  /** Nothing more is taken of it, in whatever layer. */
  #ban (liar: SimHost): void {
    const { host } = this.#part
    const { clock, observer, wire, directory } = this.#world
    if (host.banned.has(liar)) return
    host.banned.add(liar)
    observer.banned(liar.name, host.name, clock.nowMs)
    directory.bury(liar, host)
    wire.tell(host, liar, 8, () => { directory.bury(host, liar) })
    for (const part of host.parts.values()) part.lies?.disbelieve(liar)
  }

  #pieceOf (author: SimHost): number | undefined {
    for (const [piece, one] of this.#authors) if (one === author) return piece
    return undefined
  }

  /** From the origin, if there is one. */
  #readAgain (piece: number, onRead: () => void): void {
    const { clock, network, observer, origin } = this.#world
    const { host, layer } = this.#part
    const { life } = host
    if (!origin.isReachable(host) || this.#world.scenario.agent.originPolicy === 'never') {
      clock.after(COMPARE_MS, () => { if (host.life === life) onRead() })
      return
    }
    const { start, end } = pieceSpan(layer.bytes, piece)
    const asker: OriginAsker = { size: end - start, onFree: () => { read() } }
    let free = (): void => { host.originSlots.leave(asker) }
    let flow: Flow | undefined
    const stop = (): void => {
      this.#reads.delete(stop)
      free()
      const bytes = flow === undefined ? 0 : Math.round(end - start - network.end(flow))
      observer.originSent(bytes, clock.nowMs)
      observer.inVain(host.name, bytes, clock.nowMs)
    }
    const read = (): void => {
      free = host.originSlots.take(asker)
      origin.ask(host, () => {
        if (!this.#reads.has(stop)) return
        flow = this.#world.download(host, end - start, () => {
          stop()
          onRead()
        })
      })
    }
    this.#reads.add(stop)
    if (host.originSlots.isFree(asker)) read()
  }
}

/** Who vouches for a piece that a host gives: whoever read it from the origin, or the host itself when it holds the whole. */
function authorOf (part: SimPart, piece: number): SimHost {
  return part.lies?.authorOf(piece) ?? part.host
}

/** Every other liar signs wrong bytes, the rest change what they pass on. */
function isSigner ({ name }: SimHost): boolean {
  return Number.parseInt(name.slice(name.lastIndexOf('-') + 1)) % 2 === 0
}
