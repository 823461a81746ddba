import type { Gap, GapReason } from "./session";

/**
 * Turns "this is away now" and "it is back" into gaps. Reasons may overlap, as a hidden tab and a lost server do: each
 * has a gap of its own.
 */
export class GapKeeper {
  readonly #open = new Map<GapReason, Gap>();
  readonly #newId: () => string;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  get reasons(): readonly GapReason[] {
    return [...this.#open.keys()];
  }

  /** @returns the gap that this began or ended; null where nothing changes */
  set(reason: GapReason, isAway: boolean, nowMs: number): Gap | null {
    const open = this.#open.get(reason);
    if (isAway === (open !== undefined)) return null;
    if (open !== undefined) {
      this.#open.delete(reason);
      return { ...open, toMs: Math.max(nowMs, open.fromMs) };
    }
    const gap: Gap = { kind: "gap", id: this.#newId(), fromMs: nowMs, toMs: null, reason };
    this.#open.set(reason, gap);
    return gap;
  }

  /** Ends all gaps. */
  close(nowMs: number): readonly Gap[] {
    return this.reasons.flatMap((reason) => this.set(reason, false, nowMs) ?? []);
  }
}
