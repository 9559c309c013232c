import type { Stream } from '@libp2p/interface'
import { RecentMap } from '../recent.ts'
import { SharedWork } from '../shared-work.ts'
import { keepAliveMs } from './link-pulse.ts'
import { MessageAllowance } from './message-allowance.ts'
import type { IntakePace } from './pace.ts'
import { PeerError } from './peer-error.ts'
import { StreamTransport } from './stream-transport.ts'
import { SwarmLink, type LinkHandlers, type LinkLanes } from './swarm-link.ts'
import type { HelloMessage } from './swarm-message.ts'

const DEFAULT_OPEN_TIMEOUT_MS = 3_000
/** How long the side that was dialled waits for the other's stream before it opens one, in milliseconds. */
const DEFAULT_YIELD_MS = 300
const MAX_LINKS = 2_048
/** Between two looks at all links, in milliseconds: see `LinkPulse`. */
const DEFAULT_BEAT_MS = 5_000
/** More links than this are kept only while a session uses them, or did lately. */
const DEFAULT_MAX_IDLE_LINKS = 256
/** Beats for which a link that no session uses is kept all the same. */
const IDLE_BEATS = 60
/** Direct lanes that are made before anybody asks for pieces: what is said over libp2p costs ten times as much. */
const MAX_EAGER_LANES = 32

export interface SwarmLinksComponents {
  /** A stream of the swarm protocol, dialling the peer if need be. */
  openStream (peer: string, options: { signal: AbortSignal, addresses?: readonly string[] }): Promise<Stream>
  /** Multiaddrs at which others reach a peer, as far as we know. */
  addressesOf (peer: string): readonly string[]
  /** Our own peer id. */
  self (): string
  readonly lanes?: LinkLanes
  /** How fast bytes may come. @default as fast as they do */
  readonly intake?: IntakePace
}

export interface SwarmLinksInit {
  /** @default 3000 */
  readonly openTimeoutMs?: number
  /** How long the side that was dialled leaves it to the other to open the stream, in milliseconds. @default 300 */
  readonly yieldMs?: number
  /** Between two looks at whether links live, in milliseconds: each is pinged every six of these. @default 5000 */
  readonly beatMs?: number
  /** Links kept though no session has used them for sixty beats. @default 256 */
  readonly maxIdleLinks?: number
}

/** Nothing is done about links before somebody uses them. */
const NOBODY: LinkHandlers = { onOpen () {}, onMessage () {}, onBody () {}, onClosed () {} }

/**
 * One link to each agent that speaks the swarm protocol, opened as soon as it is known to. Owns the links; `use` says who
 * hears them.
 */
export class SwarmLinks {
  readonly #components: SwarmLinksComponents
  readonly #openTimeoutMs: number
  readonly #yieldMs: number
  readonly #beatMs: number
  readonly #maxIdleLinks: number
  readonly #links = new Map<string, SwarmLink>()
  readonly #opening = new SharedWork<SwarmLink>()
  readonly #waiting = new Map<string, PromiseWithResolvers<SwarmLink>>()
  /** What peers may say: a link that is opened again brings nothing new. */
  readonly #allowances = new RecentMap<string, MessageAllowance>(MAX_LINKS)
  /** Links for which we have offered a direct lane as soon as they were open. */
  readonly #eager = new Set<SwarmLink>()
  #handlers = NOBODY
  #hello: Omit<HelloMessage, 'type'> = { leech: false }
  #isStopped = false
  #timer: NodeJS.Timeout | undefined
  #beats = 0
  /** At which beat a link was up for the first time, and used for the last. */
  readonly #usedAt = new WeakMap<SwarmLink, { readonly first: number, last: number }>()

  constructor (components: SwarmLinksComponents, init: SwarmLinksInit = {}) {
    this.#components = components
    this.#openTimeoutMs = init.openTimeoutMs ?? DEFAULT_OPEN_TIMEOUT_MS
    this.#yieldMs = init.yieldMs ?? DEFAULT_YIELD_MS
    this.#beatMs = init.beatMs ?? DEFAULT_BEAT_MS
    this.#maxIdleLinks = init.maxIdleLinks ?? DEFAULT_MAX_IDLE_LINKS
  }

  /** Who hears all links from now on, and what we say of ourselves on new ones. */
  use (handlers: LinkHandlers, hello: Omit<HelloMessage, 'type'>): void {
    this.#handlers = handlers
    this.#hello = { ...hello, keepAliveMs: keepAliveMs(this.#beatMs) }
  }

