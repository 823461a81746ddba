import type { Points } from "./levels";

/** How a lane is drawn: a line for each emotion, or bands that fill the lane, one upon the other. */
export type ChartShape = "bands" | "lines";

/** Columns for a chart: times in s, ascending, then one column for each label; null where a line breaks. */
export type ChartColumns = readonly [timesS: readonly number[], ...values: (readonly (number | null)[])[]];

/** A pause that lasts longer is seen as one, in ms. */
const MIN_PAUSE_MS = 1500;

/**
 * @param intervalMs of the frames: a slow stream is no row of pauses
 * @returns for bands the sums of a label and all before it, so that the last is 1
 */
export function chartColumns(points: Points, shape: ChartShape, intervalMs: number): ChartColumns {
  const { bucketMs, timesMs, means } = points;
  const pauseMs = Math.max(MIN_PAUSE_MS, 2.5 * bucketMs, 2.5 * intervalMs);
  const times: number[] = [];
  const columns: (number | null)[][] = means.map(() => []);
  timesMs.forEach((atMs, index) => {
    const before = timesMs[index - 1];
    if (before !== undefined && atMs - before > pauseMs) {
      times.push((before + bucketMs) / 1000);
      for (const column of columns) column.push(null);
    }
    times.push(atMs / 1000);
    let sum = 0;
    means.forEach((mean, label) => {
      const value = mean[index] ?? 0;
      sum = shape === "bands" ? Math.min(1, sum + value) : value;
      columns[label]?.push(sum);
    });
  });
  return [times, ...columns];
}
