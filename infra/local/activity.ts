/** Counts what is going on, so that a story can wait for silence instead of for time. */
export class Activity {
  #running = 0;
  #begun = 0;
  #waiting: (() => void)[] = [];
  readonly #busy: (() => boolean)[] = [];

  /** Something starts; call the result when it has ended (more than once is harmless). */
  begin(): () => void {
    this.#running += 1;
    this.#begun += 1;
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      this.#running -= 1;
      this.check();
    };
  }

  /** Adds a reason to be busy that can be looked at but does not begin and end. Its owner calls `check` when it may have gone. */
  alsoBusy(probe: () => boolean): void {
    this.#busy.push(probe);
  }

  /** Wakes those who wait for silence, if there is silence. */
  check(): void {
    if (this.#waiting.length === 0 || this.busy) return;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves at once when nothing goes on, else when the last thing has ended. */
  quiet(): Promise<void> {
    if (!this.busy) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** How many things have ever begun: equal before and after means that nothing happened in between. */
  get begun(): number {
    return this.#begun;
  }

  /** Whether something goes on right now. */
  get busy(): boolean {
    return this.#running > 0 || this.#busy.some((probe) => probe());
  }
}
