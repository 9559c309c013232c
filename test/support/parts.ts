/** Parts of a test, stopped when it ends, the latest first: `await using parts = new Parts()`. */
export class Parts extends AsyncDisposableStack {
  keep<T extends { stop (): Promise<void> }> (part: T): T {
    return this.adopt(part, async () => { await part.stop() })
  }
}