  /** Those on which both have said hello. */
  open (): SwarmLink[] {
    return [...this.#links.values()].filter(link => link.isOpen && link.hello !== undefined)
  }

  of (peer: string): SwarmLink | undefined {
    const link = this.#links.get(peer)
    return link?.isOpen === true && link.hello !== undefined ? link : undefined
  }

  addressesOf (peer: string): readonly string[] {
    return this.#components.addressesOf(peer)
  }

  /** The link to a peer, opened if need be, and for as long as somebody waits for it. @throws PeerError PEER_UNREACHABLE, the signal's reason */
  async connect (peer: string, { signal, addresses }: { signal?: AbortSignal, addresses?: readonly string[] } = {}): Promise<SwarmLink> {
    signal?.throwIfAborted()
    const known = this.of(peer)
    if (known !== undefined) return known
    return this.#opening.join(peer, async ended => this.#open(peer, ended, addresses), { signal })
  }

  /** A peer has connected and speaks the protocol: whoever dialled opens the link. */
  met (peer: string, { weDialled }: { weDialled: boolean }): void {
    if (this.#isStopped || this.#links.has(peer)) return
    const open = (): void => {
      if (!this.#isStopped && !this.#links.has(peer)) this.connect(peer).catch(() => {})
    }
    if (weDialled) open()
    else setTimeout(open, this.#yieldMs).unref()
  }

  /** An inbound stream. */
  accept (stream: Stream, peer: string): void {
    const known = this.#links.get(peer)
    // Both have opened one: that of the lower id stays. One that was up for long is dead at the other end, which would open no second.
    const isKept = known?.isOpen === true && known.isOutbound && this.#components.self() < peer && !this.#isSettled(known)
    if (isKept || this.#isStopped || this.#links.size >= MAX_LINKS) {
      stream.abort(new PeerError('PEER_BUSY', peer, 'has a link already'))
      return
    }
    known?.close()
    this.#add(stream, peer, false)
  }

  stop (): void {
    this.#isStopped = true
    clearInterval(this.#timer)
    for (const link of this.#links.values()) link.close()
  }

  /** Up for longer than two ends that open at once may take to agree on one. */
  #isSettled (link: SwarmLink): boolean {
    const used = this.#usedAt.get(link)
    return link.hello !== undefined && used !== undefined && (this.#beats - used.first - 1) * this.#beatMs >= this.#openTimeoutMs
  }

  #beat (): void {
    this.#beats++
    const idle: Array<{ link: SwarmLink, beats: number }> = []
    for (const link of this.#links.values()) {
      link.beat()
      const used = this.#usedAt.get(link)
      if (used === undefined) continue
      if (this.#handlers.isUsed?.(link) !== false) used.last = this.#beats
      else if (this.#beats - used.last >= IDLE_BEATS) idle.push({ link, beats: this.#beats - used.last })
    }
    const spare = this.#links.size - this.#maxIdleLinks
    if (spare <= 0) return
    for (const { link } of idle.sort((a, b) => b.beats - a.beats).slice(0, spare)) link.close()
  }

  async #open (peer: string, ended: AbortSignal, addresses?: readonly string[]): Promise<SwarmLink> {
    if (this.#isStopped || this.#links.size >= MAX_LINKS) throw new PeerError('PEER_UNREACHABLE', peer, 'cannot be linked to: too many links')
    const timeout = AbortSignal.timeout(this.#openTimeoutMs)
    const signal = AbortSignal.any([timeout, ended])
    const waiting = this.#waiting.get(peer) ?? Promise.withResolvers<SwarmLink>()
    this.#waiting.set(peer, waiting)
    waiting.promise.catch(() => {})
    const onAbort = (): void => {
      if (this.#waiting.get(peer) === waiting) this.#waiting.delete(peer)
      waiting.reject(new PeerError('PEER_UNREACHABLE', peer, timeout.aborted ? `could not be reached: no link within ${this.#openTimeoutMs} ms` : 'is not waited for any more'))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      if (this.#links.get(peer)?.isOpen !== true) {
        const stream = await this.#components.openStream(peer, { signal, addresses })
        const known = this.#links.get(peer)
        if (this.#isStopped || (known?.isOpen === true && this.#components.self() > peer)) stream.abort(new PeerError('PEER_BUSY', peer, 'has a link already'))
        else {
          known?.close()
          this.#add(stream, peer, true)
        }
      }
      return await waiting.promise
    } catch (error) {
      throw error instanceof PeerError ? error : new PeerError('PEER_UNREACHABLE', peer, `could not be reached: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    } finally {
      signal.removeEventListener('abort', onAbort)
      if (this.#waiting.get(peer) === waiting) this.#waiting.delete(peer)
    }
  }

  #add (stream: Stream, peer: string, isOutbound: boolean): void {
    const link = new SwarmLink(new StreamTransport(stream), {
      onOpen: link => {
        this.#usedAt.set(link, { first: this.#beats, last: this.#beats })
        this.#waiting.get(peer)?.resolve(link)
        this.#hasten(link)
        this.#handlers.onOpen(link)
      },
      onMessage: (...told) => { this.#handlers.onMessage(...told) },
      onBody: (...told) => { this.#handlers.onBody(...told) },
      onClosed: (link, error) => {
        if (this.#links.get(peer) === link) this.#links.delete(peer)
        this.#eager.delete(link)
        this.#handlers.onClosed(link, error)
      },
      onMeasured: link => { this.#handlers.onMeasured?.(link) },
      isUrgent: link => this.#handlers.isUrgent?.(link) === true
    }, { peer, isOutbound, hello: this.#hello, lanes: this.#components.lanes, intake: this.#components.intake, allowance: this.#allowanceOf(peer) })
    if (!link.isOpen) return
    this.#links.set(peer, link)
    this.#timer ??= setInterval(() => { this.#beat() }, this.#beatMs).unref()
  }

  #allowanceOf (peer: string): MessageAllowance {
    const allowance = this.#allowances.get(peer) ?? new MessageAllowance()
    this.#allowances.set(peer, allowance)
    return allowance
  }

  /** The one who opened the link comes to our lane: it is more often the newcomer, who has more to receive. */
  #hasten (link: SwarmLink): void {
    if (link.isOutbound || this.#eager.size >= MAX_EAGER_LANES) return
    this.#eager.add(link)
    link.wantDirect()
  }
}
