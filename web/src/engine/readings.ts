import type { Timing } from "../stream/protocol";

/** What the instruments under the picture say. Null where nothing was measured lately. */
export interface Readings {
  /** Answers per second, over the last two seconds. */
  readonly answersPerSecond: number | null;
  /** From capture to display, in ms: the median of the last second. */
  readonly ageMs: number | null;
  /** Of the latest answer. */
  readonly timing: Timing | null;
  /** What the latest detection took, in ms. */
  readonly detectMs: number | null;
}

export const NO_READINGS: Readings = { answersPerSecond: null, ageMs: null, timing: null, detectMs: null };

const RATE_WINDOW_MS = 2000;
const AGE_WINDOW_MS = 1000;

interface Sample {
  readonly atMs: number;
  readonly ageMs: number;
}

/** Counts answers over a sliding window. Its memory is bounded by the window. */
export class ReadingsMeter {
  #samples: Sample[] = [];
  #startedAtMs: number | null = null;
  #timing: Timing | null = null;
  #detectMs: number | null = null;

  /** @param ageMs from capture to display */
  add(nowMs: number, ageMs: number, timing: Timing): void {
    this.#startedAtMs ??= nowMs;
    this.#timing = timing;
    this.#samples.push({ atMs: nowMs, ageMs });
    this.#forget(nowMs);
  }

  /** @param detectMs what a detection has just taken */
  detected(detectMs: number): void {
    this.#detectMs = detectMs;
  }

  read(nowMs: number): Readings {
    this.#forget(nowMs);
    if (this.#samples.length === 0 || this.#startedAtMs === null) {
      this.#startedAtMs = null;
      return { ...NO_READINGS, detectMs: this.#detectMs };
    }
    // The window is not full yet shortly after the first answer.
    const elapsedMs = Math.min(RATE_WINDOW_MS, Math.max(nowMs - this.#startedAtMs, 250));
    const recent = this.#samples.filter((sample) => nowMs - sample.atMs <= AGE_WINDOW_MS);
    return {
      answersPerSecond: (1000 * this.#samples.length) / elapsedMs,
      ageMs: median((recent.length > 0 ? recent : this.#samples).map((sample) => sample.ageMs)),
      timing: this.#timing,
      detectMs: this.#detectMs,
    };
  }

  #forget(nowMs: number): void {
    this.#samples = this.#samples.filter((sample) => nowMs - sample.atMs < RATE_WINDOW_MS);
  }
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? null;
}
