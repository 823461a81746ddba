const FIRST_MS = 1000;
const FACTOR = 1.6;
const LONGEST_MS = 10_000;

/**
 * How long to wait before coming back, in ms: the first time 500 to 1000, then 1.6 times longer each time, up to
 * 10 s; the lower half is jitter, so that the clients of a restarted server do not all come at once.
 *
 * @param failures attempts that have failed in a row, 0 for the first wait
 * @param random in [0, 1)
 */
export function reconnectDelayMs(failures: number, random: number): number {
  return Math.min(FIRST_MS * FACTOR ** failures, LONGEST_MS) * (0.5 + random / 2);
}
