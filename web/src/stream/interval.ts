export const MIN_INTERVAL_MS = 10;
export const MAX_INTERVAL_MS = 1000;
export const DEFAULT_INTERVAL_MS = 100;

/** How often to send, and whether the page had to disagree with its address. */
export interface IntervalSetting {
  /** 10 to 1000. */
  readonly intervalMs: number;
  /** What was asked for, where it was not taken as it stands. */
  readonly rejected: { readonly asked: string; readonly because: "out of range" | "not a number" } | null;
}

/** Reads `?interval=` (ms). Out-of-range numbers are moved to the nearest bound; anything else gives the default. */
export function readInterval(query: URLSearchParams): IntervalSetting {
  const asked = query.get("interval");
  if (asked === null) return { intervalMs: DEFAULT_INTERVAL_MS, rejected: null };
  const number = asked.trim() === "" ? Number.NaN : Number(asked);
  if (!Number.isFinite(number)) {
    return { intervalMs: DEFAULT_INTERVAL_MS, rejected: { asked, because: "not a number" } };
  }
  const intervalMs = Math.min(Math.max(number, MIN_INTERVAL_MS), MAX_INTERVAL_MS);
  return { intervalMs, rejected: intervalMs === number ? null : { asked, because: "out of range" } };
}

/** The interval in ms that also keeps to the server's largest rate. */
export function allowedIntervalMs(intervalMs: number, maxFramesPerSecond: number): number {
  return maxFramesPerSecond > 0 ? Math.max(intervalMs, 1000 / maxFramesPerSecond) : intervalMs;
}
