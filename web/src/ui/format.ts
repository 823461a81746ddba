/** A probability in [0, 1] as whole per cent, 0 to 100. */
export function toPercent(probability: number): number {
  return Math.round(100 * Math.min(Math.max(probability, 0), 1));
}

/** A duration in ms, with a decimal where it is short; a dash where it is unknown. */
export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  return ms < 10 ? ms.toFixed(1) : String(Math.round(ms));
}
