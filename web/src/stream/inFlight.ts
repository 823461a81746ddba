/** Frames that may be under way at once: one being computed, one on its way. */
export const MAX_IN_FLIGHT = 2;

/** A frame whose answer takes longer is given up, in ms. */
export const ANSWER_TIMEOUT_MS = 5000;

/**
 * The frames that were sent and are not answered yet. Each holds one of a few slots until its own answer comes,
 * until it is given up, or until the connection ends.
 */
export class InFlight {
  readonly #capacity: number;
  readonly #timeoutMs: number;
  readonly #sentAtMs = new Map<number, number>();

  constructor(capacity: number = MAX_IN_FLIGHT, timeoutMs: number = ANSWER_TIMEOUT_MS) {
    this.#capacity = capacity;
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#sentAtMs.size;
  }

  get hasRoom(): boolean {
    return this.#sentAtMs.size < this.#capacity;
  }

  /** @throws RangeError where no slot is free: the caller must look first */
  add(frameId: number, nowMs: number): void {
    if (!this.hasRoom) throw new RangeError("all slots are taken");
    this.#sentAtMs.set(frameId, nowMs);
  }

  /** @returns whether that frame was under way; false for answers that come after their frame was given up */
  settle(frameId: number): boolean {
    return this.#sentAtMs.delete(frameId);
  }

  /** Gives up the frames that have waited too long. @returns how many */
  expire(nowMs: number): number {
    const overdue = [...this.#sentAtMs].filter(([, sentAtMs]) => nowMs - sentAtMs >= this.#timeoutMs);
    for (const [frameId] of overdue) this.#sentAtMs.delete(frameId);
    return overdue.length;
  }

  clear(): void {
    this.#sentAtMs.clear();
  }
}
