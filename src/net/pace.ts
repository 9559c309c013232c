/** Lets bytes go to other agents at a pace. */
export interface Pace {
  /** What to let pass at a time at the most, in bytes, so that nobody waits long behind it. @default no limit */
  readonly chunkBytes?: number
  /** Resolves when so many bytes may go; what is urgent goes before all else that waits. */
  pass (bytes: number, options?: { readonly isUrgent?: boolean }): Promise<void>
}

/** Lets bytes come at a pace, from other agents and registries: they are counted as they come, and then whoever takes them may have to wait. */
export interface IntakePace {
  readonly bytesPerSecond: number
  /** So many bytes have come. @returns whether more may be taken at once; if not, ask for a `turn` first */
  came (bytes: number): boolean
  /** Calls back, once and later, when more may be taken: what is urgent first, the rest in the order asked. @returns gives the place up */
  turn (onTurn: () => void, options?: { readonly isUrgent?: boolean }): () => void
}
