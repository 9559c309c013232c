import type { JoinMessage, PieceMessage } from '../net/swarm-message.ts'
import type { Accusation } from './accusations.ts'

/** What somebody who fetches the blob hears. */
export interface ParticipationListener {
  /** Something changed: it is time to decide. */
  onFacts (): void
  /** Bytes of a piece from a member, lent. */
  onBody (member: string, message: PieceMessage, bytes: Uint8Array, offset: number, isLast: boolean): void
  /** A member said whether it takes part: `facts` undefined when it does not, or no longer. */
  onAnswer (member: string, facts: JoinMessage | undefined): void
  /** It will not send these, or not the rest of them. */
  onReject (member: string, pieces: readonly number[]): void
  /** It breaks the rules of this blob. */
  onLie (member: string, reason: string): void
  /** What it gives from now on was got with credentials. */
  onRestricted (member: string): void
  /** Somebody is said to have signed wrong hashes. */
  onAccused (accusation: Accusation): void
  /** Somebody is said to have signed wrong hashes of another blob. @param accuser - who answers for that */
  onSuspect (peer: string, accuser: string): void
  /** Somebody was found out, perhaps over another blob. */
  onLiar (peer: string): void
  /** It says that the blob has another size; `isHolder`: and that it holds it. */
  onOtherSize (member: string, size: number, isHolder: boolean): void
}
