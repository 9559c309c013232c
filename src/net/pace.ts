/** Lets bytes go to other agents at a pace. */
export interface Pace {
  /** Resolves when so many bytes may go; what is urgent goes before all else that waits. */
  pass (bytes: number, options?: { readonly isUrgent?: boolean }): Promise<void>
}
