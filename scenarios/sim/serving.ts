import { pieceSpan } from '../../src/swarm/pieces.ts'
import type { UploadJob, UploadNeed } from '../../src/swarm/upload-queue.ts'
import type { SimHost } from './host.ts'
import type { Flow } from './network.ts'
import type { SimPart } from './part.ts'
import type { World } from './world.ts'

/** A blob up to this size goes before all others, as in `src/exchange/uploads`. */
export const SMALL_BYTES = 1024 * 1024

/** A piece that another host has asked of one. */
export interface SimJob extends UploadJob {
  readonly to: SimHost
  readonly part: SimPart
  readonly bytes: number
  flow: Flow | undefined
}

/** How urgent a request is to the host that serves it. */
export function needOf ({ sending }: SimHost, { member, piece, part }: SimJob): UploadNeed {
  const { session, layer } = part
  const to = session.members.get(member)
  let sent = 0
  for (const job of sending) if (job.piece === piece && job.part === part && job.member !== member) sent++
  return {
    isSmall: layer.bytes <= SMALL_BYTES,
    pieceLength: session.pieceLength,
    isFar: to?.isNear === false && layer.bytes > SMALL_BYTES && session.isOutsider(member),
    held: (to?.held.count ?? 0) / Math.max(1, session.pieces),
    holders: session.availability.of(piece) + sent
  }
}

/** Requests that come before one for a piece of this blob that is asked now. */
export function ahead ({ host, session }: SimPart): number {
  return host.uploads.ahead(session.pieceLength)
}

/** Another asks for a piece. */
export function requested (world: World, part: SimPart, by: SimHost, piece: number): void {
  const { host, session, layer } = part
  // it was left a moment ago
  if (!session.members.has(by.name)) return
  if (!session.held.has(piece) || host.group.isLeech) {
    reject(world, part, by, piece, host.group.isLeech ? 'denied' : 'missing')
    return
  }
  const { start, end } = pieceSpan(layer.bytes, piece)
  const job: SimJob = { member: by.name, session: layer.name, piece, to: by, part, bytes: end - start, flow: undefined }
  const refused = host.uploads.add(job) as SimJob | undefined
  if (refused !== undefined) reject(world, refused.part, refused.to, refused.piece, 'busy')
  serve(world, host)
}

/** Sends what comes first, as far as there are slots. */
export function serve (world: World, host: SimHost): void {
  if (!host.isActive) return
  for (let next = host.uploads.next(); next !== undefined; next = host.uploads.next()) {
    const job = next as SimJob
    const { part, to, piece, bytes } = job
    host.sending.push(job)
    part.tellNews(to)
    const target = to.parts.get(part.layer.name)
    target?.incoming.add(job)
    job.flow = world.transfer(host, to, bytes, () => {
      sent(job)
      target?.incoming.delete(job)
      world.observer.gave(host.name, bytes, world.clock.nowMs)
      const queue = ahead(part)
      world.wire.tell(host, to, 0, () => { target?.pieceCame(part, piece, bytes, queue) })
      serve(world, host)
    })
  }
}

/** Another does not want a piece any more, or is gone. @param isTold - it hears that it will not come */
export function cancel (world: World, part: SimPart, by: SimHost, piece: number): void {
  const { host, layer } = part
  const running = host.sending.find(job => job.to === by && job.part === part && job.piece === piece)
  if (running !== undefined) stop(world, running)
  else if (!host.uploads.cancel({ member: by.name, session: layer.name, piece })) return
  reject(world, part, by, piece, 'cancelled')
  serve(world, host)
}

/** Nothing more goes to another, of one blob or of all. */
export function drop (world: World, host: SimHost, to: SimHost, of?: SimPart): void {
  host.uploads.drop(job => (job as SimJob).to === to && (of === undefined || (job as SimJob).part === of))
  for (const job of [...host.sending]) if (job.to === to && (of === undefined || job.part === of)) stop(world, job)
  serve(world, host)
}

/** All that a host sends ends: it is gone. */
export function silence (world: World, host: SimHost): void {
  host.uploads.drop(() => true)
  for (const job of [...host.sending]) stop(world, job)
}

function stop (world: World, job: SimJob): void {
  const left = job.flow === undefined ? 0 : world.network.end(job.flow)
  world.observer.inVain(job.to.name, Math.round(job.bytes - left), world.clock.nowMs)
  job.to.parts.get(job.part.layer.name)?.incoming.delete(job)
  sent(job)
}

function sent (job: SimJob): void {
  const { host } = job.part
  const index = host.sending.indexOf(job)
  if (index !== -1) host.sending.splice(index, 1)
  host.uploads.done(job)
}

function reject (world: World, part: SimPart, to: SimHost, piece: number, reason: 'busy' | 'missing' | 'denied' | 'cancelled'): void {
  const { host, layer } = part
  const queue = ahead(part)
  world.wire.tell(host, to, 16, () => { to.parts.get(layer.name)?.rejected(host, piece, reason, queue) })
}
