/** Bounds of the time between two frames, in ms. */
export const MIN_INTERVAL_MS = 10;
export const MAX_INTERVAL_MS = 1000;
export const DEFAULT_INTERVAL_MS = 100;

/** The interval in ms that also keeps to the server's largest rate. */
export function allowedIntervalMs(intervalMs: number, maxFramesPerSecond: number): number {
  return maxFramesPerSecond > 0 ? Math.max(intervalMs, 1000 / maxFramesPerSecond) : intervalMs;
}
